"""One worker process: `main()` runs until SIGTERM or SIGINT, lets its runs end or gives them back, and returns."""

import asyncio
import contextlib
import os
import signal
import socket
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import saq
import structlog

from app import alarm_watch, database, logs
from app.jobs import runner
from app.jobs.dispatcher import Dispatcher
from app.jobs.memory import calm_collector, tidy
from app.jobs.settings import CONCURRENCY, DATABASE_CONNECTIONS, QUEUE_CONNECTIONS, saq_settings
from app.queue import close_queue, make_queue, queue_url
from app.services import error_reports, schedules, workers
from app.settings import get_settings

log = structlog.get_logger(__name__)


class Worker(saq.Worker[Any]):
    """SAQ's worker; when it stops, only slots with a run get the grace period, the idle ones end at once."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(
            functions=[("run_job", self._run_job)],
            before_process=self._begin, after_process=self._end, **settings,
        )
        self.dispatcher: Dispatcher | None = None
        self._busy: set[asyncio.Task[Any] | None] = set()

    @property
    def free_slots(self) -> int:
        return 0 if self.event.is_set() else self.concurrency - len(self._busy)

    async def stop(self) -> None:
        for task in self.tasks - self._busy:
            task.cancel()
        await super().stop()

    async def _run_job(self, context: dict[str, Any], *, run_id: str) -> None:
        await runner.run(UUID(run_id), self.id)

    async def _begin(self, context: dict[str, Any]) -> None:
        self._busy.add(asyncio.current_task())

    async def _end(self, context: dict[str, Any]) -> None:
        self._busy.discard(asyncio.current_task())
        tidy()
        if self.dispatcher:
            self.dispatcher.look_soon()


def main() -> None:
    settings = get_settings()
    logs.configure(settings)
    error_reports.start()
    calm_collector()
    try:
        asyncio.run(work())
    except (OSError, asyncpg.PostgresError) as error:
        log.error("the worker cannot start; try: bin/sideline check", exc_info=error)
        raise SystemExit(1) from None


async def work() -> None:
    stopped_early = _listen_for_stop()
    settings = get_settings()
    assert settings.database_url
    await database.open_pool(settings.database_url, max_size=DATABASE_CONNECTIONS)
    queue = make_queue(queue_url(), max_size=QUEUE_CONNECTIONS)
    try:
        await queue.connect()
        await schedules.ensure_built_ins()
        if not stopped_early.is_set():
            await _serve(queue)
    finally:
        await queue.disconnect()
        await close_queue()
        await database.close_pool()


def _listen_for_stop() -> asyncio.Event:
    """Until SAQ's worker listens itself."""
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    return stopped


async def _serve(queue: saq.Queue) -> None:
    worker_id, name = uuid4(), f"{socket.gethostname()}:{os.getpid()}"
    worker = Worker(**saq_settings(queue, name))
    worker.dispatcher = Dispatcher(queue, worker_id, name, lambda: worker.free_slots)
    dispatching = asyncio.create_task(worker.dispatcher.work())
    log.info("worker started", worker=name, slots=CONCURRENCY)
    try:
        async with alarm_watch.watching():
            await worker.start()
    finally:
        dispatching.cancel()
        with contextlib.suppress(Exception):
            await workers.leave(worker_id)
        log.info("worker stopped", worker=name)
