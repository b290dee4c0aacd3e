"""/settings: preferences, password, signed-in browsers."""

import pytest

from app import database
from app.security import passwords, sessions
from app.services import accounts
from tests.cast import Cast, make_cast
from tests.clients import PASSWORD, client_for, stranger

NEW = "nineteen yellow kites"


@pytest.fixture
async def cast() -> Cast:
    made = await make_cast()
    await database.execute("update users set password_hash = $1", await passwords.hash_password(PASSWORD))
    return made


@pytest.mark.parametrize("who", ["coach_a", "admin", "player"])
async def test_everybody_has_settings(cast: Cast, who: str) -> None:
    person = getattr(cast, who)
    async with await client_for(person) as browser:
        answer = await browser.get("/settings")
    assert answer.status_code == 200 and person.email in answer.text
    assert "no-store" in answer.headers["cache-control"]


async def test_a_stranger_has_none() -> None:
    async with stranger() as browser:
        for path in ("/settings", "/settings/second-factor", "/settings/second-factor/qr.svg"):
            assert (await browser.get(path)).headers["location"].startswith("/login")


async def test_preferences_are_saved_and_shown(cast: Cast) -> None:
    async with await client_for(cast.coach_a) as browser:
        answer = await browser.post("/settings/preferences", data={"time_zone": "Asia/Tokyo", "theme": "dark"})
        assert answer.headers["location"] == "/settings?done=preferences"
        page = (await browser.get("/settings?done=preferences")).text
    assert '<option value="Asia/Tokyo" selected>' in page and '<option value="dark" selected>' in page
    assert 'data-theme="dark"' in page and "Your preferences are saved." in page
    row = await database.fetchrow("select before, after, actor_id from audit_log")
    assert row and "Asia/Tokyo" in row["after"] and row["actor_id"] == cast.coach_a.id


async def test_an_empty_time_zone_is_the_organizations(cast: Cast) -> None:
    async with await client_for(cast.coach_a) as browser:
        await browser.post("/settings/preferences", data={"time_zone": "Asia/Tokyo", "theme": "system"})
        await browser.post("/settings/preferences", data={"time_zone": "", "theme": "system"})
    assert await database.fetchval("select time_zone from users where id = $1", cast.coach_a.id) is None


@pytest.mark.parametrize(
    ("form", "field"),
    [
        ({"time_zone": "Mars/Olympus", "theme": "dark"}, "time_zone"),
        ({"time_zone": "../etc/passwd", "theme": "dark"}, "time_zone"),
        ({"time_zone": "UTC", "theme": "pink"}, "theme"),
        ({"time_zone": "UTC"}, "theme"),
    ],
)
async def test_a_value_that_is_not_offered_is_named_and_changes_nothing(
    cast: Cast, form: dict[str, str], field: str
) -> None:
    async with await client_for(cast.coach_a) as browser:
        answer = await browser.post("/settings/preferences", data=form)
    assert answer.status_code == 422 and f'aria-describedby="error-{field}"' in answer.text
    row = await database.fetchrow("select time_zone, theme from users where id = $1", cast.coach_a.id)
    assert row and tuple(row) == (None, "system")


async def test_fields_that_are_not_in_the_form_change_nothing(cast: Cast) -> None:
    form = {"time_zone": "UTC", "theme": "dark", "role": "admin", "email": "eve@example.org", "is_admin": "1"}
    async with await client_for(cast.coach_a) as browser:
        assert (await browser.post("/settings/preferences", data=form)).status_code == 303
    row = await database.fetchrow("select role, email from users where id = $1", cast.coach_a.id)
    assert row and tuple(row) == ("coach", cast.coach_a.email)


async def test_changing_the_password_ends_all_other_sessions(cast: Cast) -> None:
    form = {"current_password": PASSWORD, "new_password": NEW, "new_password_again": NEW}
    async with await client_for(cast.coach_a) as browser, await client_for(cast.coach_a) as thief:
        assert (await browser.post("/settings/password", data=form)).headers["location"] == "/settings?done=password"
        assert (await browser.get("/settings")).status_code == 200
        assert (await thief.get("/settings")).status_code == 303
    assert await accounts.check_password(cast.coach_a.email, NEW)
    assert not await accounts.check_password(cast.coach_a.email, PASSWORD)
    assert await database.fetchval("select count(*) from audit_log where action = 'password.changed'") == 1


@pytest.mark.parametrize(
    ("current", "new", "again", "field"),
    [
        ("not my password", NEW, NEW, "current_password"),
        ("", NEW, NEW, "current_password"),
        (PASSWORD, "short", "short", "new_password"),
        (PASSWORD, "Ada Alder 2026", "Ada Alder 2026", "new_password"),
        (PASSWORD, NEW, NEW + "x", "new_password_again"),
    ],
)
async def test_a_refused_password_is_named_at_its_field(
    cast: Cast, current: str, new: str, again: str, field: str
) -> None:
    form = {"current_password": current, "new_password": new, "new_password_again": again}
    async with await client_for(cast.coach_a) as browser:
        answer = await browser.post("/settings/password", data=form)
    assert answer.status_code == 422 and f'aria-describedby="error-{field}"' in answer.text
    assert NEW not in answer.text and await accounts.check_password(cast.coach_a.email, PASSWORD)


async def test_a_borrowed_browser_cannot_guess_the_password(cast: Cast) -> None:
    form = {"current_password": "a wrong guess", "new_password": NEW, "new_password_again": NEW}
    async with await client_for(cast.coach_a) as browser:
        statuses = [(await browser.post("/settings/password", data=form)).status_code for _ in range(12)]
    assert statuses.count(422) <= 10 and statuses[-1] == 429


async def test_ones_own_browsers_are_listed_and_nobody_elses(cast: Cast) -> None:
    await sessions.open_session(cast.coach_a.id, address="192.0.2.55", user_agent="Mozilla/5.0 (iPhone) Safari/605")
    await sessions.open_session(cast.coach_b.id, address="192.0.2.66", user_agent="Chrome/1")
    async with await client_for(cast.coach_a) as browser:
        page = (await browser.get("/settings")).text
    assert "Safari on iPhone" in page and "192.0.2.55" in page and "Firefox on Linux" in page
    assert page.count("This one") == 1 and "192.0.2.66" not in page


async def test_one_browser_can_be_signed_out(cast: Cast) -> None:
    async with await client_for(cast.coach_a) as browser, await client_for(cast.coach_a) as lost:
        session, _ = await sessions.read_session(lost.cookies["session"])
        assert session
        answer = await browser.post(f"/settings/sessions/{session.session_id}/end")
        assert answer.headers["location"] == "/settings?done=session"
        assert (await lost.get("/settings")).status_code == 303
        assert (await browser.post(f"/settings/sessions/{session.session_id}/end")).status_code == 404


async def test_a_foreign_browser_is_not_found(cast: Cast) -> None:
    async with await client_for(cast.coach_a) as browser, await client_for(cast.coach_b) as other:
        session, _ = await sessions.read_session(other.cookies["session"])
        assert session
        assert (await browser.post(f"/settings/sessions/{session.session_id}/end")).status_code == 404
        assert (await other.get("/settings")).status_code == 200


async def test_all_other_browsers_can_be_signed_out_at_once(cast: Cast) -> None:
    async with await client_for(cast.coach_a) as browser, await client_for(cast.coach_a) as other:
        assert (await browser.post("/settings/sessions/end-others")).status_code == 303
        assert (await other.get("/settings")).status_code == 303
        assert (await browser.get("/settings")).status_code == 200


async def test_a_name_is_text_and_never_markup(cast: Cast) -> None:
    await database.execute(
        "update users set display_name = $2 where id = $1", cast.coach_a.id, '"><img src=x onerror=alert(1)>{{7*7}}'
    )
    async with await client_for(cast.coach_a) as browser:
        page = (await browser.get("/settings")).text
    assert "<img src=x" not in page and "{{7*7}}" in page


async def test_it_leads_to_the_notifications_of_those_who_have_some(cast: Cast) -> None:
    for person, leads in ((cast.coach_a, True), (cast.admin, True), (cast.player, False)):
        async with await client_for(person) as browser:
            page = (await browser.get("/settings")).text
        assert ('<a class="button" href="/notifications">' in page) is leads
