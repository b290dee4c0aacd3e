"""Numbers for collectors: the same whichever web process is asked, and cheap however long the ledger is."""

from collections.abc import Sequence
from dataclasses import dataclass

from app import database
from app.domain.alarm_rules import SCHEDULE_GRACE, WORKER_SILENCE
from app.queries import sync_health
from app.queries.sync_health import Freshness


@dataclass(frozen=True, slots=True)
class Count:
    """`labels` are names of our own: kinds, states, vendors. Never a person, an id or a text."""

    labels: tuple[str, ...]
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Metrics:
    runs_ended: tuple[Count, ...]
    runs_active: tuple[Count, ...]
    due: int
    oldest_due_seconds: float
    vendor_calls: tuple[Count, ...]
    breakers_open: tuple[Count, ...]
    freshness: tuple[Freshness, ...]
    schedules_overdue: int
    workers_alive: int
    alarms_open: tuple[Count, ...]
    outbox: tuple[Count, ...]
    looked_seconds_ago: float
    database_bytes: int


_RUNS_ENDED = """
select kind, state, count(*)::int as n from job_runs
where queued_at > now() - interval '1 hour' and state in ('succeeded', 'failed', 'cancelled') group by 1, 2
"""
_RUNS_ACTIVE = """
select kind, state, count(*)::int as n from job_runs where state in ('queued', 'running') group by 1, 2
"""
_VENDOR_CALLS = """
select v.vendor, c.outcome, c.n
from unnest($1::text[]) as v (vendor) cross join lateral (
    select coalesce(outcome, 'unfinished') as outcome, count(*)::int as n from vendor_calls
    where vendor = v.vendor and started_at > now() - interval '5 minutes' group by 1
) c
"""
_ONE_ROW = """
select due.n as due, coalesce(extract(epoch from clock_timestamp() - due.oldest), 0)::float8 as oldest_due_seconds,
    (select count(*)::int from job_schedules where enabled and next_run_at < clock_timestamp() - $1::interval)
        as schedules_overdue,
    (select count(*)::int from workers where last_heard_at >= clock_timestamp() - $2::interval) as workers_alive,
    coalesce((select extract(epoch from clock_timestamp() - looked_at)::float8 from alarm_looks), -1)
        as looked_seconds_ago,
    pg_database_size(current_database()) as database_bytes
from (select count(*)::int as n, min(next_attempt_at) as oldest from job_runs
    where state = 'queued' and next_attempt_at <= clock_timestamp()) due
"""


async def read(vendors: Sequence[str]) -> Metrics:
    row = await database.fetchrow(_ONE_ROW, SCHEDULE_GRACE, WORKER_SILENCE)
    assert row
    return Metrics(
        runs_ended=await _counts(_RUNS_ENDED),
        runs_active=await _counts(_RUNS_ACTIVE),
        vendor_calls=await _counts(_VENDOR_CALLS, list(vendors)),
        breakers_open=await _counts("select vendor, (opened_at is not null)::int as n from vendor_breakers"),
        freshness=await sync_health.freshness(),
        alarms_open=await _counts("select cause, count(*)::int as n from alarms where resolved_at is null group by 1"),
        outbox=await _counts(
            "select state, count(*)::int as n from outbox where state in ('waiting', 'parked') group by 1"
        ),
        **row,
    )


async def _counts(sql: str, *arguments: object) -> tuple[Count, ...]:
    rows = await database.fetch(sql, *arguments)
    return tuple(Count(tuple(str(value) for value in tuple(row)[:-1]), row["n"]) for row in rows)
