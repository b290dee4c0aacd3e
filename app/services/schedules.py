"""When work starts by itself: cron expressions in a time zone, whose due slots are claimed once, whoever looks."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from app import database
from app.domain.readers import Reader
from app.features import Feature, is_enabled_anywhere, read_flags
from app.queue import JOB_KINDS, BadPayload, JobKind, parse_payload, run_key
from app.security import audit
from app.services import job_runs
from app.services.cron import BadCron, next_slot
from app.tables.jobs import Trigger


class UnknownSchedule(Exception):
    def __init__(self, name: str) -> None:
        super().__init__(f"There is no schedule {name!r}.")


ZONE = "UTC"
"""Of the built-in schedules, until a person chooses another."""


@dataclass(frozen=True, slots=True)
class Started:
    task_type: str
    run_id: UUID


@dataclass(frozen=True, slots=True)
class BuiltIn:
    kind: str
    cron: str


@dataclass(frozen=True, slots=True)
class _Slot:
    """A schedule that is due, and the slot after the one it missed last."""

    schedule_id: UUID
    kind: JobKind
    wish: dict[str, Any]
    slot_at: datetime
    next_run_at: datetime


def built_ins(*, is_prioritized: bool) -> tuple[BuiltIn, ...]:
    """Where people have due times, who falls due is looked for often; else each slot takes a batch, or everybody."""
    often, seldom = "*/5 * * * *", "*/30 * * * *"
    return (
        BuiltIn("game_platform_sync", often if is_prioritized else seldom),
        BuiltIn("game_platform_totals_sweep", "0 * * * *"),
        BuiltIn("game_platform_onboarding", "*/10 * * * *"),
        BuiltIn("outbox_drain", "* * * * *"),
        BuiltIn("game_platform_roster_reconcile", "*/30 * * * *"),
        BuiltIn("alerts_evaluate", often),
        BuiltIn("notifications", often),
        BuiltIn("job_cleanup", "15 3 * * *"),
    )


async def ensure_built_ins() -> None:
    """Makes the built-in schedules where they are missing; what a person changed stays, whatever it says now."""
    now = await database_time()
    for schedule in await current_built_ins():
        await database.execute(
            """insert into job_schedules (name, kind, cron, next_run_at, is_built_in) values ($1, $1, $2, $3, true)
               on conflict (name) do update
               set cron = excluded.cron, next_run_at = excluded.next_run_at, version = job_schedules.version + 1
               where job_schedules.is_built_in and not job_schedules.is_changed
                   and job_schedules.cron <> excluded.cron""",
            schedule.kind, schedule.cron, next_slot(schedule.cron, ZONE, now),
        )


async def current_built_ins() -> tuple[BuiltIn, ...]:
    return built_ins(is_prioritized=(await read_flags()).is_switched_on(Feature.PRIORITIZATION))


async def change_cron(name: str, cron: str, *, actor: Reader | None = None, actor_label: str = "") -> None:
    """Raises BadCron or UnknownSchedule."""
    await ensure_built_ins()
    async with database.transaction():
        schedule = await database.fetchrow("select id, cron, zone from job_schedules where name = $1 for update", name)
        if schedule is None:
            raise UnknownSchedule(name)
        next_run_at = next_slot(cron, schedule["zone"], await database_time())
        await database.execute(
            """update job_schedules set cron = $2, next_run_at = $3, is_changed = is_built_in, version = version + 1,
                   changed_by = $4, changed_at = clock_timestamp() where id = $1""",
            schedule["id"], cron, next_run_at, actor.user_id if actor else None,
        )
        await audit.record(
            "schedule.change", actor=actor, actor_label=actor_label, subject_type="schedule", subject_id=name,
            before={"cron": schedule["cron"]}, after={"cron": cron},
        )


async def tick() -> list[Started]:
    """Starts what is due. Many processes may ask at once: each slot is one process's, and missed slots are one run."""
    started = [await _start(slot) for slot in await _due_slots()]
    return [run for run in started if run is not None]


async def _due_slots() -> list[_Slot]:
    """A schedule whose expression or payload was spoiled in the table stays overdue, which /health/scheduler shows."""
    rows = await database.fetch(
        """select id, kind, payload, cron, zone, next_run_at, clock_timestamp() as now from job_schedules
           where enabled and next_run_at <= clock_timestamp() and kind = any($1::text[]) order by next_run_at""",
        list(JOB_KINDS),
    )
    slots = []
    for row in rows:
        kind = JOB_KINDS[row["kind"]]
        try:
            next_run_at = next_slot(row["cron"], row["zone"], row["now"])
            wish = parse_payload(kind, json.loads(row["payload"])).canonical()
        except (BadCron, BadPayload):
            continue
        slots.append(_Slot(row["id"], kind, wish, row["next_run_at"], next_run_at))
    return slots


async def _start(slot: _Slot) -> Started | None:
    """None when another process was first, the feature is off, or the same work still waits or runs."""
    kind = slot.kind
    is_on = kind.feature is None or await is_enabled_anywhere(kind.feature)
    async with database.transaction():
        if not await _take(slot, starts=is_on) or not is_on:
            return None
        added = await job_runs.add(
            kind.name, run_key(kind.name, slot.wish), slot.wish, max_attempts=kind.policy.attempts,
            trigger=Trigger.SCHEDULE, schedule_id=slot.schedule_id, slot_at=slot.slot_at,
        )
    return Started(kind.name, added.run_id) if added.is_new else None


async def _take(slot: _Slot, *, starts: bool) -> bool:
    taken = await database.execute(
        """update job_schedules
           set next_run_at = $3, last_run_at = case when $4 then clock_timestamp() else last_run_at end
           where id = $1 and next_run_at = $2 and enabled""",
        slot.schedule_id, slot.slot_at, slot.next_run_at, starts,
    )
    return taken == 1


async def database_time() -> datetime:
    now: datetime = await database.fetchval("select clock_timestamp()")
    return now
