"""Telling the admins of alarms: by mail and to the webhook, once each per episode opened and once per episode ended.

A message is a row in the transaction of what it tells. Whoever looks for alarms sends what is due, worker or web
process, so that a message about a missing worker does not wait for one. A row is taken with a lease: what a process
had in its hands when it died is sent by another. What this page shows is every message's twin.
"""

import json
import time
from collections.abc import Sequence
from datetime import datetime
from itertools import groupby
from typing import Any
from uuid import UUID

import asyncpg
import structlog

from app import database
from app.domain import alarm_mail
from app.domain.alarm_mail import Message
from app.domain.alarm_rules import CAUSES, Cause
from app.domain.readers import Reader
from app.integrations import webhook
from app.integrations.webhook import WebhookFailed, WebhookRefused
from app.services import alarm_settings, mail
from app.services.alarm_settings import BadWebhook
from app.settings import get_settings
from app.tables.alarms import Told

ATTEMPTS = 8
LEASE_SECONDS = 60
FIRST_WAIT_SECONDS = 30
LONGEST_WAIT_SECONDS = 3600
AT_ONCE = 50
NO_MAIL = "does not want mail about alarms"
MAIL_OFF = "switched off in the preferences"
NO_WEBHOOK = "the webhook was removed"

log = structlog.get_logger(__name__)

# One that flaps is told as such once, however long it goes on.
_ADD = """
with told as (
    select id, case when $2 = 'flapping' then 0 else openings end as opening from alarms where id = any($1::uuid[])
), receivers as (
    select 'mail' as channel, u.id as user_id, u.id::text as receiver,
        case when u.id::text = any(coalesce(s.unmailed, '{}')) then $3::text
            when p.mail = 'off' then $4::text end as why
    from users u left join alarm_settings s on true left join notification_preferences p on p.user_id = u.id
    where u.role = 'admin' and u.disabled_at is null and u.email is not null
    union all
    select 'webhook', null, '', null from alarm_settings where webhook_url <> ''
)
insert into alarm_deliveries (alarm_id, told, opening, channel, user_id, receiver, state, reason)
select t.id, $2, t.opening, r.channel, r.user_id, r.receiver,
    case when r.why is null then 'waiting' else 'suppressed' end, r.why
from told t cross join receivers r
on conflict (alarm_id, told, opening, channel, receiver) do nothing
"""

# In the order in which things happened, for each receiver of each alarm.
_TAKE = """
with due as (
    select id from alarm_deliveries d
    where state = 'waiting' and next_attempt_at <= clock_timestamp() and not exists (
        select from alarm_deliveries e where e.alarm_id = d.alarm_id and e.channel = d.channel
            and e.receiver = d.receiver and e.id < d.id and e.state = 'waiting')
    order by id limit $1 for update skip locked
)
update alarm_deliveries d set attempts = attempts + 1,
    next_attempt_at = clock_timestamp() + make_interval(secs => $2)
from due where due.id = d.id
returning d.id, d.alarm_id, d.told, d.channel, d.user_id, d.attempts,
    (select email from users u where u.id = d.user_id and u.disabled_at is null) as email
"""
_ABOUT = """
select d.id, d.told, a.id as alarm_id, a.cause, a.subject, a.reason, a.since, a.opened_at, a.resolved_at
from alarm_deliveries d join alarms a on a.id = d.alarm_id where d.id = any($1::bigint[]) order by d.id
"""
_END = """
update alarm_deliveries set state = $2, reason = $3, finished_at = clock_timestamp()
where id = any($1::bigint[]) and state = 'waiting'
"""
_AGAIN = """
update alarm_deliveries set reason = $2,
    state = case when attempts >= $3 then 'failed' else 'waiting' end,
    finished_at = case when attempts >= $3 then clock_timestamp() end,
    next_attempt_at = clock_timestamp()
        + make_interval(secs => least($4 * 2 ^ (attempts - 1), $5) * (0.5 + random() / 2))
where id = any($1::bigint[]) and state = 'waiting'
"""


async def add(told: Told, alarm_ids: Sequence[UUID]) -> None:
    """Inside the transaction of what is told."""
    await database.execute(_ADD, list(alarm_ids), told.value, NO_MAIL, MAIL_OFF)


async def send_due() -> int:
    """How many messages were tried."""
    taken = await database.fetch(_TAKE, AT_ONCE, float(LEASE_SECONDS))
    about = {row["id"]: row for row in await database.fetch(_ABOUT, [row["id"] for row in taken])} if taken else {}
    mails = sorted((row for row in taken if row["channel"] == "mail"), key=lambda row: str(row["user_id"]))
    for _user_id, rows in groupby(mails, key=lambda row: row["user_id"]):
        await _mail(list(rows), about)
    for row in taken:
        if row["channel"] == "webhook":
            await _post(row["id"], about[row["id"]])
    return len(taken)


async def _mail(rows: list[asyncpg.Record], about: dict[int, asyncpg.Record]) -> None:
    """All that is due for one person in one mail."""
    ids, address = [row["id"] for row in rows], rows[0]["email"]
    if not address:
        await database.execute(_END, ids, "suppressed", "there is no e-mail address any more")
        return
    content = alarm_mail.compose([_message(about[each]) for each in ids], base_url=get_settings().base_url)
    try:
        await mail.send(address, content.subject, content.text)
    except Exception as error:
        log.warning("alarm mail not sent", error_class=type(error).__name__)
        await _again(ids, f"the mail server did not take it ({type(error).__name__})")
    else:
        await database.execute(_END, ids, "sent", None)


def _message(row: asyncpg.Record) -> Message:
    return Message(row["told"], Cause(row["cause"]), row["reason"], row["since"], row["resolved_at"])


async def _post(delivery_id: int, row: asyncpg.Record) -> None:
    target = await alarm_settings.webhook_target()
    if target is None:
        await database.execute(_END, [delivery_id], "suppressed", NO_WEBHOOK)
        return
    try:
        await post_to(target, delivery_id, row["told"], _as_json(row))
    except (WebhookFailed, WebhookRefused) as error:
        await _again([delivery_id], str(error))
    else:
        await database.execute(_END, [delivery_id], "sent", None)


async def post_to(
    target: alarm_settings.Target, delivery_id: int, told: str, alarm: dict[str, Any] | None
) -> None:
    """Raises WebhookFailed or WebhookRefused. A receiver that gets the same id again has had it already."""
    timestamp = int(time.time())
    url = f"{get_settings().base_url}/admin/alarms"
    body = json.dumps({"id": delivery_id, "event": told, "alarm": alarm, "url": url}).encode()
    await webhook.post(target.url, body, {
        "Content-Type": "application/json", "User-Agent": "Sideline", "X-Sideline-Delivery": str(delivery_id),
        "X-Sideline-Timestamp": str(timestamp),
        "X-Sideline-Signature": f"sha256={webhook.signature(target.secret, timestamp, body)}",
    })


def _as_json(row: asyncpg.Record) -> dict[str, Any]:
    return {
        "id": str(row["alarm_id"]), "cause": row["cause"], "subject": row["subject"],
        "title": CAUSES[Cause(row["cause"])].title, "reason": row["reason"], "since": _iso(row["since"]),
        "opened_at": _iso(row["opened_at"]), "resolved_at": _iso(row["resolved_at"]),
    }


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


async def _again(ids: list[int], reason: str) -> None:
    await database.execute(
        _AGAIN, ids, reason, ATTEMPTS, float(FIRST_WAIT_SECONDS), float(LONGEST_WAIT_SECONDS)
    )


async def send_test(reader: Reader) -> None:
    """At once, with its row in the log. Raises NoWebhook, TooSoon or BadWebhook."""
    target = await alarm_settings.begin_test(reader)
    delivery_id = await database.fetchval(
        """insert into alarm_deliveries (told, channel, receiver, state, attempts, finished_at)
           values ('test', 'webhook', gen_random_uuid()::text, 'failed', 1, clock_timestamp()) returning id"""
    )
    try:
        await post_to(target, delivery_id, Told.TEST, None)
    except (WebhookFailed, WebhookRefused) as error:
        await database.execute("update alarm_deliveries set reason = $2 where id = $1", delivery_id, str(error))
        raise BadWebhook(str(error)) from None
    await database.execute("update alarm_deliveries set state = 'sent' where id = $1", delivery_id)
