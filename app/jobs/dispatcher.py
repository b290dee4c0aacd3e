"""What every worker does beside its runs: say that it lives, rescue what others lost, start what is due."""

import asyncio
import time
from collections.abc import Callable
from uuid import UUID

import structlog
from saq import Queue

from app.jobs.tasks import TASKS
from app.queue import open_kinds, wake_with
from app.services import job_runs, outbox, schedules, workers

log = structlog.get_logger(__name__)

LOOK_SECONDS = 1.0
HEARTBEAT_SECONDS = 5.0


class Dispatcher:
    """Looks into the ledger every second, and at once when a run has ended and a slot is free."""

    def __init__(self, queue: Queue, worker_id: UUID, name: str, free_slots: Callable[[], int]) -> None:
        self._queue = queue
        self._worker_id = worker_id
        self._name = name
        self._free_slots = free_slots
        self._slot_freed = asyncio.Event()
        self._heard_at = float("-inf")

    def look_soon(self) -> None:
        self._slot_freed.set()

    async def work(self) -> None:
        """For ever; a look that fails (the database restarts, the queue is away) is repeated a second later."""
        while True:
            for step in (self._say_hello, self._rescue, self._tick, outbox.wake_if_due, self._wake_waiting):
                try:
                    await step()
                except Exception as error:
                    log.warning("a look failed", step=step.__name__.strip("_"), exc_info=error)
            await self._pause()

    async def _pause(self) -> None:
        try:
            async with asyncio.timeout(LOOK_SECONDS):
                await self._slot_freed.wait()
        except TimeoutError:
            return
        self._slot_freed.clear()

    async def _say_hello(self) -> None:
        if time.monotonic() - self._heard_at >= HEARTBEAT_SECONDS:
            await workers.hear(self._worker_id, self._name)
            self._heard_at = time.monotonic()

    async def _rescue(self) -> None:
        if rescued := await job_runs.rescue():
            log.warning("runs of lost workers were taken back", runs=rescued)

    async def _tick(self) -> None:
        for started in await schedules.tick():
            log.info("schedule started a run", kind=started.task_type, run_id=str(started.run_id))

    async def _wake_waiting(self) -> None:
        """As many as can start now: what waits longer is found again when a slot is free."""
        if (free := self._free_slots()) > 0:
            kinds = await open_kinds(TASKS)
            for run in await job_runs.due_runs(kinds.all, free, asked_for=kinds.asked_for):
                await wake_with(self._queue, run)
