"""The ledger of runs: claiming with a lease and a fence on the database's clock, finishing, failing, rescuing.

Every move is one guarded update. Who holds a claim writes only while it is the newest one: `LeaseLost` otherwise.
"""

import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from app import database
from app.domain.failures import Failure, describe
from app.tables.jobs import AUTOMATIC, RunState, Trigger

LEASE_SECONDS = 8
RENEW_SECONDS = 2
LOST = Failure("WorkerLost", "the worker was lost")


class LeaseLost(Exception):
    """Somebody else has the run now: whatever this process still wanted to write must not be written."""


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to do one run's work. `fence` grows with each claim, so an older holder can never write again."""

    run_id: UUID
    fence: int


@dataclass(frozen=True, slots=True)
class ClaimedRun:
    claim: Claim
    kind: str
    payload: dict[str, Any]
    attempt: int


@dataclass(frozen=True, slots=True)
class Added:
    """A run of the ledger: a new one, or the one with the same key that is queued or running already."""

    run_id: UUID
    is_new: bool
    state: RunState


@dataclass(frozen=True, slots=True)
class DueRun:
    """A run that waits for a worker. `fence` tells one waiting from the next."""

    run_id: UUID
    kind: str
    fence: int


async def add(
    kind: str, key: str, payload: dict[str, Any], *, max_attempts: int, trigger: Trigger,
    triggered_by: UUID | None = None, schedule_id: UUID | None = None, slot_at: datetime | None = None,
) -> Added:
    """At most one run per key is queued or running, and one per slot: a second asker gets the first one's id."""
    while True:
        run_id = await database.fetchval(
            """insert into job_runs (kind, key, payload, max_attempts, trigger, triggered_by, schedule_id, slot_at)
               values ($1, $2, $3::jsonb, $4, $5, $6, $7, $8)
               on conflict do nothing returning id""",
            kind, key, json.dumps(payload), max_attempts, trigger.value, triggered_by, schedule_id, slot_at,
        )
        if run_id is not None:
            return Added(run_id, True, RunState.QUEUED)
        active = await database.fetchrow(
            """select id, state from job_runs
               where (key = $1 and state in ('queued', 'running')) or (schedule_id = $2 and slot_at = $3) limit 1""",
            key, schedule_id, slot_at,
        )
        if active is not None:
            return Added(active["id"], False, RunState(active["state"]))


async def hasten(run_id: UUID) -> bool:
    """Somebody asks again for a run that waits for its next attempt: it waits no longer."""
    return bool(
        await database.execute(
            """update job_runs set next_attempt_at = clock_timestamp()
               where id = $1 and state = 'queued' and next_attempt_at > clock_timestamp()""",
            run_id,
        )
    )


async def due_runs(kinds: Collection[str], limit: int, *, asked_for: Collection[str] = ()) -> list[DueRun]:
    """The runs that may start now, longest waiting first; of the kinds `asked_for` only what somebody asked for."""
    rows = await database.fetch(
        """select id, kind, fence from job_runs
           where state = 'queued' and next_attempt_at <= clock_timestamp()
               and (kind = any($1::text[]) or kind = any($3::text[]) and trigger <> all($4::text[]))
           order by next_attempt_at limit $2""",
        list(kinds), limit, list(asked_for), sorted(AUTOMATIC),
    )
    return [DueRun(row["id"], row["kind"], row["fence"]) for row in rows]


async def claim(
    run_id: UUID, worker: str, *, kinds: Collection[str] | None = None, asked_for: Collection[str] = ()
) -> ClaimedRun | None:
    """None when the run is not waiting any more, or not yet, or is not one that may start (see `due_runs`)."""
    row = await database.fetchrow(
        """update job_runs set state = 'running', attempts = attempts + 1, fence = fence + 1, worker = $2,
               started_at = clock_timestamp(), lease_until = clock_timestamp() + make_interval(secs => $3)
           where id = $1 and state = 'queued' and next_attempt_at <= clock_timestamp()
               and ($4::text[] is null or kind = any($4) or kind = any($5::text[]) and trigger <> all($6::text[]))
           returning kind, payload, attempts, fence""",
        run_id, worker, LEASE_SECONDS, None if kinds is None else list(kinds), list(asked_for), sorted(AUTOMATIC),
    )
    if row is None:
        return None
    return ClaimedRun(Claim(run_id, row["fence"]), row["kind"], json.loads(row["payload"]), row["attempts"])


async def keep(claim: Claim) -> None:
    """Proves inside the caller's transaction that the claim still holds, and renews its lease. Raises LeaseLost."""
    kept = await database.fetchval(
        """update job_runs set lease_until = clock_timestamp() + make_interval(secs => $3)
           where id = $1 and fence = $2 and state = 'running' returning id""",
        claim.run_id, claim.fence, LEASE_SECONDS,
    )
    _require(kept, claim)


async def finish(claim: Claim, result: dict[str, int]) -> None:
    finished = await database.fetchval(
        """update job_runs set state = 'succeeded', finished_at = clock_timestamp(), lease_until = null,
               result = $3::jsonb, error_class = null, error_text = null, traceback = null
           where id = $1 and fence = $2 and state = 'running' returning id""",
        claim.run_id, claim.fence, json.dumps(result),
    )
    _require(finished, claim)


async def fail(
    claim: Claim, error: BaseException, *, retry_seconds: float, is_final: bool = False
) -> RunState:
    """Back to the queue, after a random part of a time that doubles with each attempt; `failed` after the last."""
    failure = describe(error)
    state = await database.fetchval(
        """with run as (
               update job_runs set
                   state = case when $7 or attempts >= max_attempts then 'failed' else 'queued' end,
                   finished_at = case when $7 or attempts >= max_attempts then clock_timestamp() end,
                   next_attempt_at = clock_timestamp() + make_interval(secs => random() * $6 * 2 ^ (attempts - 1)),
                   lease_until = null, result = null, error_class = $3, error_text = $4, traceback = $5
               where id = $1 and fence = $2 and state = 'running'
               returning id, attempts, started_at, worker, state
           ), attempt as (
               insert into job_attempts (run_id, attempt, started_at, worker, error_class, error_text, traceback)
               select id, attempts, started_at, worker, $3, $4, $5 from run
           )
           select state from run""",
        claim.run_id, claim.fence, failure.error_class, failure.text, failure.traceback, float(retry_seconds), is_final,
    )
    return RunState(_require(state, claim))


async def release(claim: Claim) -> None:
    """Gives an unfinished run back, to be taken at once by another worker; the attempt does not count."""
    released = await database.fetchval(
        """update job_runs set state = 'queued', attempts = attempts - 1, next_attempt_at = clock_timestamp(),
               lease_until = null, started_at = null, worker = null
           where id = $1 and fence = $2 and state = 'running' returning id""",
        claim.run_id, claim.fence,
    )
    _require(released, claim)


async def abandon(claim: Claim, reason: str) -> None:
    """Ends a run that may not be done any more (its feature was switched off) without a failure."""
    abandoned = await database.fetchval(
        """update job_runs set state = 'cancelled', finished_at = clock_timestamp(), lease_until = null, result = null,
               error_class = null, error_text = $3, traceback = null
           where id = $1 and fence = $2 and state = 'running' returning id""",
        claim.run_id, claim.fence, reason,
    )
    _require(abandoned, claim)


async def cancel(run_id: UUID) -> bool:
    """Only a run that waits can be cancelled; False when it does not."""
    cancelled = await database.fetchval(
        """update job_runs set state = 'cancelled', finished_at = clock_timestamp(), error_class = null,
               error_text = 'cancelled', traceback = null
           where id = $1 and state = 'queued' returning id""",
        run_id,
    )
    return cancelled is not None


async def abort(run_id: UUID) -> bool:
    """Takes a run from its worker for good: its claim holds no more, so that within seconds the worker notices, stops,
    and can write nothing. False where the run is not running."""
    aborted = await database.fetchval(
        """update job_runs set state = 'cancelled', fence = fence + 1, finished_at = clock_timestamp(),
               lease_until = null, result = null, error_class = null, error_text = 'aborted', traceback = null
           where id = $1 and state = 'running' returning id""",
        run_id,
    )
    return aborted is not None


async def rescue() -> int:
    """Takes every run whose lease ended from its lost worker: queued again, or failed after the last attempt."""
    rescued: int = await database.fetchval(
        """with lost as (
               select id, worker from job_runs
               where state = 'running' and lease_until < clock_timestamp() for update skip locked
           ), run as (
               update job_runs r set
                   state = case when attempts >= max_attempts then 'failed' else 'queued' end,
                   finished_at = case when attempts >= max_attempts then clock_timestamp() end,
                   next_attempt_at = clock_timestamp(), lease_until = null, result = null,
                   error_class = $1, error_text = $2, traceback = null
               from lost where r.id = lost.id returning r.id, r.attempts, r.started_at, lost.worker
           ), attempt as (
               insert into job_attempts (run_id, attempt, started_at, worker, error_class, error_text)
               select id, attempts, started_at, worker, $1, $2 from run
           )
           select count(*) from run""",
        LOST.error_class, LOST.text,
    )
    return rescued


def _require(value: Any, claim: Claim) -> Any:
    """No row came back: somebody else has the run."""
    if value is None:
        raise LeaseLost(str(claim.run_id))
    return value
