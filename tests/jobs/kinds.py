"""Kinds of work that only tests know. Importing this module registers them, in a test and in a worker process alike."""

import asyncio
import time

from pydantic import Field

from app import database
from app.jobs.tasks import TASKS
from app.queue import JOB_KINDS, JobKind, Payload, Policy
from app.services.job_runs import Claim, keep


class TestPayload(Payload):
    __test__ = False

    number: int = 0
    seconds: float = Field(0.0, ge=0)


async def note(claim: Claim, what: str) -> None:
    """Work that is stored: a row in a table of the tests' own, under the claim's fence."""
    async with database.transaction():
        await keep(claim)
        await database.execute("insert into worked (run_id, what) values ($1, $2)", claim.run_id, what)


async def sleeping(claim: Claim, payload: TestPayload) -> dict[str, int]:
    await note(claim, "begun")
    await asyncio.sleep(payload.seconds)
    await note(claim, "done")
    return {"number": payload.number}


async def blocking(claim: Claim, payload: TestPayload) -> dict[str, int]:
    """Holds the event loop, as CPU-bound code would."""
    await note(claim, "begun")
    time.sleep(payload.seconds)  # noqa: ASYNC251
    await note(claim, "done")
    return {"number": payload.number}


async def failing(claim: Claim, payload: TestPayload) -> dict[str, int]:
    raise ValueError("the person ada@example.org could not be read")


POLICY = Policy(timeout_seconds=60, retry_seconds=300)

for kind, task in {"test_sleeping": sleeping, "test_blocking": blocking, "test_failing": failing}.items():
    JOB_KINDS[kind] = JobKind(kind, POLICY, TestPayload)
    TASKS[kind] = task

JOB_KINDS["test_impatient"] = JobKind("test_impatient", Policy(timeout_seconds=1), TestPayload)
TASKS["test_impatient"] = sleeping
