"""`jobs run`: queueing from the command line, and waiting for the end."""

import asyncio
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from app import database, queue
from app.features import FeatureOff
from app.queries import job_runs
from app.tables.jobs import Trigger

POLL_SECONDS = 0.2
NO_WORKER_SECONDS = 20


@dataclass(frozen=True)
class Outcome:
    is_good: bool
    text: str


async def start_and_wait(kind: str, payload: dict[str, Any], *, wait: bool) -> Outcome:
    try:
        enqueued = await queue.enqueue(kind, payload, trigger=Trigger.COMMAND)
    except (queue.UnknownKind, queue.BadPayload, FeatureOff) as error:
        return Outcome(False, str(error))
    known = "queued" if enqueued.is_new else "already queued or running"
    if not wait:
        return Outcome(True, f"{kind} is {known}: {enqueued.run_id}")
    return await _wait(enqueued.run_id)


async def _wait(run_id: UUID) -> Outcome:
    waited_seconds = 0.0
    while True:
        run = await job_runs.get_run(run_id)
        if run is None:
            return Outcome(False, f"Run {run_id} was deleted.")
        if run.state in ("succeeded", "failed", "cancelled"):
            counts = " ".join(f"{name}={value}" for name, value in (run.result or {}).items())
            text = f"{run.task_type} {run.state}: {counts or run.error or ''}".rstrip()
            return Outcome(run.state == "succeeded", text)
        if run.state == "queued" and run.attempts:
            return Outcome(False, f"{run.task_type} failed and will be tried again: {run.error}")
        if waited_seconds > NO_WORKER_SECONDS and not await _a_worker_is_heard():
            return Outcome(False, f"No worker is running; the run waits for one: {run_id}")
        await asyncio.sleep(POLL_SECONDS)
        waited_seconds += POLL_SECONDS


async def _a_worker_is_heard() -> bool:
    heard = "select exists (select 1 from workers where last_heard_at > now() - interval '60 s')"
    return bool(await database.fetchval(heard))
