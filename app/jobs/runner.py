"""One run from its claim to its end, with the lease renewed meanwhile."""

import asyncio
from typing import Any
from uuid import UUID

import structlog

from app.features import is_enabled_anywhere
from app.integrations.errors import VendorError
from app.jobs.tasks import TASKS
from app.queue import JOB_KINDS, BadPayload, JobKind, open_kinds, parse_payload
from app.services import error_reports, job_runs
from app.services.job_runs import Claim, ClaimedRun, LeaseLost

log = structlog.get_logger(__name__)

STOP_SECONDS = 0.5


class RunTimeout(Exception):
    """The work took longer than its kind allows."""


async def run(run_id: UUID, worker: str) -> None:
    """Never raises but for being cancelled; then the run is given back first. What is paused, or what this version
    does not know, waits."""
    with structlog.contextvars.bound_contextvars(run_id=str(run_id)):
        try:
            kinds = await open_kinds(TASKS)
            claimed = await job_runs.claim(run_id, worker, kinds=kinds.all, asked_for=kinds.asked_for)
            if claimed is not None:
                await _do(claimed)
        except LeaseLost:
            log.warning("the lease was lost; what this process still wanted to write was not written")
        except Exception:
            log.exception("the run could not be kept; its lease will end and a worker takes it again")


async def _do(claimed: ClaimedRun) -> None:
    log.info("run started", kind=claimed.kind, attempt=claimed.attempt)
    try:
        kind = JOB_KINDS[claimed.kind]
        if kind.feature and not await is_enabled_anywhere(kind.feature):
            await job_runs.abandon(claimed.claim, f"{kind.feature} is off")
            return
        result = await _work(kind, claimed)
        await job_runs.finish(claimed.claim, result)
        log.info("run succeeded", kind=claimed.kind, **result)
    except LeaseLost:
        raise
    except asyncio.CancelledError:
        await job_runs.release(claimed.claim)
        log.info("run given back", kind=claimed.kind)
        raise
    except Exception as error:
        await _fail(claimed, error)


async def _fail(claimed: ClaimedRun, error: Exception) -> None:
    """Trying again helps against bad days, not against a payload that this version cannot read."""
    state = await job_runs.fail(
        claimed.claim, error,
        retry_seconds=JOB_KINDS[claimed.kind].policy.retry_seconds, is_final=isinstance(error, BadPayload),
    )
    log.warning("run failed", kind=claimed.kind, state=state.value, exc_info=error)
    if not isinstance(error, VendorError):
        await error_reports.report(error, kind=claimed.kind)


async def _work(kind: JobKind, claimed: ClaimedRun) -> dict[str, int]:
    """The task's counts. It is stopped when its time is over or somebody else has the run."""
    payload = parse_payload(kind, claimed.payload)
    work = asyncio.ensure_future(TASKS[kind.name](claimed.claim, payload))
    renewal = asyncio.create_task(_renew(claimed.claim))
    try:
        await asyncio.wait({work, renewal}, timeout=kind.policy.timeout_seconds, return_when=asyncio.FIRST_COMPLETED)
        if work.done():
            return work.result()
        if renewal.done():
            renewal.result()
        raise RunTimeout(f"stopped after {kind.policy.timeout_seconds} seconds")
    finally:
        await _stop(work, renewal)


async def _stop(*tasks: asyncio.Future[Any]) -> None:
    """What does not stop in time is left to itself: it has no claim any more."""
    for task in tasks:
        task.cancel()
    stopped, _ = await asyncio.wait(tasks, timeout=STOP_SECONDS)
    for task in stopped:
        if not task.cancelled():
            task.exception()


async def _renew(claim: Claim) -> None:
    """Ends only by raising LeaseLost. A database that does not answer just now is asked again."""
    while True:
        await asyncio.sleep(job_runs.RENEW_SECONDS)
        try:
            await job_runs.keep(claim)
        except LeaseLost:
            raise
        except Exception as error:
            log.warning("the lease could not be renewed", error_class=type(error).__name__)
