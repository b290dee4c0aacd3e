"""Mail about what a person should act on: at most one per person and look, only when there is something, and logged.

A notice is mailed once. What a server surely has not taken is tried again; where nobody can know, it is not.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

import aiosmtplib
import asyncpg
import structlog

from app import database
from app.domain import digests
from app.domain.alert_rules import Rule
from app.domain.digests import Mail, ViewChange
from app.services import mail, notices
from app.services.job_runs import Claim, keep
from app.services.notification_preferences import COLUMNS, preferences_of, unsubscribe_url
from app.settings import get_settings

ATTEMPTS = 5
UNCLEAR = "the worker or the connection was lost in the middle; it may have been sent"
NOT_TAKEN = (
    aiosmtplib.SMTPConnectError, aiosmtplib.SMTPConnectTimeoutError, aiosmtplib.SMTPResponseException,
    aiosmtplib.SMTPRecipientsRefused, OSError,
)
"""After these the server has surely not taken the mail."""

log = structlog.get_logger(__name__)

_WHO_WAITS = f"""
select u.id, u.email, now() as now, coalesce(u.time_zone, (
    select o.time_zone from organization_members m join organizations o on o.id = m.organization_id
    where m.user_id = u.id order by m.created_at limit 1), 'UTC') as zone, {COLUMNS}
from users u left join notification_preferences p on p.user_id = u.id
where u.disabled_at is null and u.email is not null
    and exists (select from notifications n where n.user_id = u.id and n.mail_state = 'waiting')
order by u.id
"""  # noqa: S608

# What is settled already by the time of the mail is not worth one.
_TAKE = """
with due as (
    select n.id, a.rule, n.kind, v.id as view_id, v.name as view_name, v.path, v.query,
        case when n.read_at is not null then 'read before it was mailed'
            when a.state = 'resolved' then 'resolved before it was mailed'
            when a.state = 'unknown' then 'our data became too old before it was mailed'
            when a.snoozed_until > now() then 'put aside before it was mailed' end as reason
    from notifications n left join alerts a on a.id = n.alert_id left join saved_views v on v.id = n.saved_view_id
    where n.user_id = $1 and n.mail_state = 'waiting' and n.at <= $2 for update of n
)
update notifications n set mail_run_id = $3, mail_reason = due.reason,
    mail_state = case when due.reason is null then 'sending' else 'suppressed' end
from due where due.id = n.id
returning n.mail_state, due.rule, due.kind, due.view_id, due.view_name, due.path, due.query
"""

_SENT = """
update notifications set mail_state = 'sent', mailed_at = now(), mail_attempts = mail_attempts + 1
where user_id = $1 and mail_run_id = $2 and mail_state = 'sending'
"""
_NOT_SENT = f"""
update notifications set mail_attempts = mail_attempts + 1, mail_reason = $3, mail_run_id = null,
    mail_state = case when $4 or mail_attempts + 1 >= {ATTEMPTS} then 'failed' else 'waiting' end
where user_id = $1 and mail_run_id = $2 and mail_state = 'sending'
"""  # noqa: S608
# Of another run that is over, or of this one before it was taken up again.
_LOST = """
update notifications n set mail_state = 'failed', mail_reason = $2
where mail_state = 'sending' and not exists (
    select from job_runs r where r.id = n.mail_run_id and r.id <> $1 and r.state = 'running')
"""


class TooSoon(Exception):
    """The last test mail was asked for less than a minute ago."""


class NoAddress(Exception):
    """There is no address to send to."""


@dataclass(slots=True)
class Mailed:
    """`notices`: how many of them the mails were about; `suppressed`: settled by themselves before."""

    mails: int = 0
    notices: int = 0
    suppressed: int = 0
    failed: int = 0

    def as_counts(self) -> dict[str, int]:
        return {name: getattr(self, name) for name in Mailed.__dataclass_fields__}


async def send_due(claim: Claim) -> Mailed:
    mailed = Mailed()
    await database.execute(_LOST, claim.run_id, UNCLEAR)
    for row in await database.fetch(_WHO_WAITS):
        until = digests.mailed_until(preferences_of(row), row["now"].astimezone(ZoneInfo(row["zone"])))
        if until:
            await _mail(claim, row["id"], row["email"], until, mailed)
    return mailed


async def _mail(claim: Claim, user_id: UUID, address: str, until: datetime, mailed: Mailed) -> None:
    async with database.transaction():
        await keep(claim)
        taken = await database.fetch(_TAKE, user_id, until, claim.run_id)
    due = [row for row in taken if row["mail_state"] == "sending"]
    mailed.suppressed += len(taken) - len(due)
    if not due:
        return
    link = unsubscribe_url(user_id)
    failure = await _try(address, _composed(due, link), {
        "List-Unsubscribe": f"<{link}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    })
    if failure is None:
        await database.execute(_SENT, user_id, claim.run_id)
        mailed.mails, mailed.notices = mailed.mails + 1, mailed.notices + len(due)
    else:
        await database.execute(_NOT_SENT, user_id, claim.run_id, *failure)
        mailed.failed += 1


def _composed(due: Sequence[asyncpg.Record], link: str) -> Mail:
    alerts = Counter(Rule(row["rule"]) for row in due if row["rule"])
    changes = Counter((row["view_id"], row["kind"]) for row in due if row["view_id"])
    views = {row["view_id"]: row for row in due if row["view_id"]}
    return digests.compose(
        alerts, [
            ViewChange(
                row["view_name"], f"{row['path']}?{row['query']}" if row["query"] else row["path"],
                changes[view_id, notices.ENTERED], changes[view_id, notices.LEFT],
            ) for view_id, row in views.items()
        ], base_url=get_settings().base_url, unsubscribe_url=link,
    )


async def _try(address: str, content: Mail, headers: dict[str, str] | None = None) -> tuple[str, bool] | None:
    """None when it was sent; else why not, and whether it must not be tried again. Names nobody."""
    try:
        await mail.send(address, content.subject, content.text, headers=headers)
    except NOT_TAKEN as error:
        log.warning("mail not taken", error_class=type(error).__name__)
        return f"the mail server did not take it ({type(error).__name__})", False
    except aiosmtplib.SMTPException as error:
        log.warning("mail unclear", error_class=type(error).__name__)
        return UNCLEAR, True
    return None


async def send_test(user_id: UUID) -> str:
    """One mail at once, with its twin on the page; answers '' or why it was not sent. Raises TooSoon or NoAddress."""
    async with database.transaction():
        address = await database.fetchval("select email from users where id = $1", user_id)
        if not address:
            raise NoAddress
        if not await database.execute(
            """insert into notification_preferences (user_id, test_mail_at) values ($1, now())
               on conflict (user_id) do update set test_mail_at = now()
               where coalesce(notification_preferences.test_mail_at < now() - interval '1 minute', true)""",
            user_id,
        ):
            raise TooSoon
        notice_id = await notices.tell_of_a_test(user_id)
    text = f"This is the test mail that you asked for on {get_settings().base_url}/notifications\n"
    failure = await _try(address, Mail("Sideline: a test", text))
    await database.execute(
        """update notifications set mail_state = $2::text, mail_reason = $3,
               mailed_at = case when $2::text = 'sent' then now() end, mail_attempts = 1 where id = $1""",
        notice_id, "failed" if failure else "sent", failure[0] if failure else None,
    )
    return failure[0] if failure else ""
