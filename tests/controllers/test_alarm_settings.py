"""/admin/alarms/settings: who gets mail, and the webhook."""

from collections.abc import AsyncIterator

import httpx
import pytest
import pytest_asyncio

from app import database
from app.integrations import webhook
from app.integrations.webhook import Guard
from tests.cast import Cast, Person, make_cast, make_user
from tests.clients import client_for
from tests.receiver import Receiver, receiving

PAGE = "/admin/alarms/settings"


@pytest.fixture
async def cast() -> Cast:
    return await make_cast()


@pytest_asyncio.fixture
async def receiver(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Receiver]:
    monkeypatch.setattr(webhook, "GUARD", Guard(frozenset({"http"}), lambda address: True))
    async with receiving() as receiver:
        yield receiver


async def show(person: Person) -> str:
    async with await client_for(person) as browser:
        answer = await browser.get(PAGE)
    assert answer.status_code == 200
    return answer.text


async def change(person: Person, what: str, **form: str) -> httpx.Response:
    async with await client_for(person) as browser:
        return await browser.post(f"{PAGE}/{what}", data=form)


def address(receiver: Receiver) -> str:
    return receiver.url.replace("localhost", "127.0.0.1")


async def test_an_admin_chooses_who_gets_mail(cast: Cast) -> None:
    other = await make_user(cast.organization_id, "admin", "Otto Other")
    assert (await show(cast.admin)).count(" checked") == 2
    answer = await change(cast.admin, "mail", admin=str(other.id))
    assert answer.headers["location"] == f"{PAGE}?done=mail"
    text = await show(cast.admin)
    assert text.count(" checked") == 1 and f'value="{other.id}" checked' in text
    assert await database.fetchval("select count(*) from audit_log where action = 'alarms.mail_chosen'") == 1
    assert (await change(cast.admin, "mail", admin="shoes")).status_code == 303
    assert " checked" not in await show(cast.admin)


async def test_a_webhook_shows_its_secret_once_and_its_address_never_again(cast: Cast, receiver: Receiver) -> None:
    answer = await change(cast.admin, "webhook", do="save", url=address(receiver))
    assert answer.status_code == 200 and "Shown only now" in answer.text
    text = await show(cast.admin)
    assert "<strong>127.0.0.1</strong>" in text and "key=1" not in text and "Shown only now" not in text


@pytest.mark.parametrize("url", [
    "", "https://127.0.0.1/", "http://example.org/", "https://10.0.0.1/", "x" * 3000, "https://localhost/?a=\x00",
])
async def test_an_address_that_leads_inside_is_refused(cast: Cast, url: str) -> None:
    answer = await change(cast.admin, "webhook", do="save", url=url)
    assert answer.status_code == 422 and "field-error" in answer.text
    assert await database.fetchval("select count(*) from alarm_settings") == 0


async def test_a_test_says_how_it_went(cast: Cast, receiver: Receiver) -> None:
    assert "There is no webhook." in (await change(cast.admin, "webhook", do="test")).text
    await change(cast.admin, "webhook", do="save", url=address(receiver))
    assert (await change(cast.admin, "webhook", do="test")).headers["location"] == f"{PAGE}?done=test"
    assert len(receiver.requests) == 1
    assert "less than a minute old" in (await change(cast.admin, "webhook", do="test")).text
    await database.execute("update alarm_settings set tested_at = null")
    receiver.statuses = [500]
    assert "answered 500" in (await change(cast.admin, "webhook", do="test")).text
    assert "Failed" in await show(cast.admin)


async def test_a_webhook_is_removed_and_twice_is_as_good(cast: Cast, receiver: Receiver) -> None:
    await change(cast.admin, "webhook", do="save", url=address(receiver))
    for _ in range(2):
        assert (await change(cast.admin, "webhook", do="remove")).status_code == 303
    assert "Remove webhook" not in await show(cast.admin)


async def test_a_coach_may_change_nothing(cast: Cast) -> None:
    for what in ("mail", "webhook"):
        assert (await change(cast.coach_a, what, do="remove")).status_code == 403
    assert await database.fetchval("select count(*) from alarm_settings") == 0
