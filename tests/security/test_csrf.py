"""Unsafe requests need a token of their own session."""

import httpx
import pytest

from app import database
from app.domain.tokens import hash_token
from app.security import csrf
from app.settings import get_settings
from tests.cast import Cast, make_cast
from tests.clients import client_for, stranger

FORM = {"time_zone": "Europe/Berlin", "theme": "dark"}
TARGET = "/settings/preferences"
NOT_UTF_8 = b'--x\r\nContent-Disposition: form-data; name="_csrf_token"\r\n\r\n\xff\xff\r\n--x--'


@pytest.fixture
async def cast() -> Cast:
    return await make_cast()


async def token_of(client: httpx.AsyncClient) -> str:
    return client.headers.pop(csrf.HEADER)


async def theme_of(cast: Cast) -> object:
    return await database.fetchval("select theme from users where id = $1", cast.coach_a.id)


async def test_the_header_is_accepted(cast: Cast) -> None:
    async with await client_for(cast.coach_a) as browser:
        assert (await browser.post(TARGET, data=FORM)).status_code == 303
    assert await theme_of(cast) == "dark"


async def test_the_field_of_a_form_is_accepted_and_the_handler_still_reads_the_form(cast: Cast) -> None:
    async with await client_for(cast.coach_a) as browser:
        token = await token_of(browser)
        assert (await browser.post(TARGET, data={**FORM, "_csrf_token": token})).status_code == 303
    assert await theme_of(cast) == "dark"


async def test_the_field_of_a_multipart_form_is_accepted_and_the_handler_still_reads_it(cast: Cast) -> None:
    async with await client_for(cast.coach_a) as browser:
        token = await token_of(browser)
        parts = {name: (None, value) for name, value in {**FORM, "_csrf_token": token}.items()}
        assert (await browser.post(TARGET, files=parts)).status_code == 303
    assert await theme_of(cast) == "dark"


@pytest.mark.parametrize(
    "request_parts",
    [
        {"data": FORM},
        {"data": {**FORM, "_csrf_token": ""}},
        {"data": {**FORM, "_csrf_token": "é" * 64}},
        {"json": FORM},
        {"content": "theme=dark", "headers": {"content-type": "text/plain"}},
        {"content": b"", "headers": {"content-type": "application/octet-stream"}},
        {"files": {name: (None, value) for name, value in FORM.items()}},
        {"files": {"_csrf_token": ("token.txt", b"x")}},
        {"data": FORM, "headers": {"authorization": "Bearer dummy"}},
        {"json": FORM, "headers": {"authorization": "Basic ZHVtbXk6ZHVtbXk="}},
        {"data": FORM, "headers": {"x-csrftoken": "0" * 64}},
        {"data": FORM, "headers": {"x-csrftoken": b"\xff\xfe"}},
    ],
)
async def test_without_its_token_a_request_changes_nothing(cast: Cast, request_parts: dict[str, object]) -> None:
    async with await client_for(cast.coach_a) as browser:
        await token_of(browser)
        answer = await browser.post(TARGET, **request_parts)  # type: ignore[arg-type]
    assert answer.status_code == 403, answer.text
    assert await theme_of(cast) == "system"


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
async def test_no_unsafe_method_gets_through(cast: Cast, method: str) -> None:
    async with await client_for(cast.coach_a) as browser:
        await token_of(browser)
        assert (await browser.request(method, TARGET, data=FORM)).status_code in (403, 404, 405)
    assert await theme_of(cast) == "system"


async def test_the_token_of_another_session_is_refused(cast: Cast) -> None:
    async with await client_for(cast.coach_b) as attacker, await client_for(cast.coach_a) as victim:
        victim.headers[csrf.HEADER] = attacker.headers[csrf.HEADER]
        assert (await victim.post(TARGET, data=FORM)).status_code == 403


async def test_the_token_of_an_earlier_session_of_the_same_person_is_refused(cast: Cast) -> None:
    async with await client_for(cast.coach_a) as earlier, await client_for(cast.coach_a) as later:
        later.headers[csrf.HEADER] = earlier.headers[csrf.HEADER]
        assert (await later.post(TARGET, data=FORM)).status_code == 403


async def test_a_visitor_cookie_does_not_vouch_for_a_session(cast: Cast) -> None:
    async with await client_for(cast.coach_a) as browser:
        browser.cookies.set("visitor", "planted", domain="127.0.0.1")
        browser.headers[csrf.HEADER] = csrf.token_for("planted", get_settings())
        assert (await browser.post(TARGET, data=FORM)).status_code == 403


async def test_another_site_is_refused_even_with_the_token(cast: Cast) -> None:
    async with await client_for(cast.coach_a) as browser:
        answer = await browser.post(TARGET, data=FORM, headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 403 and await theme_of(cast) == "system"


async def test_the_sign_in_form_needs_its_visitors_token() -> None:
    async with stranger() as browser, stranger() as other:
        await browser.get("/login")
        visitor = (await other.get("/login")).cookies["visitor"]
        token = csrf.token_for(visitor, get_settings())
        assert (await browser.post("/login", data={"email": "a", "password": "b"})).status_code == 403
        answer = await browser.post("/login", data={"email": "a", "password": "b", "_csrf_token": token})
        assert answer.status_code == 403


async def test_a_stranger_is_asked_to_sign_in_rather_than_told_about_tokens() -> None:
    async with stranger() as browser:
        answer = await browser.post(TARGET, data=FORM)
    assert answer.status_code == 303 and answer.headers["location"] == "/login"


async def test_a_visitor_keeps_one_cookie_and_a_reader_gets_none(cast: Cast) -> None:
    async with stranger() as browser:
        first = await browser.get("/login")
        assert "visitor=" in first.headers["set-cookie"] and "HttpOnly" in first.headers["set-cookie"]
        assert "set-cookie" not in (await browser.get("/login")).headers
    async with await client_for(cast.coach_a) as reader:
        assert "set-cookie" not in (await reader.get("/settings")).headers


async def test_nothing_of_the_token_tells_the_session(cast: Cast) -> None:
    async with await client_for(cast.coach_a) as browser:
        token, session = browser.headers[csrf.HEADER], browser.cookies["session"]
    assert token not in (session, hash_token(session))


@pytest.mark.parametrize(
    ("content", "content_type"),
    [
        (b"\xff\xfe=%ff&%", "application/x-www-form-urlencoded"),
        (b"nothing of the kind", "multipart/form-data; boundary=x"),
        (b"--x\r\n\r\nx", "multipart/form-data; boundary=x"),
        (NOT_UTF_8, "multipart/form-data; boundary=x"),
        (b"x", "multipart/form-data"),
        (b"x", "multipart/form-data; boundary="),
        (b"x", "multipart/form-data; boundary=\xe9\xe9"),
        (b"x" * 100, "application/x-www-form-urlencoded; charset=nonsense"),
    ],
)
async def test_a_body_that_is_no_form_is_refused_and_never_breaks(
    cast: Cast, content: bytes, content_type: str
) -> None:
    async with await client_for(cast.coach_a) as browser:
        await token_of(browser)
        headers = {"content-type": content_type.encode("latin-1")}
        answer = await browser.post(TARGET, content=content, headers=headers)  # type: ignore[arg-type]
    assert answer.status_code in (400, 403)
