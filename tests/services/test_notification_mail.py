"""Mail to a real SMTP server: only when there is something to act on, once, and logged whatever comes of it."""

import asyncio
import email
import email.policy
import re
import socket
from collections.abc import Iterator
from email.message import EmailMessage
from typing import Any
from urllib.parse import unquote
from uuid import UUID

import pytest
from aiosmtpd.controller import Controller

from app import database
from app.services import job_runs, notification_mail, notification_preferences
from app.services.job_runs import Claim
from app.services.notification_mail import Mailed, NoAddress, TooSoon
from app.settings import get_settings
from tests.alerting import evaluate, make_player, play
from tests.cast import Cast, Person, make_cast
from tests.readers import reader_for
from tests.services.platform import claim_run


class Inbox:
    """What arrived; `answer` refuses instead."""

    def __init__(self) -> None:
        self.messages: list[EmailMessage] = []
        self.answer = "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        if self.answer.startswith("250"):
            message = email.message_from_bytes(envelope.content, policy=email.policy.default.clone(max_line_length=998))
            assert isinstance(message, EmailMessage)
            self.messages.append(message)
        return self.answer

    def of(self, person: Person) -> list[EmailMessage]:
        return [message for message in self.messages if message["To"] == person.email]


@pytest.fixture
def inbox(settings_changed: pytest.MonkeyPatch) -> Iterator[Inbox]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    inbox = Inbox()
    server = Controller(inbox, hostname="127.0.0.1", port=port)
    server.start()
    settings_changed.setenv("SMTP_URL", f"smtp://127.0.0.1:{port}")
    get_settings.cache_clear()
    yield inbox
    server.stop()


@pytest.fixture
async def cast() -> Cast:
    """Two of one coach and one of another have stopped; everybody wants mail within minutes, at any hour."""
    cast = await make_cast()
    for coach, name in ((cast.coach_a, "Ada Away"), (cast.coach_a, "Aron Absent"), (cast.coach_b, "Bea Secret")):
        await make_player(coach, name, accessed_days=30, solved_days=40)
    await wish(cast, "soon")
    await evaluate()
    return cast


async def wish(cast: Cast, mail: str, hour: int = 0) -> None:
    await database.execute(
        """insert into notification_preferences (user_id, mail, daily_hour, quiet_from_hour, quiet_until_hour)
           select unnest($1::uuid[]), $2, $3, 0, 0
           on conflict (user_id) do update set mail = excluded.mail, daily_hour = excluded.daily_hour""",
        [cast.coach_a.id, cast.coach_b.id], mail, hour,
    )


async def send() -> Mailed:
    return await notification_mail.send_due(await claim_run("notifications"))


async def states() -> set[str]:
    return {row["mail_state"] for row in await database.fetch("select mail_state from notifications")}


def text_of(message: EmailMessage) -> str:
    return str(message.get_content())


async def test_each_coach_gets_one_mail_that_counts_and_names_nobody(cast: Cast, inbox: Inbox) -> None:
    assert await send() == Mailed(mails=2, notices=3)
    (mine,), (other,) = inbox.of(cast.coach_a), inbox.of(cast.coach_b)
    assert mine["Subject"] == "Sideline: 2 to act on" and other["Subject"] == "Sideline: 1 to act on"
    assert "Inactive: 2" in text_of(mine) and f"{get_settings().base_url}/alerts?rule=inactive" in text_of(mine)
    assert not re.search("Ada|Away|Aron|Bea|Secret", mine.as_string())
    assert mine["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert await states() == {"sent"}


async def test_a_notice_is_mailed_once_and_nothing_to_say_is_no_mail(cast: Cast, inbox: Inbox) -> None:
    await send()
    assert await send() == Mailed() and len(inbox.messages) == 2


async def test_what_is_settled_before_the_mail_is_not_mailed(cast: Cast, inbox: Inbox) -> None:
    for name in ("Ada", "Aron"):
        await play(await database.fetchval("select id from competitors where first_name = $1", name))
    await evaluate()
    await database.execute("update alerts set snoozed_until = now() + interval '1 day' where state = 'open'")
    assert await send() == Mailed(suppressed=3) and inbox.messages == []
    reasons = {row["mail_reason"] for row in await database.fetch("select mail_reason from notifications")}
    assert reasons == {"resolved before it was mailed", "put aside before it was mailed"}


async def test_a_daily_mail_waits_for_its_hour_in_the_readers_zone(cast: Cast, inbox: Inbox) -> None:
    await database.execute("update users set time_zone = 'Pacific/Auckland'")
    hour = await database.fetchval("select extract(hour from now() at time zone 'Pacific/Auckland')::int")
    await wish(cast, "daily", (hour + 1) % 24)
    assert await send() == Mailed() and await states() == {"waiting"}
    await database.execute("update notifications set at = now() - interval '1 day'")
    assert (await send()).mails == 2


async def test_the_quiet_hours_are_kept(cast: Cast, inbox: Inbox) -> None:
    hour = await database.fetchval("select extract(hour from now() at time zone 'UTC')::int")
    await database.execute(
        "update notification_preferences set quiet_from_hour = $1, quiet_until_hour = $2", hour, (hour + 2) % 24
    )
    assert await send() == Mailed() and inbox.messages == []


async def test_a_refusal_is_tried_again_and_given_up_after_five(cast: Cast, inbox: Inbox) -> None:
    inbox.answer = "451 try later"
    for _ in range(4):
        assert (await send()).failed == 2
    assert await states() == {"waiting"}
    inbox.answer = "250 OK"
    assert (await send()).mails == 2 and await states() == {"sent"}


async def test_five_refusals_are_a_failure_that_the_log_shows(cast: Cast, inbox: Inbox) -> None:
    inbox.answer = "550 no such mailbox"
    for _ in range(6):
        await send()
    rows = await database.fetch("select mail_state, mail_attempts, mail_reason from notifications")
    assert {tuple(row) for row in rows} == {("failed", 5, "the mail server did not take it (SMTPDataError)")}
    assert await send() == Mailed()


async def test_after_a_lost_worker_nothing_is_sent_twice(cast: Cast, inbox: Inbox) -> None:
    lost = await claim_run("notifications")
    await database.execute(
        "update notifications set mail_state = 'sending', mail_run_id = $1 where user_id = $2",
        lost.run_id, cast.coach_a.id,
    )
    assert (await send()).mails == 1
    assert await states() == {"sending", "sent"}
    await database.execute("update job_runs set state = 'failed' where id = $1", lost.run_id)
    assert await send() == Mailed() and inbox.of(cast.coach_a) == []
    assert await states() == {"failed", "sent"}


async def test_a_run_that_lost_its_claim_sends_nothing(cast: Cast, inbox: Inbox) -> None:
    claim = await claim_run("notifications")
    with pytest.raises(job_runs.LeaseLost):
        await notification_mail.send_due(Claim(claim.run_id, claim.fence - 1))
    assert inbox.messages == [] and await states() == {"waiting"}


async def test_the_link_in_a_mail_ends_the_mail(cast: Cast, inbox: Inbox) -> None:
    await send()
    (message,) = inbox.of(cast.coach_a)
    (link,) = re.findall(r"^List-Unsubscribe: <(\S+)>\r?$", message.as_string(), re.MULTILINE)
    assert link in text_of(message)
    await notification_preferences.unsubscribe(unquote(link.partition("token=")[2]))
    assert (await notification_preferences.read(cast.coach_a.id)).mail == "off"
    await make_player(cast.coach_a, "Third Thorn", accessed_days=30, solved_days=40)
    await evaluate()
    assert await send() == Mailed() and len(inbox.of(cast.coach_a)) == 1


@pytest.mark.parametrize("token", ["", "x", "a.b", "12345678.AAAA", "\x00", "ä" * 50])
async def test_a_link_that_is_not_ours_changes_nothing(token: str) -> None:
    with pytest.raises(notification_preferences.BadLink):
        await notification_preferences.unsubscribe(token)


async def test_a_link_of_somebody_who_is_gone_is_a_bad_one() -> None:
    token = notification_preferences.unsubscribe_url(UUID(int=7)).partition("token=")[2]
    with pytest.raises(notification_preferences.BadLink):
        await notification_preferences.unsubscribe(unquote(token))


async def test_switching_mail_off_keeps_what_waits_from_being_sent(cast: Cast, inbox: Inbox) -> None:
    reader = await reader_for(cast.coach_a)
    await notification_preferences.save(
        reader, mail="daily", daily_hour="7", quiet_from_hour="20", quiet_until_hour="7", muted=["inactive"]
    )
    assert (await send()).mails == 1 and inbox.of(cast.coach_a) == []
    assert await states() == {"sent", "suppressed"}


async def test_a_test_mail_goes_at_once_and_not_twice_a_minute(cast: Cast, inbox: Inbox) -> None:
    assert await notification_mail.send_test(cast.coach_a.id) == ""
    assert [message["Subject"] for message in inbox.of(cast.coach_a)] == ["Sideline: a test"]
    with pytest.raises(TooSoon):
        await notification_mail.send_test(cast.coach_a.id)
    await database.execute("update users set email = null where id = $1", cast.coach_b.id)
    with pytest.raises(NoAddress):
        await notification_mail.send_test(cast.coach_b.id)


async def test_two_runs_at_once_send_one_mail_each_person(cast: Cast, inbox: Inbox) -> None:
    await asyncio.gather(send(), send())
    assert len(inbox.of(cast.coach_a)) == len(inbox.of(cast.coach_b)) == 1
