"""How long a Flash CTF counts as practice, where an admin says something else than two hours."""

import json
from uuid import UUID

from app import database
from app.domain.practice_hours import EVENT_MINUTES, MOST_EVENT_MINUTES
from app.domain.readers import Reader
from app.security import audit

MAX_CHARACTERS = 200


class NotFound(Exception):
    """There is no such organization, or the reader is not its admin."""


class BadWindow(Exception):
    """A length that is refused; the text says why, `field` where in the form it belongs."""

    def __init__(self, text: str, field: str) -> None:
        super().__init__(text)
        self.text = text
        self.field = field


async def set_event_window(reader: Reader, organization_id: UUID, *, name: str, minutes: str) -> None:
    """For every Flash CTF of that name. Nothing in place of the minutes takes the length back."""
    if not reader.is_admin or organization_id not in reader.organization_ids:
        raise NotFound
    name, wanted = _name(name), _minutes(minutes)
    async with database.transaction():
        before = await database.fetchval(
            "select minutes from practice_event_windows where organization_id = $1 and lower(name) = lower($2) "
            "for update", organization_id, name,
        )
        if before == wanted:
            return
        await _store(organization_id, name, wanted)
        await _remember(reader, organization_id, name, before, wanted)


async def _store(organization_id: UUID, name: str, minutes: int | None) -> None:
    if minutes is None:
        await database.execute(
            "delete from practice_event_windows where organization_id = $1 and lower(name) = lower($2)",
            organization_id, name,
        )
        return
    await database.execute(
        """insert into practice_event_windows (organization_id, name, minutes) values ($1, $2, $3)
           on conflict (organization_id, lower(name)) do update set minutes = excluded.minutes, updated_at = now()""",
        organization_id, name, minutes,
    )


async def _remember(
    reader: Reader, organization_id: UUID, name: str, before: int | None, after: int | None
) -> None:
    await audit.record(
        "practice_window.set", actor=reader, subject_type="organization", subject_id=organization_id,
        before={"event": name, "minutes": before or EVENT_MINUTES},
        after={"event": name, "minutes": after or EVENT_MINUTES}, organization_id=organization_id,
    )
    await database.execute(
        "insert into activity_events (organization_id, kind, user_id, details) values ($1, $2, $3, $4::jsonb)",
        organization_id, "practice_window_set", reader.user_id, json.dumps({"event": name, "minutes": after}),
    )


def _name(text: str) -> str:
    name = text.strip()
    if not name or len(name) > MAX_CHARACTERS or not name.isprintable():
        raise BadWindow(f"Give the event's name, at most {MAX_CHARACTERS} characters.", "name")
    return name


def _minutes(text: str) -> int | None:
    digits = text.strip()
    if not digits:
        return None
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 5 and 1 <= int(digits) <= MOST_EVENT_MINUTES):
        raise BadWindow(
            f"Give whole minutes from 1 to {MOST_EVENT_MINUTES}, or nothing for {EVENT_MINUTES} minutes.", "minutes"
        )
    return int(digits)
