"""The product's jobs over a real database and a real sandbox, with runs that are killed, robbed or let be."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from uuid import UUID

import pytest
import pytest_asyncio

from app import database, queue
from app.integrations import retries
from app.integrations.errors import VendorError
from app.jobs import runner
from app.jobs.tasks import TASKS
from app.services import job_runs
from app.services.job_runs import LeaseLost
from app.settings import get_settings
from app.tables.jobs import Trigger
from tests.sandbox_server import TOKEN, SandboxHandle
from tests.services.conftest import coach, platform, sandbox_process
from tests.services.platform import Platform

__all__ = ["coach", "connected", "platform", "sandbox_process"]

GIVE_BACK = """
    update job_runs set state = 'queued', lease_until = null, next_attempt_at = now()
    where id = $1 and state = 'running'
"""


@pytest_asyncio.fixture
async def connected(
    platform: Platform, sandbox_process: SandboxHandle, settings_changed: pytest.MonkeyPatch
) -> AsyncIterator[Platform]:
    """The settings name the sandbox, and nobody waits long before asking it again."""
    settings_changed.setenv("GAME_PLATFORM_BASE_URL", sandbox_process.base_url)
    settings_changed.setenv("GAME_PLATFORM_API_TOKEN", TOKEN)
    settings_changed.setenv("GAME_PLATFORM_MAX_REQUESTS_PER_MINUTE", "1000000")
    settings_changed.setattr(retries, "FIRST_BACKOFF_SECONDS", 0.005)
    get_settings.cache_clear()
    yield platform


async def run(kind: str) -> str:
    """As a worker does it; the state that it ended in."""
    run_id = await asked(kind)
    await runner.run(run_id, "a worker")
    return str(await database.fetchval("select state from job_runs where id = $1", run_id))


async def asked(kind: str) -> UUID:
    """A run that may start now, also where an earlier attempt failed."""
    run_id = (await queue.enqueue(kind, trigger=Trigger.COMMAND)).run_id
    await database.execute("update job_runs set next_attempt_at = now() where id = $1 and state = 'queued'", run_id)
    return run_id


async def run_and_kill(kind: str, after_seconds: float) -> None:
    """The worker is gone in the middle of it and gives nothing back; its lease ends and the run is rescued."""
    claimed, work = await _begin(kind)
    await asyncio.sleep(after_seconds)
    work.cancel()
    with suppress(asyncio.CancelledError, VendorError, LeaseLost):
        await work
    await database.execute("update job_runs set lease_until = now() - interval '1 second' where id = $1", claimed)
    await job_runs.rescue()


async def run_and_rob(kind: str, after_seconds: float) -> None:
    """Somebody else takes the run over while it is being done: whatever it still wants to write must not be written."""
    claimed, work = await _begin(kind)
    await asyncio.sleep(after_seconds)
    await database.execute("update job_runs set fence = fence + 1 where id = $1", claimed)
    with suppress(VendorError, LeaseLost):
        await work
    await database.execute(GIVE_BACK, claimed)


async def _begin(kind: str) -> "tuple[UUID, asyncio.Task[dict[str, int]]]":
    claimed = await job_runs.claim(await asked(kind), "a worker")
    assert claimed is not None
    payload = queue.parse_payload(queue.JOB_KINDS[kind], claimed.payload)
    return claimed.claim.run_id, asyncio.ensure_future(TASKS[kind](claimed.claim, payload))
