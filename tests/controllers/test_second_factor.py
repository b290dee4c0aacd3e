"""/settings/second-factor and /login/second-factor."""

import base64
import re
import time

import httpx
import pytest
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP

from app import database
from app.domain.tokens import hash_token
from app.security import csrf, passwords, sessions
from app.security.encryption import DecryptionError
from app.services import second_factor
from app.settings import get_settings
from tests.cast import Cast, Person, make_cast
from tests.clients import PASSWORD, client_for, stranger

PAGE = "/settings/second-factor"
OWN = {"password": PASSWORD}


@pytest.fixture
async def cast() -> Cast:
    made = await make_cast()
    await database.execute("update users set password_hash = $1", await passwords.hash_password(PASSWORD))
    return made


def code_of(key: str, steps: int = 0) -> str:
    """What the person's app shows, `steps` of 30 seconds from now."""
    totp = TOTP(base64.b32decode(key.replace(" ", "")), 6, SHA1(), 30)
    return totp.generate(int(time.time()) + 30 * steps).decode()


async def set_up(person: Person) -> tuple[str, list[str]]:
    """The key and the recovery codes of somebody who has just set it up; the newest step is still unused."""
    async with await client_for(person) as browser:
        await browser.post(PAGE, data=OWN)
        found = re.search(r"<code>([A-Z2-7 ]+)</code>", (await browser.get(PAGE)).text)
        assert found
        answer = await browser.post(f"{PAGE}/confirm", data={"code": code_of(found.group(1))})
    await database.execute("update users set totp_last_step = totp_last_step - 1 where id = $1", person.id)
    codes = re.findall(r"<code>([a-z2-7]{4}(?:-[a-z2-7]{4}){3})</code>", answer.text)
    assert answer.status_code == 200 and len(codes) == 10, answer.text
    return found.group(1), codes


async def enter_password(browser: httpx.AsyncClient, person: Person) -> httpx.Response:
    await browser.get("/login")
    token = csrf.token_for(browser.cookies["visitor"], get_settings())
    return await browser.post("/login", data={"email": person.email, "password": PASSWORD, "_csrf_token": token})


async def enter_code(browser: httpx.AsyncClient, code: str) -> httpx.Response:
    token = csrf.token_for(hash_token(browser.cookies["session"]), get_settings())
    return await browser.post("/login/second-factor", data={"code": code, "_csrf_token": token, "next": "/settings"})


async def test_setting_up_shows_a_code_to_scan_and_then_recovery_codes_once(cast: Cast) -> None:
    async with await client_for(cast.coach_a) as browser:
        assert (await browser.get(f"{PAGE}/qr.svg")).status_code == 404
        await browser.post(PAGE, data=OWN)
        qr = await browser.get(f"{PAGE}/qr.svg")
        assert qr.headers["content-type"].startswith("image/svg+xml") and b"<svg" in qr.content
        assert "no-store" in qr.headers["cache-control"] and b"<style" not in qr.content
        assert f'src="{PAGE}/qr.svg"' in (await browser.get(PAGE)).text
    _, codes = await set_up(cast.coach_a)
    async with await client_for(cast.coach_a) as browser:
        page = await browser.get(PAGE)
        assert (await browser.get(f"{PAGE}/qr.svg")).status_code == 404
    assert not any(code in page.text for code in codes) and "10 of 10 recovery codes left" in page.text


async def test_neither_the_secret_nor_a_code_can_be_read_in_the_tables(cast: Cast) -> None:
    key, codes = await set_up(cast.coach_a)
    users = await database.fetch("select row_to_json(u)::text as row from users u")
    recovery = await database.fetch("select row_to_json(r)::text as row from recovery_codes r")
    stored = "".join(row["row"] for row in (*users, *recovery))
    assert key.replace(" ", "") not in stored
    assert not any(code in stored or code.replace("-", "") in stored for code in codes)


async def test_a_wrong_code_turns_nothing_on(cast: Cast) -> None:
    async with await client_for(cast.coach_a) as browser:
        await browser.post(PAGE, data=OWN)
        for wrong in ("000000", "", "abcdef", "１２３４５６", "0" * 500):
            answer = await browser.post(f"{PAGE}/confirm", data={"code": wrong})
            assert answer.status_code == 422 and "This code is wrong" in answer.text
    assert await database.fetchval("select totp_confirmed_at from users where id = $1", cast.coach_a.id) is None


async def test_turning_it_on_ends_the_other_sessions(cast: Cast) -> None:
    async with await client_for(cast.coach_a) as other:
        await set_up(cast.coach_a)
        assert (await other.get("/settings")).status_code == 303


async def test_a_password_alone_opens_nothing_a_code_does_and_the_token_changes(cast: Cast) -> None:
    key, _ = await set_up(cast.coach_a)
    async with stranger() as browser:
        answer = await enter_password(browser, cast.coach_a)
        assert answer.headers["location"] == "/login/second-factor"
        assert (await browser.get("/settings")).headers["location"].startswith("/login")
        assert (await browser.get("/login/second-factor")).status_code == 200
        half_way = browser.cookies["session"]
        assert (await enter_code(browser, code_of(key))).headers["location"] == "/settings"
        assert browser.cookies["session"] != half_way
        assert (await browser.get("/settings")).status_code == 200
    assert await sessions.read_session(half_way) == (None, None)


async def test_a_code_works_once(cast: Cast) -> None:
    key, _ = await set_up(cast.coach_a)
    code = code_of(key)
    async with stranger() as first, stranger() as second:
        await enter_password(first, cast.coach_a)
        await enter_password(second, cast.coach_a)
        assert (await enter_code(first, code)).status_code == 303
        replayed = await enter_code(second, code)
        assert replayed.status_code == 422 and 'aria-describedby="error-code"' in replayed.text
        assert (await enter_code(second, code_of(key, 1))).status_code == 303


async def test_an_older_code_than_the_last_one_is_refused(cast: Cast) -> None:
    key, _ = await set_up(cast.coach_a)
    assert await second_factor.check_code(cast.coach_a.id, code_of(key, 1), address="")
    assert not await second_factor.check_code(cast.coach_a.id, code_of(key, 0), address="")


async def test_a_code_of_another_minute_is_refused(cast: Cast) -> None:
    key, _ = await set_up(cast.coach_a)
    for steps in (-3, 3):
        assert not await second_factor.check_code(cast.coach_a.id, code_of(key, steps), address="")


async def test_a_recovery_code_works_once_however_it_is_typed(cast: Cast) -> None:
    _, codes = await set_up(cast.coach_a)
    async with stranger() as first, stranger() as second:
        await enter_password(first, cast.coach_a)
        await enter_password(second, cast.coach_a)
        assert (await enter_code(first, codes[3].upper().replace("-", " "))).status_code == 303
        assert (await enter_code(second, codes[3])).status_code == 422
        assert (await enter_code(second, codes[4])).status_code == 303
    assert await database.fetchval("select count(*) from audit_log where action like '%recovery_code_used'") == 2


async def test_anothers_recovery_code_is_refused(cast: Cast) -> None:
    _, codes = await set_up(cast.coach_a)
    await set_up(cast.coach_b)
    assert not await second_factor.check_code(cast.coach_b.id, codes[0], address="")


async def test_five_wrong_codes_end_the_guessing_from_everywhere(cast: Cast) -> None:
    key, _ = await set_up(cast.coach_a)
    for number in range(5):
        async with stranger(address=f"198.51.100.{number}") as guesser:
            await enter_password(guesser, cast.coach_a)
            assert (await enter_code(guesser, "000000")).status_code == 422
    async with stranger() as guesser:
        await enter_password(guesser, cast.coach_a)
        answer = await enter_code(guesser, code_of(key))
    assert answer.status_code == 429 and int(answer.headers["retry-after"]) <= 600


async def test_without_a_password_first_there_is_no_form(cast: Cast) -> None:
    async with stranger() as browser:
        assert (await browser.get("/login/second-factor")).headers["location"] == "/login"


async def test_a_secret_copied_to_another_row_does_not_work_there(cast: Cast) -> None:
    key, _ = await set_up(cast.coach_a)
    await set_up(cast.coach_b)
    await database.execute(
        "update users set totp_secret = (select totp_secret from users where id = $1) where id = $2",
        cast.coach_a.id, cast.coach_b.id,
    )
    with pytest.raises(DecryptionError):
        await second_factor.check_code(cast.coach_b.id, code_of(key), address="")


async def test_turning_off_needs_the_password(cast: Cast) -> None:
    await set_up(cast.coach_a)
    async with await client_for(cast.coach_a) as browser:
        refused = await browser.post(f"{PAGE}/turn-off", data={"password": "not my password"})
        assert refused.status_code == 422 and 'aria-describedby="error-password"' in refused.text
        assert await database.fetchval("select totp_secret from users where id = $1", cast.coach_a.id)
        assert (await browser.post(f"{PAGE}/turn-off", data={"password": PASSWORD})).status_code == 303
    row = await database.fetchrow("select totp_secret, totp_confirmed_at from users where id = $1", cast.coach_a.id)
    assert row and tuple(row) == (None, None)
    assert await database.fetchval("select count(*) from recovery_codes") == 0
    assert await database.fetchval("select count(*) from audit_log where action = 'second_factor.turned_off'") == 1


async def test_a_second_one_cannot_replace_the_first(cast: Cast) -> None:
    await set_up(cast.coach_a)
    before = await database.fetchval("select totp_secret from users where id = $1", cast.coach_a.id)
    async with await client_for(cast.coach_a) as browser:
        assert (await browser.post(PAGE, data=OWN)).status_code == 422
    assert await database.fetchval("select totp_secret from users where id = $1", cast.coach_a.id) == before


async def require(browser: httpx.AsyncClient, cast: Cast, required: str) -> httpx.Response:
    return await browser.post(f"{PAGE}/requirements/{cast.organization_id}", data={"required": required})


async def is_required() -> bool:
    return bool(await database.fetchval("select second_factor_required from organizations"))


async def test_only_an_admin_with_one_can_require_it(cast: Cast) -> None:
    async with await client_for(cast.admin) as browser:
        refused = await require(browser, cast, "yes")
        assert refused.status_code == 422 and "Set up your own second factor" in refused.text
        assert not await is_required()
    await set_up(cast.admin)
    async with await client_for(cast.admin) as browser:
        assert (await require(browser, cast, "yes")).status_code == 303
        assert await is_required()
        assert (await require(browser, cast, "no")).status_code == 303
        assert not await is_required()
    actions = await database.fetch("select before, after from audit_log where action like 'organization.second%'")
    assert len(actions) == 2


async def test_a_coach_can_require_nothing(cast: Cast) -> None:
    await set_up(cast.coach_a)
    async with await client_for(cast.coach_a) as browser:
        assert (await require(browser, cast, "yes")).status_code == 403
        assert "All admins" not in (await browser.get(PAGE)).text
    assert not await is_required()


async def test_where_it_is_required_an_admin_sets_it_up_before_anything_else(cast: Cast) -> None:
    await database.execute("update organizations set second_factor_required = true")
    async with await client_for(cast.admin) as browser:
        for path in ("/settings", "/leaderboard", "/admin/components"):
            answer = await browser.get(path)
            assert (answer.status_code, answer.headers.get("location")) in ((303, PAGE), (404, None)), path
        moved = await browser.get("/settings", headers={"HX-Request": "true"})
        assert moved.headers["hx-redirect"] == PAGE
        assert (await browser.post("/settings/preferences", data={"theme": "dark"})).headers["location"] == PAGE
        assert (await browser.get(PAGE)).status_code == 200
    await set_up(cast.admin)
    async with await client_for(cast.admin) as browser:
        assert (await browser.get("/settings")).status_code == 200
    async with await client_for(cast.coach_a) as coach:
        assert (await coach.get("/settings")).status_code == 200


async def test_an_admin_who_has_to_set_it_up_can_still_sign_out(cast: Cast) -> None:
    await database.execute("update organizations set second_factor_required = true")
    async with await client_for(cast.admin) as browser:
        assert (await browser.post("/logout")).headers["location"] == "/login"


async def test_a_borrowed_browser_cannot_set_one_up_without_the_password(cast: Cast) -> None:
    async with await client_for(cast.coach_a) as browser:
        answer = await browser.post(PAGE, data={"password": "a guess of twelve"})
        assert answer.status_code == 422
        assert "This is not your current password." in answer.text
    assert await database.fetchval("select totp_secret is null from users where id = $1", cast.coach_a.id)
