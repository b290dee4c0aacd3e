"""Messages about alarms, to a real SMTP server and a real receiver: one per episode opened, one per episode ended."""

import asyncio
import email
import email.policy
import hashlib
import hmac
import json
import socket
from collections.abc import AsyncIterator, Iterator
from email.message import EmailMessage
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio
from aiosmtpd.controller import Controller

from app import database
from app.integrations import webhook
from app.integrations.webhook import Guard
from app.services import alarm_settings, workers
from app.services.alarm_deliveries import ATTEMPTS, send_due, send_test
from app.services.alarm_settings import BadWebhook, NoWebhook, TooSoon
from app.settings import get_settings
from tests.cast import Cast, make_cast, make_user
from tests.readers import reader_for
from tests.receiver import Receiver, receiving
from tests.services.test_alarms import look_now


class Inbox:
    def __init__(self) -> None:
        self.messages: list[EmailMessage] = []
        self.answer = "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        if self.answer.startswith("250"):
            message = email.message_from_bytes(envelope.content, policy=email.policy.default)
            assert isinstance(message, EmailMessage)
            self.messages.append(message)
        return self.answer


@pytest.fixture
def inbox(settings_changed: pytest.MonkeyPatch) -> Iterator[Inbox]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    inbox = Inbox()
    controller = Controller(inbox, hostname="127.0.0.1", port=port)
    controller.start()
    settings_changed.setenv("SMTP_URL", f"smtp://127.0.0.1:{port}")
    get_settings.cache_clear()
    yield inbox
    controller.stop()


@pytest_asyncio.fixture
async def receiver(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Receiver]:
    monkeypatch.setattr(webhook, "GUARD", Guard(frozenset({"http"}), lambda address: True))
    async with receiving() as receiver:
        yield receiver


@pytest.fixture
async def cast() -> Cast:
    return await make_cast()


async def lose_the_worker() -> None:
    await look_now()
    await database.execute("update alarm_looks set worker_heard_at = now() - interval '2 min'")
    assert await look_now() == [("worker", "")]


async def find_a_worker() -> None:
    await workers.hear(uuid4(), "here:1")
    assert await look_now() == []


async def set_webhook(cast: Cast, receiver: Receiver) -> str:
    url = receiver.url.replace("localhost", "127.0.0.1")
    return await alarm_settings.save_webhook(await reader_for(cast.admin), url)


async def states(channel: str) -> list[tuple[str, str]]:
    rows = await database.fetch("select told, state from alarm_deliveries where channel = $1 order by id", channel)
    return [(row["told"], row["state"]) for row in rows]


async def hurry() -> None:
    await database.execute("update alarm_deliveries set next_attempt_at = now() where state = 'waiting'")


async def test_admins_get_one_mail_per_episode_opened_and_one_per_episode_ended(cast: Cast, inbox: Inbox) -> None:
    await lose_the_worker()
    await asyncio.gather(send_due(), send_due(), send_due())
    await look_now()
    assert await send_due() == 0
    await find_a_worker()
    assert await send_due() == 1
    assert [message["To"] for message in inbox.messages] == [cast.admin.email] * 2
    opened, resolved = (message.get_content() for message in inbox.messages)
    assert inbox.messages[0]["Subject"] == "Sideline: No worker is heard"
    assert "Start one: bin/sideline worker" in opened and "/admin/alarms" in opened
    assert resolved.startswith("Resolved: No worker is heard")
    assert await states("mail") == [("opened", "sent"), ("resolved", "sent")]


async def test_several_at_once_are_one_mail(cast: Cast, inbox: Inbox) -> None:
    await lose_the_worker()
    await find_a_worker()
    while await send_due():
        pass
    assert len(inbox.messages) == 2
    await database.execute(
        """insert into job_schedules (name, kind, cron, next_run_at)
           select n, n, '15 3 * * *', now() - interval '1 h' from unnest(array['a', 'b', 'c']) n"""
    )
    await look_now()
    await send_due()
    assert len(inbox.messages) == 3 and inbox.messages[2]["Subject"] == "Sideline: 3 changes of alarms"


async def test_who_does_not_want_mail_gets_none_and_the_log_says_why(cast: Cast, inbox: Inbox) -> None:
    other = await make_user(cast.organization_id, "admin", "Otto Other")
    third = await make_user(cast.organization_id, "admin", "Tina Third")
    await database.execute("insert into notification_preferences (user_id, mail) values ($1, 'off')", third.id)
    await alarm_settings.choose_mailed(await reader_for(cast.admin), [cast.admin.id, third.id])
    await lose_the_worker()
    await send_due()
    assert [message["To"] for message in inbox.messages] == [cast.admin.email]
    rows = await database.fetch("select user_id, state, reason from alarm_deliveries")
    assert {row["user_id"]: (row["state"], row["reason"]) for row in rows} == {
        cast.admin.id: ("sent", None), other.id: ("suppressed", "does not want mail about alarms"),
        third.id: ("suppressed", "switched off in the preferences"),
    }


async def test_a_mail_that_is_not_taken_is_tried_again_and_given_up_in_the_end(cast: Cast, inbox: Inbox) -> None:
    inbox.answer = "451 later"
    await lose_the_worker()
    assert await send_due() == 1 and await send_due() == 0
    assert await states("mail") == [("opened", "waiting")]
    inbox.answer = "250 OK"
    await hurry()
    await send_due()
    assert await states("mail") == [("opened", "sent")] and len(inbox.messages) == 1
    inbox.answer = "550 no"
    await find_a_worker()
    for _ in range(ATTEMPTS):
        await hurry()
        await send_due()
    assert await states("mail") == [("opened", "sent"), ("resolved", "failed")]


async def test_the_webhook_gets_one_signed_message_per_change(cast: Cast, receiver: Receiver) -> None:
    secret = await set_webhook(cast, receiver)
    await lose_the_worker()
    await asyncio.gather(send_due(), send_due())
    await find_a_worker()
    await send_due()
    assert [json.loads(body)["event"] for _, body in receiver.requests] == ["opened", "resolved"]
    headers, body = receiver.requests[0]
    told = json.loads(body)
    assert told["alarm"]["cause"] == "worker" and told["alarm"]["resolved_at"] is None and told["url"]
    signed = f"{headers['x-sideline-timestamp']}.".encode() + body
    expected = hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
    assert headers["x-sideline-signature"] == f"sha256={expected}"
    assert headers["x-sideline-delivery"] == str(told["id"])
    assert await states("webhook") == [("opened", "sent"), ("resolved", "sent")]


async def test_a_webhook_that_fails_is_tried_again_in_order(cast: Cast, receiver: Receiver) -> None:
    await set_webhook(cast, receiver)
    receiver.statuses = [500]
    await lose_the_worker()
    await send_due()
    await find_a_worker()
    await send_due()
    assert len(receiver.requests) == 1, "the end of an episode is not told before its beginning"
    await hurry()
    await send_due()
    await send_due()
    assert [json.loads(body)["event"] for _, body in receiver.requests] == ["opened", "opened", "resolved"]


async def test_a_message_of_a_process_that_died_is_sent_by_another(cast: Cast, receiver: Receiver) -> None:
    await set_webhook(cast, receiver)
    await lose_the_worker()
    await database.execute(
        "update alarm_deliveries set attempts = 1, next_attempt_at = clock_timestamp() + interval '60 s'"
    )
    assert await send_due() == 0
    await hurry()
    await send_due()
    assert len(receiver.requests) == 1


async def test_the_address_and_its_secret_are_kept_encrypted(cast: Cast, receiver: Receiver) -> None:
    secret = await set_webhook(cast, receiver)
    row = await database.fetchrow("select webhook_url, webhook_secret from alarm_settings")
    assert row and "127.0.0.1" not in row["webhook_url"] and secret not in row["webhook_secret"]
    audited = await database.fetchval("select after::text from audit_log where action = 'alarms.webhook_set'")
    assert "127.0.0.1" in audited and "key=1" not in audited and secret not in audited


async def test_a_removed_webhook_gets_nothing_more(cast: Cast, receiver: Receiver) -> None:
    await set_webhook(cast, receiver)
    await lose_the_worker()
    await alarm_settings.remove_webhook(await reader_for(cast.admin))
    await send_due()
    assert receiver.requests == [] and await states("webhook") == [("opened", "suppressed")]


async def test_an_address_that_leads_inside_later_is_refused_at_the_connection(
    cast: Cast, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    await set_webhook(cast, receiver)
    monkeypatch.setattr(webhook, "GUARD", Guard(frozenset({"http"})))
    await lose_the_worker()
    await send_due()
    assert receiver.requests == []
    reason = await database.fetchval("select reason from alarm_deliveries where channel = 'webhook'")
    assert "not on the public internet" in reason


async def test_a_test_is_sent_at_once_audited_and_once_a_minute(cast: Cast, receiver: Receiver) -> None:
    reader = await reader_for(cast.admin)
    with pytest.raises(NoWebhook):
        await send_test(reader)
    await set_webhook(cast, receiver)
    receiver.statuses = [200, 503]
    await send_test(reader)
    assert json.loads(receiver.requests[0][1])["event"] == "test"
    with pytest.raises(TooSoon):
        await send_test(reader)
    await database.execute("update alarm_settings set tested_at = now() - interval '61 s'")
    with pytest.raises(BadWebhook, match="503"):
        await send_test(reader)
    assert await states("webhook") == [("test", "sent"), ("test", "failed")]
    assert await database.fetchval("select count(*) from audit_log where action = 'alarms.webhook_tested'") == 2
