"""The breaks of an organization's season, which its admins set."""

import json
from datetime import date
from typing import Any
from uuid import UUID

from app import database
from app.domain.readers import Reader
from app.security import audit

MAX_NAME_CHARACTERS = 80
MAX_DAYS = 366
EARLIEST_YEAR, LATEST_YEAR = 2000, 2100


class NotFound(Exception):
    """There is no such break or organization, or the reader is not its admin."""


class CalendarError(Exception):
    """The text says what is wrong and what to do; `field` names where."""

    def __init__(self, text: str, field: str) -> None:
        super().__init__(text)
        self.field = field


async def add_break(
    reader: Reader, organization_id: UUID, *, name: str, first_day: date | None, last_day: date | None
) -> UUID:
    """Added twice it is there once. Raises NotFound or CalendarError."""
    _must_be_admin(reader, organization_id)
    words = " ".join(name.split())
    if not words or len(words) > MAX_NAME_CHARACTERS or not words.isprintable():
        raise CalendarError(f"A break's name has 1 to {MAX_NAME_CHARACTERS} printable characters.", "name")
    first, last = _day(first_day, "first_day"), _day(last_day, "last_day")
    if not 0 <= (last - first).days < MAX_DAYS:
        raise CalendarError(f"A break ends on its first day or later, and lasts {MAX_DAYS} days at most.", "last_day")
    facts = {"name": words, "first_day": first.isoformat(), "last_day": last.isoformat()}
    async with database.transaction():
        if known := await _known(organization_id, words, first, last):
            return known
        break_id: UUID = await database.fetchval(
            "insert into calendar_breaks (organization_id, name, first_day, last_day) values ($1, $2, $3, $4)"
            " returning id",
            organization_id, words, first, last,
        )
        await _remember("calendar.break_added", reader, organization_id, break_id, after=facts)
    return break_id


async def remove_break(reader: Reader, organization_id: UUID, break_id: UUID) -> None:
    """Raises NotFound."""
    _must_be_admin(reader, organization_id)
    async with database.transaction():
        row = await database.fetchrow(
            """delete from calendar_breaks where id = $1 and organization_id = $2
               returning name, first_day::text, last_day::text""",
            break_id, organization_id,
        )
        if row is None:
            raise NotFound
        await _remember("calendar.break_removed", reader, organization_id, break_id, before=dict(row))


async def _known(organization_id: UUID, name: str, first: date, last: date) -> UUID | None:
    """Of two who add the same one at a time, the second waits for the first."""
    await database.execute("select from organizations where id = $1 for no key update", organization_id)
    found: UUID | None = await database.fetchval(
        """select id from calendar_breaks
           where organization_id = $1 and name = $2 and first_day = $3 and last_day = $4""",
        organization_id, name, first, last,
    )
    return found


def _must_be_admin(reader: Reader, organization_id: UUID) -> None:
    if not reader.is_admin or organization_id not in reader.organization_ids:
        raise NotFound


def _day(day: date | None, field: str) -> date:
    if day is None or not EARLIEST_YEAR <= day.year <= LATEST_YEAR:
        raise CalendarError("Choose a day.", field)
    return day


async def _remember(
    action: str, reader: Reader, organization_id: UUID, break_id: UUID, *,
    before: dict[str, Any] | None = None, after: dict[str, Any] | None = None,
) -> None:
    await audit.record(
        action, actor=reader, subject_type="calendar_break", subject_id=break_id, before=before, after=after,
        organization_id=organization_id,
    )
    await database.execute(
        "insert into activity_events (organization_id, kind, user_id, details) values ($1, $2, $3, $4::jsonb)",
        organization_id, action.replace(".", "_"), reader.user_id, json.dumps(after or before),
    )
