"""What an admin does about a run: again, cancel, abort, delete. Each looks at the state once more, and is on record."""

import json
from uuid import UUID

from app import database
from app.domain.readers import Reader
from app.queue import Enqueued, enqueue
from app.security import audit
from app.services import job_counts, job_runs
from app.tables.jobs import Trigger


class NotFound(Exception):
    """There is no such run, or not any more."""


async def run_again(run_id: UUID, actor: Reader) -> Enqueued | None:
    """A new run of the same work, linked to the old one, whose error stays; the same work that waits or runs already
    is the answer too. None where the old one has not ended. Raises FeatureOff, BadPayload, UnknownKind or NotFound."""
    old = await _read(run_id)
    if old["state"] in ("queued", "running"):
        return None
    async with database.transaction():
        enqueued = await enqueue(
            old["kind"], json.loads(old["payload"]), trigger=Trigger.USER, triggered_by=actor.user_id
        )
        if enqueued.is_new:
            await database.execute("update job_runs set retry_of = $2 where id = $1", enqueued.run_id, run_id)
        await _remember("run.again", run_id, old, actor, new_run=str(enqueued.run_id))
    return enqueued


async def cancel(run_id: UUID, actor: Reader) -> bool:
    """False where it does not wait any more."""
    async with database.transaction():
        run = await _read(run_id)
        is_cancelled = await job_runs.cancel(run_id)
        if is_cancelled:
            await _remember("run.cancelled", run_id, run, actor)
    return is_cancelled


async def abort(run_id: UUID, actor: Reader) -> bool:
    """False where it does not run."""
    async with database.transaction():
        run = await _read(run_id)
        is_aborted = await job_runs.abort(run_id)
        if is_aborted:
            await _remember("run.aborted", run_id, run, actor)
    return is_aborted


async def delete(run_id: UUID, actor: Reader) -> bool:
    """False where it has not ended."""
    async with database.transaction():
        run = await _read(run_id)
        deleted = await job_counts.delete_ended("id = $1", run_id)
        if deleted:
            await _remember("run.deleted", run_id, run, actor)
    return bool(deleted)


async def _read(run_id: UUID) -> dict[str, str]:
    row = await database.fetchrow("select kind, payload, state from job_runs where id = $1", run_id)
    if row is None:
        raise NotFound
    return dict(row)


async def _remember(action: str, run_id: UUID, run: dict[str, str], actor: Reader, **after: str) -> None:
    await audit.record(
        action, actor=actor, subject_type="run", subject_id=run_id,
        before={"kind": run["kind"], "state": run["state"]}, after=after or None,
    )
