"""The schedules with their last runs, and whether they are on time."""

import json
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from app import database
from app.domain.schedules import MISSED_SECONDS

STRIP = 60


@dataclass(frozen=True, slots=True)
class ScheduleRun:
    """`slot_at` is empty for one that a person asked for."""

    run_id: UUID
    state: str
    trigger: str
    slot_at: datetime | None
    queued_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    result: dict[str, Any]
    error: str

    @property
    def duration(self) -> timedelta | None:
        return self.finished_at - self.started_at if self.finished_at and self.started_at else None

    @property
    def caught_up(self) -> timedelta | None:
        """How late it came, where slots were missed and this one run made up for them."""
        late = self.queued_at - self.slot_at if self.slot_at else None
        return late if late is not None and late > timedelta(seconds=MISSED_SECONDS) else None


@dataclass(frozen=True, slots=True)
class Schedule:
    """`is_missed`: its slot passed longer ago than the grace. `runs`: the newest first."""

    id: UUID
    name: str
    kind: str
    payload: dict[str, Any]
    cron: str
    zone: str
    enabled: bool
    is_built_in: bool
    is_changed: bool
    changed_by: str
    changed_at: datetime | None
    version: int
    pause_reason: str
    paused_by: str
    paused_at: datetime | None
    next_run_at: datetime
    is_missed: bool
    runs: tuple[ScheduleRun, ...]


async def list_schedules() -> tuple[Schedule, ...]:
    """Built-in ones first; there are few."""
    return await _schedules(None)


async def get_schedule(schedule_id: UUID) -> Schedule | None:
    found = await _schedules(schedule_id)
    return found[0] if found else None


async def _schedules(schedule_id: UUID | None) -> tuple[Schedule, ...]:
    rows = await database.fetch(
        f"""select s.id, s.name, s.kind, s.payload, s.cron, s.zone, s.enabled, s.is_built_in, s.is_changed,
                {_called("c")} as changed_by, s.changed_at, s.version, s.pause_reason, {_called("p")} as paused_by,
                s.paused_at, s.next_run_at,
                s.enabled and clock_timestamp() > s.next_run_at + make_interval(secs => $2) as is_missed
            from job_schedules s left join users c on c.id = s.changed_by left join users p on p.id = s.paused_by
            where $1::uuid is null or s.id = $1 order by not s.is_built_in, lower(s.name)""",  # noqa: S608
        schedule_id, float(MISSED_SECONDS),
    )
    runs = await _runs(schedule_id)
    return tuple(
        Schedule(**dict(row) | {"payload": json.loads(row["payload"]), "runs": tuple(runs[row["id"]])}) for row in rows
    )


def _called(user: str) -> str:
    return f"""coalesce(nullif({user}.display_name, ''),
        nullif(trim({user}.first_name || ' ' || {user}.last_name), ''), {user}.email, '')"""


async def _runs(schedule_id: UUID | None) -> dict[UUID, list[ScheduleRun]]:
    rows = await database.fetch(
        """select s.id as schedule_id, r.* from job_schedules s cross join lateral (
               select id as run_id, state, trigger, slot_at, queued_at, started_at, finished_at, result,
                   coalesce(error_text, '') as error
               from job_runs where schedule_id = s.id order by queued_at desc limit $2) r
           where $1::uuid is null or s.id = $1""",
        schedule_id, STRIP,
    )
    runs: dict[UUID, list[ScheduleRun]] = defaultdict(list)
    for row in rows:
        fields = dict(row) | {"result": json.loads(row["result"] or "{}")}
        runs[fields.pop("schedule_id")].append(ScheduleRun(**fields))
    return runs
