"""GET and POST /login, POST /logout."""

import asyncio
import re
import time

import httpx
import pytest

from app import database
from app.domain.tokens import hash_token
from app.security import passwords, sessions, throttling
from app.settings import Settings, get_settings
from tests.cast import Cast, Person, make_cast
from tests.clients import PASSWORD, client_for, stranger

HTTPS = {"base_url": "https://league.example"}


async def give_password(person: Person, password: str = PASSWORD) -> None:
    await database.execute(
        "update users set password_hash = $2 where id = $1", person.id, await passwords.hash_password(password)
    )


def token_in(page: httpx.Response) -> str:
    found = re.search(r'name="_csrf_token" value="(\w+)"', page.text)
    assert found, page.text
    return found.group(1)


async def submit(client: httpx.AsyncClient, email: str, password: str, **fields: str) -> httpx.Response:
    """Fills in the sign-in form as a browser does."""
    form = await client.get("/login")
    data = {"email": email, "password": password, "_csrf_token": token_in(form), **fields}
    return await client.post("/login", data=data)


@pytest.fixture
async def cast() -> Cast:
    made = await make_cast()
    await give_password(made.coach_a)
    return made


async def test_the_right_password_opens_a_session_and_leads_on(cast: Cast) -> None:
    async with stranger() as browser:
        answer = await submit(browser, "  Ada.ALDER@example.org ", PASSWORD)
        assert answer.status_code == 303 and answer.headers["location"] == "/"
        assert (await browser.get("/settings")).status_code == 200


async def test_a_wrong_password_and_a_stranger_get_the_same_page(cast: Cast) -> None:
    async with stranger() as browser:
        wrong = await submit(browser, cast.coach_a.email, "not the right one")
        unknown = await submit(browser, "nobody@example.org", "not the right one")
    assert wrong.status_code == unknown.status_code == 422
    assert "E-mail or password is wrong." in wrong.text
    assert wrong.text.replace(cast.coach_a.email, "") == unknown.text.replace("nobody@example.org", "")
    assert "set-cookie" not in wrong.headers


async def test_a_stranger_costs_as_much_hashing_as_a_person(cast: Cast) -> None:
    async def seconds(email: str) -> float:
        stored = await database.fetchval("select password_hash from users where email = $1", email)
        started = time.perf_counter()
        assert not await passwords.verify(stored, "not the right one")
        return time.perf_counter() - started

    await seconds("nobody@example.org")
    person = min([await seconds(cast.coach_a.email) for _ in range(7)])
    nobody = min([await seconds("nobody@example.org") for _ in range(7)])
    assert 0.5 < nobody / person < 2


async def test_empty_fields_are_named(cast: Cast) -> None:
    async with stranger() as browser:
        answer = await submit(browser, "", "")
    assert answer.status_code == 422
    assert 'aria-describedby="error-email"' in answer.text and "Enter your e-mail." in answer.text
    assert "Enter your password." in answer.text


async def test_the_form_carries_no_password_back(cast: Cast) -> None:
    async with stranger() as browser:
        answer = await submit(browser, cast.coach_a.email, "my secret guess 123")
    assert "my secret guess" not in answer.text


async def test_a_token_chosen_by_somebody_else_is_not_kept(cast: Cast) -> None:
    async with stranger() as browser:
        browser.cookies.set("session", "chosen-by-the-attacker", domain="127.0.0.1")
        await submit(browser, cast.coach_a.email, PASSWORD)
        assert browser.cookies["session"] != "chosen-by-the-attacker"
    assert await sessions.read_session("chosen-by-the-attacker") == (None, None)


async def test_signing_in_again_replaces_the_token(cast: Cast) -> None:
    async with stranger() as browser:
        await submit(browser, cast.coach_a.email, PASSWORD)
        first = browser.cookies["session"]
        form = await browser.get("/settings")
        fields = {"email": cast.coach_a.email, "password": PASSWORD, "_csrf_token": token_in(form)}
        await browser.post("/login", data=fields)
        assert browser.cookies["session"] != first
    assert (await sessions.read_session(first))[1] is None
    assert await database.fetchval("select count(*) from sessions") == 1


async def test_the_table_holds_only_the_hash(cast: Cast) -> None:
    async with stranger() as browser:
        await submit(browser, cast.coach_a.email, PASSWORD)
        token = browser.cookies["session"]
    rows = await database.fetch("select row_to_json(s)::text as row from sessions s")
    assert len(rows) == 1 and hash_token(token) in rows[0]["row"] and token not in rows[0]["row"]


async def test_over_https_the_cookie_is_bound_to_the_host(cast: Cast) -> None:
    async with stranger(Settings(**(get_settings().model_dump() | HTTPS))) as browser:
        answer = await submit(browser, cast.coach_a.email, PASSWORD)
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("__Host-session=")
    assert all(part in cookie for part in ("HttpOnly", "Path=/", "SameSite=lax", "Secure"))
    assert "Domain" not in cookie


async def test_over_http_the_cookie_is_hidden_from_scripts(cast: Cast) -> None:
    async with stranger() as browser:
        cookie = (await submit(browser, cast.coach_a.email, PASSWORD)).headers["set-cookie"]
    assert cookie.startswith("session=") and "HttpOnly" in cookie and "Secure" not in cookie


@pytest.mark.parametrize(
    ("wish", "got"),
    [
        ("/leaderboard?division=college&sort=points", "/leaderboard?division=college&sort=points"),
        ("//evil.example", "/"), ("https://evil.example/", "/"), ("/\\evil.example", "/"), ("javascript:alert(1)", "/"),
        ("/a\r\nSet-Cookie: x=1", "/"), ("", "/"),
    ],
)
async def test_the_way_on_stays_on_this_site(cast: Cast, wish: str, got: str) -> None:
    async with stranger() as browser:
        answer = await submit(browser, cast.coach_a.email, PASSWORD, next=wish)
    assert answer.headers["location"] == got and answer.status_code == 303


async def test_the_form_remembers_the_way_on(cast: Cast) -> None:
    async with stranger() as browser:
        assert 'name="next" value="/teams?x=1"' in (await browser.get("/login?next=/teams%3Fx=1")).text
        foreign = (await browser.get("/login?next=//evil.example")).text
        assert 'name="next"' not in foreign.partition("<main")[2]


async def test_who_is_signed_in_is_led_on(cast: Cast) -> None:
    async with await client_for(cast.coach_a) as browser:
        assert (await browser.get("/login?next=/settings")).headers["location"] == "/settings"


async def test_a_disabled_person_is_a_stranger(cast: Cast) -> None:
    async with await client_for(cast.coach_a) as signed_in, stranger() as browser:
        await database.execute("update users set disabled_at = now() where id = $1", cast.coach_a.id)
        assert (await submit(browser, cast.coach_a.email, PASSWORD)).status_code == 422
        assert (await signed_in.get("/settings")).headers["location"].startswith("/login")


async def test_an_old_hash_is_renewed_at_sign_in(cast: Cast) -> None:
    import argon2

    weak = argon2.PasswordHasher(time_cost=1, memory_cost=8192, parallelism=1).hash(PASSWORD)
    await database.execute("update users set password_hash = $2 where id = $1", cast.coach_a.id, weak)
    async with stranger() as browser:
        assert (await submit(browser, cast.coach_a.email, PASSWORD)).status_code == 303
        stored = await database.fetchval("select password_hash from users where id = $1", cast.coach_a.id)
        assert stored != weak and not passwords.needs_rehash(stored)
        assert (await submit(await _fresh(browser), cast.coach_a.email, PASSWORD)).status_code == 303


async def _fresh(browser: httpx.AsyncClient) -> httpx.AsyncClient:
    browser.cookies.clear()
    return browser


async def test_guessing_is_answered_with_429_and_when_to_come_back(cast: Cast) -> None:
    async with stranger() as browser:
        answers = [await submit(browser, cast.coach_a.email, f"guess number {number}") for number in range(7)]
        refused = answers[-1]
        assert [answer.status_code for answer in answers[:6]] == [422] * 6
        assert refused.status_code == 429 and 1 <= int(refused.headers["retry-after"]) <= 900
        assert "Too many attempts" in refused.text
        assert (await submit(browser, cast.coach_a.email, PASSWORD)).status_code == 429


async def test_guessing_does_not_lock_the_owner_out(cast: Cast) -> None:
    async with stranger(address="198.51.100.66") as attacker, stranger(address="192.0.2.10") as owner:
        for number in range(15):
            await submit(attacker, cast.coach_a.email, f"guess number {number}")
        assert (await submit(attacker, cast.coach_a.email, PASSWORD)).status_code == 429
        assert (await submit(owner, cast.coach_a.email, PASSWORD)).status_code == 303


async def test_a_known_browser_is_not_hindered_by_strangers_at_its_address(cast: Cast) -> None:
    async with stranger() as owner, stranger() as attacker:
        await submit(owner, cast.coach_a.email, PASSWORD)
        await database.execute("update sessions set last_seen_at = now() - interval '15 days'")
        for number in range(15):
            await submit(attacker, cast.coach_a.email, f"guess number {number}")
        assert (await submit(attacker, cast.coach_a.email, PASSWORD)).status_code == 429
        assert (await submit(owner, cast.coach_a.email, PASSWORD)).status_code == 303


async def test_a_thousand_forged_addresses_count_as_one(cast: Cast) -> None:
    async with stranger() as attacker:
        form = await attacker.get("/login")
        fields = {"email": cast.coach_a.email, "password": "a guess of mine", "_csrf_token": token_in(form)}
        statuses = []
        for number in range(1000):
            forged = {"X-Forwarded-For": f"10.0.{number // 250}.{number % 250}"}
            statuses.append((await attacker.post("/login", data=fields, headers=forged)).status_code)
    assert statuses.count(422) <= throttling.SIGN_IN.per_account
    assert set(statuses) == {422, 429}


async def test_many_guesses_at_once_count_like_one_after_the_other(cast: Cast) -> None:
    async with stranger() as attacker:
        form = await attacker.get("/login")
        fields = {"email": cast.coach_a.email, "password": "a guess of mine", "_csrf_token": token_in(form)}
        answers = await asyncio.gather(*(attacker.post("/login", data=fields) for _ in range(40)))
    assert sum(answer.status_code == 422 for answer in answers) <= throttling.SIGN_IN.per_account


async def test_a_password_alone_is_not_enough_with_a_nul_in_the_email(cast: Cast) -> None:
    async with stranger() as browser:
        assert (await submit(browser, "ada\0@example.org", PASSWORD)).status_code == 422


async def test_signing_in_is_audited_without_the_address_of_the_mailbox(cast: Cast) -> None:
    async with stranger() as browser:
        await submit(browser, cast.coach_a.email, PASSWORD)
    row = await database.fetchrow("select * from audit_log where action = 'session.opened'")
    assert row and row["subject_id"] == str(cast.coach_a.id) and row["address"] == "203.0.113.7"
    assert cast.coach_a.email not in str(dict(row))


async def test_signing_out_ends_the_session(cast: Cast) -> None:
    async with await client_for(cast.coach_a) as browser:
        token = browser.cookies["session"]
        answer = await browser.post("/logout")
        assert answer.status_code == 303 and answer.headers["location"] == "/login"
        assert "session" not in browser.cookies
    assert await sessions.read_session(token) == (None, None)
    assert await database.fetchval("select actor_id from audit_log where action = 'session.ended'") == cast.coach_a.id


async def test_signing_out_needs_post(cast: Cast) -> None:
    async with await client_for(cast.coach_a) as browser:
        assert (await browser.get("/logout")).status_code in (404, 405)
        assert (await browser.get("/settings")).status_code == 200
