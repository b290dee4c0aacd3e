"""GET and POST /forgot-password."""

import re
import shutil
from pathlib import Path
from typing import Any

import httpx
import pytest

from app import database
from app.security import csrf, throttling
from app.services import accounts
from app.settings import get_settings
from tests.cast import Cast, make_cast
from tests.clients import ADDRESS, app_for, stranger

LINK = re.compile(r"http://127\.0\.0\.1:8000/set-password/[\w-]{43}")


@pytest.fixture
async def cast() -> Cast:
    shutil.rmtree(get_settings().var_dir / "mail", ignore_errors=True)
    return await make_cast()


def mails() -> list[Path]:
    return sorted((get_settings().var_dir / "mail").glob("*.eml"))


async def ask(browser: httpx.AsyncClient, email: str) -> httpx.Response:
    await browser.get("/forgot-password")
    token = csrf.token_for(browser.cookies["visitor"], get_settings())
    return await browser.post("/forgot-password", data={"email": email, "_csrf_token": token})


async def test_a_link_comes_by_mail_and_opens_the_form(cast: Cast) -> None:
    async with stranger() as browser:
        assert (await ask(browser, cast.coach_a.email)).status_code == 200
        (mail,) = mails()
        found = LINK.search(mail.read_text())
        assert found and f"To: {cast.coach_a.email}" in mail.read_text()
        assert cast.coach_a.email in (await browser.get(found.group())).text


async def test_the_answer_does_not_tell_whether_there_is_an_account(cast: Cast) -> None:
    await database.execute("update users set disabled_at = now() where id = $1", cast.coach_b.id)
    async with stranger() as browser:
        emails = (cast.coach_a.email, "nobody@example.org", cast.coach_b.email)
        answers = [await ask(browser, email) for email in emails]
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.text for answer in answers}) == 1
    for answer in answers:
        del answer.headers["x-request-id"]  # every answer has its own
    assert len({tuple(sorted(answer.headers.items())) for answer in answers}) == 1
    assert len(mails()) == 1


@pytest.mark.parametrize("email", ["ada.alder@example.org", "nobody@example.org"])
async def test_up_to_the_answer_the_same_work_is_done_for_everybody(cast: Cast, email: str) -> None:
    """What differs, looking up the account and writing the link, starts when the answer has left."""
    settings = get_settings()
    links_when_answered: list[int] = []
    body = f"email={email}&_csrf_token={csrf.token_for('v', settings)}".encode()

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.body" and not message.get("more_body"):
            links_when_answered.append(await database.fetchval("select count(*) from one_time_links"))

    scope = {
        "type": "http", "method": "POST", "path": "/forgot-password", "raw_path": b"/forgot-password",
        "query_string": b"", "client": (ADDRESS, 1), "scheme": "http", "http_version": "1.1", "root_path": "",
        "server": ("127.0.0.1", 8000), "asgi": {"version": "3.0"},
        "headers": [
            (b"host", b"127.0.0.1:8000"), (b"cookie", b"visitor=v"),
            (b"content-type", b"application/x-www-form-urlencoded"), (b"content-length", str(len(body)).encode()),
        ],
    }
    app: Any = app_for(settings)
    await app(scope, receive, send)
    assert links_when_answered == [0]
    there_is_one = int(email == cast.coach_a.email)
    assert await database.fetchval("select count(*) from one_time_links") == there_is_one
    assert len(mails()) == there_is_one


async def test_an_empty_address_is_asked_for_again(cast: Cast) -> None:
    async with stranger() as browser:
        answer = await ask(browser, "  ")
    assert answer.status_code == 422 and 'aria-describedby="error-email"' in answer.text


async def test_asking_again_and_again_is_slowed_down_for_strangers_alike(cast: Cast) -> None:
    async with stranger() as browser:
        for email in (cast.coach_a.email, "nobody@example.org"):
            limit = throttling.FORGOT_PASSWORD.per_account
            statuses = [(await ask(browser, email)).status_code for _ in range(limit + 1)]
            assert statuses == [200] * limit + [429]


async def test_nobodys_mailbox_is_flooded_from_many_addresses(cast: Cast) -> None:
    for number in range(accounts.MAX_LINKS_PER_HOUR + 3):
        async with stranger(address=f"198.51.100.{number}") as browser:
            assert (await ask(browser, cast.coach_a.email)).status_code == 200
    assert len(mails()) == accounts.MAX_LINKS_PER_HOUR


async def test_mail_that_cannot_be_sent_does_not_show(cast: Cast, settings_changed: pytest.MonkeyPatch) -> None:
    settings_changed.setenv("SMTP_URL", "smtp://127.0.0.1:1")
    get_settings.cache_clear()
    async with stranger() as browser:
        assert (await ask(browser, cast.coach_a.email)).status_code == 200
