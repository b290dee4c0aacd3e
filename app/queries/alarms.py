"""Alarms as their page lists them, and who is told of them. For admins."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from app import database
from app.domain.alarm_rules import CAUSES, Cause, Words
from app.domain.job_words import kind_title

PAGE_SIZE = 50
SHOWN_DELIVERIES = 30


@dataclass(frozen=True, slots=True)
class Row:
    """`sent`, `waiting` and `failed` count the messages about it."""

    id: UUID
    cause: Cause
    subject: str
    reason: str
    since: datetime
    resolved_at: datetime | None
    is_flapping: bool
    sent: int
    waiting: int
    failed: int

    @property
    def words(self) -> Words:
        return CAUSES[self.cause]

    @property
    def kind_title(self) -> str:
        return kind_title(self.subject)


@dataclass(frozen=True, slots=True)
class Page:
    """`looked_at`: when anybody looked last. `open` and `resolved` count what the filter leaves."""

    rows: tuple[Row, ...]
    total: int
    open: int
    resolved: int
    looked_at: datetime | None


@dataclass(frozen=True, slots=True)
class Admin:
    """`is_off`: they have switched all mail off for themselves."""

    id: UUID
    name: str
    email: str | None
    is_mailed: bool
    is_off: bool


@dataclass(frozen=True, slots=True)
class Delivery:
    created_at: datetime
    title: str
    told: str
    channel: str
    name: str
    state: str
    reason: str | None


_ROWS = """
select a.id, a.cause, a.subject, a.reason, a.since, a.resolved_at, a.flapping_since is not null as is_flapping,
    d.sent, d.waiting, d.failed
from (
    select * from alarms where (resolved_at is null) = $1 and ($2 = '' or cause = $2)
    order by opened_at desc, id desc limit $3 offset $4
) a cross join lateral (
    select (count(*) filter (where state = 'sent'))::int as sent,
        (count(*) filter (where state = 'waiting'))::int as waiting,
        (count(*) filter (where state = 'failed'))::int as failed
    from alarm_deliveries where alarm_id = a.id
) d order by a.opened_at desc, a.id desc
"""


async def list_alarms(*, is_open: bool, cause: str, page: int) -> Page:
    rows = await database.fetch(_ROWS, is_open, cause, PAGE_SIZE, (page - 1) * PAGE_SIZE)
    counts = await database.fetchrow(
        """select count(*) filter (where resolved_at is null)::int as open,
               count(*) filter (where resolved_at is not null)::int as resolved,
               (select looked_at from alarm_looks) as looked_at
           from alarms where $1 = '' or cause = $1""",
        cause,
    )
    assert counts
    return Page(
        tuple(Row(**{**row, "cause": Cause(row["cause"])}) for row in rows),
        counts["open"] if is_open else counts["resolved"], counts["open"], counts["resolved"], counts["looked_at"],
    )


async def list_admins() -> tuple[Admin, ...]:
    rows = await database.fetch(
        """select u.id, u.email, coalesce(nullif(u.display_name, ''), trim(u.first_name || ' ' || u.last_name)) as name,
               u.id::text <> all(coalesce(s.unmailed, '{}')) as is_mailed, coalesce(p.mail = 'off', false) as is_off
           from users u left join alarm_settings s on true left join notification_preferences p on p.user_id = u.id
           where u.role = 'admin' and u.disabled_at is null order by 3, 1"""
    )
    return tuple(Admin(**row) for row in rows)


async def list_deliveries() -> tuple[Delivery, ...]:
    """The latest first."""
    rows = await database.fetch(
        """select d.created_at, coalesce(a.cause, '') as cause, d.told, d.channel, d.state, d.reason,
               coalesce(nullif(u.display_name, ''), trim(u.first_name || ' ' || u.last_name), '') as name
           from alarm_deliveries d left join alarms a on a.id = d.alarm_id left join users u on u.id = d.user_id
           order by d.id desc limit $1""",
        SHOWN_DELIVERIES,
    )
    return tuple(
        Delivery(
            row["created_at"], CAUSES[Cause(row["cause"])].title if row["cause"] else "A test", row["told"],
            row["channel"], row["name"], row["state"], row["reason"],
        ) for row in rows
    )
