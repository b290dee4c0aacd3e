"""The ledger of runs as the operators' pages show it."""

import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg

from app import database
from app.domain.job_list import ORDER, SPANS, STATES, View
from app.domain.paging import Cursor
from app.domain.payload_mask import masked
from app.queries import keyset
from app.queries.keyset import Arguments, Key, Stretch

PAGE_SIZE = 50
COUNTED = 10_000
"""A tab counts no further: a ledger of millions would be read whole for each look at the page."""
USUAL_RUNS = 200
KEYS: dict[int, tuple[Key, ...]] = {0: (Key("r.queued_at", "timestamptz"), Key("r.id", "uuid"))}

_SOURCE = "job_runs r left join users u on u.id = r.triggered_by"
_COLUMNS = {
    "id": "r.id", "kind": "r.kind", "state": "r.state", "trigger": "r.trigger", "attempts": "r.attempts",
    "max_attempts": "r.max_attempts", "queued_at": "r.queued_at", "started_at": "r.started_at",
    "finished_at": "r.finished_at", "next_attempt_at": "r.next_attempt_at", "result": "r.result",
    "error_class": "r.error_class", "error_text": "r.error_text",
    "by": "coalesce(nullif(u.display_name, ''), trim(u.first_name || ' ' || u.last_name), '')",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """`by`: the person who asked for it, '' where nobody did."""

    id: UUID
    kind: str
    state: str
    trigger: str
    attempts: int
    max_attempts: int
    queued_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    next_attempt_at: datetime
    result: Mapping[str, Any]
    error_class: str | None
    error_text: str | None
    by: str

    @property
    def took(self) -> timedelta | None:
        return self.finished_at - self.started_at if self.finished_at and self.started_at else None

    @property
    def error(self) -> str:
        if not self.error_class or self.error_class == self.error_text:
            return self.error_text or ""
        return f"{self.error_class}: {self.error_text}"


@dataclass(frozen=True, slots=True)
class Page:
    rows: tuple[Row, ...]
    previous: Cursor | None
    next: Cursor | None


@dataclass(frozen=True, slots=True)
class Attempt:
    attempt: int
    started_at: datetime | None
    ended_at: datetime
    worker: str | None
    error_class: str
    error_text: str
    traceback: str | None


@dataclass(frozen=True, slots=True)
class Calls:
    """A run's calls to a vendor of one kind that ended in one way."""

    kind: str
    outcome: str | None
    status: int | None
    calls: int


@dataclass(frozen=True, slots=True)
class Usual:
    """How long the latest good runs of a kind took."""

    runs: int
    median_seconds: float | None
    p95_seconds: float | None


@dataclass(frozen=True, slots=True)
class Detail:
    """`again`: runs that were made from this one. `payload` is masked."""

    row: Row
    payload: Mapping[str, str]
    worker: str | None
    traceback: str | None
    retry_of: UUID | None
    again: tuple[UUID, ...]
    schedule_id: UUID | None
    schedule: str | None
    slot_at: datetime | None
    attempts: tuple[Attempt, ...]
    calls: tuple[Calls, ...]
    usual: Usual


@dataclass(frozen=True, slots=True)
class Deleted:
    """Runs of one kind that are not in the ledger any more; the mean leaves the cancelled out."""

    kind: str
    runs: int
    failed: int
    mean_seconds: float
    first_day: date
    last_day: date


@dataclass(frozen=True, slots=True)
class Worker:
    name: str
    started_at: datetime
    last_heard_at: datetime
    is_heard: bool
    runs: int


def understood(view: View) -> tuple[View, tuple[str, ...]]:
    if view.cursor and not keyset.is_usable(view.cursor, KEYS):
        return replace(view, cursor=None), ("“cursor” belongs to another list; the first page is shown.",)
    return view, ()


async def get_page(view: View, *, size: int = PAGE_SIZE) -> Page:
    """One row more than shown is read, to know whether there is more."""
    arguments = Arguments()
    conditions = (*_conditions(view, arguments), *_state(view, arguments)) or ("true",)
    stretch = Stretch(0, _SOURCE, conditions, KEYS[0], False, _COLUMNS)
    found = await database.fetch(keyset.page_sql([stretch], view.cursor, size + 1, arguments), *arguments.values)
    records, previous, following = keyset.turned(found, ORDER, view.cursor, size)
    return Page(tuple(map(_row, records)), previous, following)


async def walk(view: View, *, size: int = 500) -> AsyncIterator[tuple[Row, ...]]:
    """Every row of the view, a page at a time."""
    cursor = None
    while True:
        page = await get_page(replace(view, cursor=cursor), size=size)
        yield page.rows
        cursor = page.next
        if cursor is None:
            return


async def count_states(view: View) -> dict[str, int]:
    """How many runs each state holds under the other filters; one more than COUNTED stands for more."""
    arguments = Arguments()
    condition = " and ".join(_conditions(view, arguments)) or "true"
    counted = ", ".join(
        f"""(select count(*)::int from (select from job_runs r where r.state = '{state}' and {condition}
             limit {COUNTED + 1}) counted) as {state}"""  # noqa: S608
        for state in STATES
    )
    row = await database.fetchrow(f"select {counted}", *arguments.values)
    return dict(row or {})


def _conditions(view: View, arguments: Arguments) -> tuple[str, ...]:
    """All but the state."""
    equal = {"kind": view.kind, "trigger": view.trigger, "error_class": view.error}
    conditions = [f"r.{column} = {arguments.add(value)}" for column, value in equal.items() if value]
    if view.since:
        conditions.append(f"r.queued_at > now() - {arguments.add(SPANS[view.since])}::interval")
    if view.q:
        words = arguments.add(view.q.lower())
        conditions.append(
            f"(position({words} in lower(coalesce(r.error_text, ''))) > 0 or r.id::text = {words}"
            f" or position({words} in r.kind) > 0)"
        )
    return tuple(conditions)


def _state(view: View, arguments: Arguments) -> tuple[str, ...]:
    return (f"r.state = {arguments.add(view.state)}",) if view.state else ()


async def get_run(run_id: UUID) -> Detail | None:
    columns = ", ".join(f"{sql} as {name}" for name, sql in _COLUMNS.items())
    row = await database.fetchrow(
        f"""select {columns}, r.payload, r.worker, r.traceback, r.retry_of, r.schedule_id, r.slot_at,
               s.name as schedule,
               array(select a.id from job_runs a where a.retry_of = r.id order by a.queued_at) as again
            from {_SOURCE} left join job_schedules s on s.id = r.schedule_id where r.id = $1""",  # noqa: S608
        run_id,
    )
    if row is None:
        return None
    return Detail(
        _row(row), masked(json.loads(row["payload"])), row["worker"], row["traceback"], row["retry_of"],
        tuple(row["again"]), row["schedule_id"], row["schedule"], row["slot_at"], await _attempts(run_id),
        await _calls(run_id), await _usual(row["kind"]),
    )


async def _attempts(run_id: UUID) -> tuple[Attempt, ...]:
    rows = await database.fetch(
        """select attempt, started_at, ended_at, worker, error_class, error_text, traceback from job_attempts
           where run_id = $1 order by id""",
        run_id,
    )
    return tuple(Attempt(**row) for row in rows)


async def _calls(run_id: UUID) -> tuple[Calls, ...]:
    rows = await database.fetch(
        """select kind, outcome, status, count(*)::int as calls from vendor_calls where run_id = $1
           group by kind, outcome, status order by kind, calls desc""",
        run_id,
    )
    return tuple(Calls(**row) for row in rows)


async def _usual(kind: str) -> Usual:
    row = await database.fetchrow(
        """select count(*)::int as runs, percentile_cont(0.5) within group (order by seconds) as median_seconds,
               percentile_cont(0.95) within group (order by seconds) as p95_seconds
           from (select extract(epoch from finished_at - started_at)::float8 as seconds from job_runs
                 where kind = $1 and state = 'succeeded' order by queued_at desc limit $2) latest""",
        kind, USUAL_RUNS,
    )
    assert row
    return Usual(**row)


async def list_workers() -> tuple[Worker, ...]:
    rows = await database.fetch(
        """select w.name, w.started_at, w.last_heard_at,
               w.last_heard_at > clock_timestamp() - interval '60 seconds' as is_heard,
               (select count(*)::int from job_runs r where r.state = 'running' and r.worker = w.name) as runs
           from workers w order by w.last_heard_at desc limit 50"""
    )
    return tuple(Worker(**row) for row in rows)


async def list_deleted() -> tuple[Deleted, ...]:
    """Of the last year, by kind."""
    rows = await database.fetch(
        """select kind, sum(runs)::int as runs, (sum(runs) filter (where state = 'failed'))::int as failed,
               coalesce(sum(seconds) filter (where state <> 'cancelled')
                   / sum(runs) filter (where state <> 'cancelled'), 0)::float8 as mean_seconds,
               min(day) as first_day, max(day) as last_day
           from job_counts where day > current_date - 366 group by kind order by runs desc, kind"""
    )
    return tuple(Deleted(**{**row, "failed": row["failed"] or 0}) for row in rows)


def _row(record: asyncpg.Record) -> Row:
    values = {name: record[name] for name in Row.__dataclass_fields__}
    return Row(**{**values, "result": json.loads(record["result"] or "{}")})
