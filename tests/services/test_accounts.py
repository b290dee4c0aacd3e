import asyncio

import pytest

from app import database
from app.security.passwords import WeakPassword
from app.services import accounts
from app.services.accounts import AccountError, LinkUnusable
from tests.cast import make_cast, make_organization
from tests.clients import PASSWORD

COACH = {
    "email": "Cora@Example.org", "role": "coach", "first_name": " Cora ", "last_name": "Cedar", "actor_label": "tests",
}


async def create(**changes: object) -> accounts.CreatedUser:
    return await accounts.create_user(**(COACH | changes))  # type: ignore[arg-type]


def token_of(link: str | None) -> str:
    assert link
    return link.rpartition("/")[2]


async def test_a_new_coach_gets_a_link_that_sets_the_password() -> None:
    created = await create(organization="Northern League", organizer=True)
    row = await database.fetchrow("select * from users")
    assert row and row["id"] == created.user_id
    assert (row["email"], row["display_name"], row["role"]) == ("cora@example.org", "Cora Cedar", "coach")
    assert row["password_hash"] is None
    account = await accounts.set_password(token_of(created.set_password_link), PASSWORD, address="")
    assert account.user_id == created.user_id
    assert await accounts.check_password("cora@example.org", PASSWORD) == account


async def test_the_link_is_kept_only_as_a_hash() -> None:
    token = token_of((await create()).set_password_link)
    row = await database.fetchrow("select * from one_time_links")
    assert row and token not in str(dict(row))


async def test_with_a_password_there_is_no_link() -> None:
    created = await create(password=PASSWORD)
    assert created.set_password_link is None
    assert await accounts.check_password("CORA@example.org", PASSWORD)


async def test_membership_and_the_organizer_right_are_made() -> None:
    await create(organization="  Northern   League ", organizer=True)
    row = await database.fetchrow(
        "select o.name, m.role from organization_members m join organizations o on o.id = m.organization_id"
    )
    assert row and tuple(row) == ("Northern League", "organizer")


async def test_the_only_organization_needs_no_name() -> None:
    await make_organization("Only League")
    await create()
    assert await database.fetchval("select count(*) from organization_members") == 1


async def test_the_first_organization_is_made_on_demand_but_not_for_an_admin() -> None:
    await create(email="a@example.org", role="admin")
    assert await database.fetchval("select count(*) from organizations") == 0
    await create()
    assert await database.fetchval("select name from organizations") == "Main"


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"email": "not an address"}, "not an e-mail address"),
        ({"email": "a\0@example.org"}, "not an e-mail address"),
        ({"role": "owner"}, "admin, coach, player"),
        ({"first_name": ""}, "first and a last name"),
        ({"last_name": "  "}, "first and a last name"),
        ({"first_name": "a\x1bb"}, "printable"),
        ({"first_name": "a" * 200}, "at most 120"),
        ({"password": "short"}, "at least 12"),
        ({"password": "CoraCedar2026"}, "own name"),
        ({"organization": " "}, "organization's name"),
        ({"organization": None}, "several organizations"),
    ],
)
async def test_a_bad_value_is_named_and_changes_nothing(changes: dict[str, object], says: str) -> None:
    await make_organization("One")
    await make_organization("Two")
    with pytest.raises(AccountError, match=says):
        await create(**({"organization": "New League"} | changes))
    assert await database.fetchval("select count(*) from users") == 0
    assert await database.fetchval("select count(*) from organizations") == 2


async def test_an_address_has_one_account_whatever_its_case() -> None:
    await create()
    with pytest.raises(AccountError, match="already an account"):
        await create(email="CORA@EXAMPLE.ORG")
    assert await database.fetchval("select count(*) from audit_log where action = 'user.created'") == 1


async def test_two_at_once_make_one_account_in_one_organization() -> None:
    results = await asyncio.gather(*(create(organization="New League") for _ in range(5)), return_exceptions=True)
    assert sum(isinstance(result, accounts.CreatedUser) for result in results) == 1
    assert sum(isinstance(result, AccountError) for result in results) == 4
    assert await database.fetchval("select count(*) from organizations") == 1


async def test_a_link_works_once() -> None:
    token = token_of((await create()).set_password_link)
    await accounts.set_password(token, PASSWORD, address="")
    with pytest.raises(LinkUnusable):
        await accounts.set_password(token, "another long sentence", address="")
    assert await accounts.check_password("cora@example.org", PASSWORD)


async def test_a_link_works_once_even_when_two_press_at_once() -> None:
    token = token_of((await create()).set_password_link)
    results = await asyncio.gather(
        *(accounts.set_password(token, f"long sentence {number}", address="") for number in range(4)),
        return_exceptions=True,
    )
    assert sum(isinstance(result, accounts.Account) for result in results) == 1
    assert sum(isinstance(result, LinkUnusable) for result in results) == 3


async def test_a_link_ends_after_a_day() -> None:
    token = token_of((await create()).set_password_link)
    assert await database.fetchval("select expires_at - created_at = interval '24 hours' from one_time_links")
    await database.execute("update one_time_links set expires_at = now() - interval '1 second'")
    assert await accounts.find_link(token) is None
    with pytest.raises(LinkUnusable):
        await accounts.set_password(token, PASSWORD, address="")


async def test_a_weak_password_does_not_use_the_link_up() -> None:
    token = token_of((await create()).set_password_link)
    with pytest.raises(WeakPassword):
        await accounts.set_password(token, "Cora Cedar 26", address="")
    await accounts.set_password(token, PASSWORD, address="")


async def test_setting_the_password_ends_every_other_link() -> None:
    created = await create()
    older = token_of(created.set_password_link)
    newer = token_of(await accounts.make_set_password_link(created.user_id))
    await accounts.set_password(newer, PASSWORD, address="")
    with pytest.raises(LinkUnusable):
        await accounts.set_password(older, "another long sentence", address="")


async def test_a_disabled_person_has_no_password_and_no_link() -> None:
    created = await create(password=PASSWORD)
    token = token_of(await accounts.make_set_password_link(created.user_id))
    await database.execute("update users set disabled_at = now()")
    assert await accounts.check_password("cora@example.org", PASSWORD) is None
    assert await accounts.find_link(token) is None


async def test_somebody_without_a_password_cannot_sign_in_with_any() -> None:
    cast = await make_cast()
    for password in ("", "nobody has this password", "None"):
        assert await accounts.check_password(cast.coach_a.email, password) is None
