"""What a person does to a schedule. Each change is guarded by the version that the person saw, and audited with it."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg

from app import database
from app.domain.readers import Reader
from app.queue import Enqueued, UnknownKind, enqueue, find_kind, parse_payload
from app.security import audit
from app.services.cron import next_slot
from app.services.schedules import ZONE, current_built_ins, database_time
from app.tables.jobs import Trigger

LONGEST_NAME, LONGEST_REASON = 80, 300
NAME = re.compile(r"[^\x00-\x1f\x7f]+")
SEEN = ("name", "payload", "cron", "zone")


class NotFound(Exception):
    pass


class ScheduleError(Exception):
    """The text is for the reader; `field` is the form's field that it is about, or empty."""

    def __init__(self, message: str, field: str = "") -> None:
        super().__init__(message)
        self.field = field


class ChangedMeanwhile(ScheduleError):
    def __init__(self) -> None:
        super().__init__("Somebody else changed this schedule since you opened it.")


@dataclass(frozen=True, slots=True)
class Wish:
    """What a schedule should be. A built-in one keeps its name and kind."""

    name: str
    kind: str
    payload: Mapping[str, Any]
    cron: str
    zone: str


async def create(reader: Reader, wish: Wish) -> UUID:
    """Raises BadCron, BadPayload or ScheduleError."""
    name, payload = _named(wish.name), _checked(wish)
    next_run_at = next_slot(wish.cron, wish.zone, await database_time())
    async with database.transaction():
        schedule_id = await database.fetchval(
            """insert into job_schedules (name, kind, payload, cron, zone, next_run_at, changed_by, changed_at)
               values ($1, $2, $3::jsonb, $4, $5, $6, $7, clock_timestamp())
               on conflict (name) do nothing returning id""",
            name, wish.kind, json.dumps(payload), wish.cron, wish.zone, next_run_at, reader.user_id,
        )
        if schedule_id is None:
            raise ScheduleError("Another schedule has this name.", "name")
        after = {"name": name, "kind": wish.kind, "payload": payload, "cron": wish.cron, "zone": wish.zone}
        await _remember("schedule.create", reader, name, after=after)
    return UUID(str(schedule_id))


async def save(reader: Reader, schedule_id: UUID, version: int, wish: Wish) -> None:
    """Raises NotFound, ChangedMeanwhile, BadCron, BadPayload or ScheduleError."""
    async with database.transaction():
        before = await _seen(schedule_id, version)
        wish = Wish(before["name"] if before["is_built_in"] else _named(wish.name), before["kind"], wish.payload,
                    wish.cron, wish.zone)
        after = {"name": wish.name, "payload": _checked(wish), "cron": wish.cron, "zone": wish.zone}
        next_run_at = next_slot(wish.cron, wish.zone, await database_time())
        if after == _values(before):
            return
        await _write(reader, schedule_id, after, next_run_at, is_changed=before["is_built_in"])
        await _remember("schedule.change", reader, before["name"], before=_values(before), after=after)


async def reset(reader: Reader, schedule_id: UUID, version: int) -> None:
    """Back to what it is by default; a pause stays. Raises NotFound, ChangedMeanwhile or ScheduleError."""
    crons = {built_in.kind: built_in.cron for built_in in await current_built_ins()}
    async with database.transaction():
        before = await _seen(schedule_id, version)
        if not before["is_built_in"] or before["name"] not in crons:
            raise ScheduleError("Only a built-in schedule has a default.")
        if not before["is_changed"]:
            raise ScheduleError("It is as it is by default.")
        after = {"name": before["name"], "payload": {}, "cron": crons[before["name"]], "zone": ZONE}
        next_run_at = next_slot(after["cron"], ZONE, await database_time())
        await _write(reader, schedule_id, after, next_run_at, is_changed=False)
        await _remember("schedule.reset", reader, before["name"], before=_values(before), after=after)


async def delete(reader: Reader, schedule_id: UUID, version: int) -> None:
    """Its runs stay. Raises NotFound, ChangedMeanwhile or ScheduleError."""
    async with database.transaction():
        before = await _seen(schedule_id, version)
        if before["is_built_in"]:
            raise ScheduleError("A built-in schedule cannot be deleted. Pause it instead.")
        await database.execute("delete from job_schedules where id = $1", schedule_id)
        await _remember("schedule.delete", reader, before["name"], before=_values(before))


async def pause(reader: Reader, schedule_id: UUID, reason: str) -> None:
    """Raises NotFound or ScheduleError."""
    reason = " ".join(reason.replace("\0", "").split())
    if not reason or len(reason) > LONGEST_REASON:
        raise ScheduleError(f"Say why it is paused, in at most {LONGEST_REASON} characters.", "reason")
    async with database.transaction():
        name = await database.fetchval(
            """update job_schedules set enabled = false, pause_reason = $2, paused_by = $3, version = version + 1,
                   paused_at = clock_timestamp() where id = $1 and enabled returning name""",
            schedule_id, reason, reader.user_id,
        )
        if name is None:
            raise await _refusal(schedule_id, "It is paused already.")
        await _remember("schedule.pause", reader, name, before={"enabled": True},
                        after={"enabled": False, "reason": reason})


async def resume(reader: Reader, schedule_id: UUID) -> None:
    """Goes on with the next slot: what passed during the pause is not made up for. Raises NotFound, ScheduleError or
    BadCron."""
    async with database.transaction():
        before = await database.fetchrow("select * from job_schedules where id = $1 for update", schedule_id)
        if before is None or before["enabled"]:
            raise await _refusal(schedule_id, "It is not paused.")
        await database.execute(
            """update job_schedules set enabled = true, pause_reason = '', paused_by = null, paused_at = null,
                   version = version + 1, next_run_at = $2 where id = $1""",
            schedule_id, next_slot(before["cron"], before["zone"], await database_time()),
        )
        await _remember("schedule.resume", reader, before["name"],
                        before={"enabled": False, "reason": before["pause_reason"]}, after={"enabled": True})


async def run_now(reader: Reader, schedule_id: UUID) -> Enqueued:
    """Its next slot stays. Raises NotFound, FeatureOff, BadPayload or ScheduleError."""
    async with database.transaction():
        schedule = await database.fetchrow("select name, kind, payload from job_schedules where id = $1", schedule_id)
        if schedule is None:
            raise NotFound
        try:
            asked = await enqueue(
                schedule["kind"], json.loads(schedule["payload"]), trigger=Trigger.USER, triggered_by=reader.user_id,
                schedule_id=schedule_id,
            )
        except UnknownKind as error:
            raise ScheduleError(str(error)) from None
        await _remember("schedule.run", reader, schedule["name"], after={"run_id": asked.run_id, "new": asked.is_new})
    return asked


async def defaults() -> dict[str, str]:
    """The expression of each built-in schedule under today's settings, by name."""
    return {built_in.kind: built_in.cron for built_in in await current_built_ins()}


def _named(name: str) -> str:
    name = " ".join(name.split())
    if not name or len(name) > LONGEST_NAME or not NAME.fullmatch(name):
        raise ScheduleError(f"A name has one to {LONGEST_NAME} characters.", "name")
    return name


def _checked(wish: Wish) -> dict[str, Any]:
    try:
        kind = find_kind(wish.kind)
    except UnknownKind:
        raise ScheduleError("Choose the work from the list.") from None
    return parse_payload(kind, dict(wish.payload)).canonical()


async def _seen(schedule_id: UUID, version: int) -> asyncpg.Record:
    """The row, locked, as the reader saw it."""
    row = await database.fetchrow("select * from job_schedules where id = $1 for update", schedule_id)
    if row is None:
        raise NotFound
    if row["version"] != version:
        raise ChangedMeanwhile
    return row


async def _refusal(schedule_id: UUID, otherwise: str) -> Exception:
    exists = await database.fetchval("select exists (select from job_schedules where id = $1)", schedule_id)
    return ScheduleError(otherwise) if exists else NotFound()


async def _write(
    reader: Reader, schedule_id: UUID, after: Mapping[str, Any], next_run_at: datetime, *, is_changed: bool
) -> None:
    try:
        await database.execute(
            """update job_schedules set name = $2, payload = $3::jsonb, cron = $4, zone = $5, next_run_at = $6,
                   is_changed = $7, changed_by = $8, changed_at = clock_timestamp(), version = version + 1
               where id = $1""",
            schedule_id, after["name"], json.dumps(after["payload"]), after["cron"], after["zone"], next_run_at,
            is_changed, reader.user_id,
        )
    except asyncpg.UniqueViolationError:
        raise ScheduleError("Another schedule has this name.", "name") from None


def _values(row: asyncpg.Record) -> dict[str, Any]:
    return {name: json.loads(row[name]) if name == "payload" else row[name] for name in SEEN}


async def _remember(
    action: str, reader: Reader, name: str, *, before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> None:
    await audit.record(action, actor=reader, subject_type="schedule", subject_id=name, before=before, after=after)
