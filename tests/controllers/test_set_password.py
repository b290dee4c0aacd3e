"""GET and POST /set-password/{token}."""

import httpx
import pytest

from app import database
from app.security import csrf, sessions
from app.services import accounts
from app.settings import get_settings
from tests.cast import Cast, make_cast
from tests.clients import PASSWORD, client_for, stranger


@pytest.fixture
async def cast() -> Cast:
    return await make_cast()


async def path_for(cast: Cast) -> str:
    return (await accounts.make_set_password_link(cast.coach_a.id)).removeprefix(get_settings().base_url)


async def submit(browser: httpx.AsyncClient, path: str, first: str, second: str) -> httpx.Response:
    await browser.get("/login")
    token = csrf.token_for(browser.cookies["visitor"], get_settings())
    return await browser.post(path, data={"password": first, "password_again": second, "_csrf_token": token})


async def test_the_link_sets_the_password_and_signs_in(cast: Cast) -> None:
    path = await path_for(cast)
    async with stranger() as browser:
        answer = await submit(browser, path, PASSWORD, PASSWORD)
        assert answer.status_code == 303 and answer.headers["location"] == "/"
        assert (await browser.get("/settings")).status_code == 200
    assert await accounts.check_password(cast.coach_a.email, PASSWORD)


async def test_every_other_session_ends(cast: Cast) -> None:
    path = await path_for(cast)
    async with await client_for(cast.coach_a) as thief, stranger() as browser:
        await submit(browser, path, PASSWORD, PASSWORD)
        assert (await thief.get("/settings")).status_code == 303
    assert await database.fetchval("select count(*) from sessions") == 1


async def test_looking_at_the_link_does_not_use_it_up(cast: Cast) -> None:
    path = await path_for(cast)
    async with stranger() as scanner:
        for _ in range(3):
            assert (await scanner.get(path)).status_code == 200


async def test_a_used_link_and_an_invented_one_say_the_same(cast: Cast) -> None:
    path = await path_for(cast)
    async with stranger() as first, stranger() as second:
        await submit(first, path, PASSWORD, PASSWORD)
        for unusable in (path, "/set-password/invented"):
            assert (await second.get(unusable)).status_code == 404
            answer = await submit(second, unusable, "another long sentence", "another long sentence")
            assert answer.status_code == 404 and "cannot be used" in answer.text
    assert await accounts.check_password(cast.coach_a.email, PASSWORD)


async def test_a_link_of_yesterday_is_refused(cast: Cast) -> None:
    path = await path_for(cast)
    await database.execute("update one_time_links set expires_at = now() - interval '1 second'")
    async with stranger() as browser:
        assert (await submit(browser, path, PASSWORD, PASSWORD)).status_code == 404


@pytest.mark.parametrize(
    ("first", "second", "field", "says"),
    [
        (PASSWORD, PASSWORD + "x", "password_again", "The two passwords differ."),
        ("short", "short", "password", "at least 12 characters"),
        ("AdaAlder2026", "AdaAlder2026", "password", "your own name"),
        ("", "", "password", "at least 12 characters"),
    ],
)
async def test_a_bad_password_is_named_at_its_field(cast: Cast, first: str, second: str, field: str, says: str) -> None:
    path = await path_for(cast)
    async with stranger() as browser:
        answer = await submit(browser, path, first, second)
    assert answer.status_code == 422
    assert f'aria-describedby="error-{field}"' in answer.text and says in answer.text
    assert not first or f'value="{first}"' not in answer.text


async def test_the_second_factor_is_still_asked_for(cast: Cast) -> None:
    await database.execute("update users set totp_confirmed_at = now(), totp_secret = 'x'")
    path = await path_for(cast)
    async with stranger() as browser:
        answer = await submit(browser, path, PASSWORD, PASSWORD)
        assert answer.headers["location"] == "/login/second-factor"
        assert await sessions.read_session(browser.cookies["session"]) != (None, None)
        assert (await browser.get("/settings")).status_code == 303


async def test_the_token_does_not_leave_the_page(cast: Cast) -> None:
    path = await path_for(cast)
    async with stranger() as browser:
        answer = await browser.get(path)
    assert answer.headers.get_list("referrer-policy") == ["no-referrer"]
    assert "no-store" in answer.headers["cache-control"]
    assert path.rpartition("/")[2] not in answer.text
