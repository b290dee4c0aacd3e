"""Real worker processes on a database of their own."""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import asyncpg

from app import queue
from tests import conftest

ENTRY = "import tests.jobs.kinds\nfrom app.jobs.worker import main\nmain()"
TICKER = """
import asyncio, os
from app import database
from app.services import schedules
async def main():
    await database.open_pool(os.environ["DATABASE_URL"])
    while True:
        await schedules.tick()
        await asyncio.sleep(0.02)
asyncio.run(main())
"""
WORKED = "create table worked (run_id uuid not null, what text not null, at timestamptz default clock_timestamp())"


@dataclass
class House:
    """A fresh database, a connection to look into it, and the processes that a test started on it."""

    url: str
    sql: asyncpg.Connection
    processes: "list[subprocess.Popen[bytes]]" = field(default_factory=list)

    def start_worker(self) -> "subprocess.Popen[bytes]":
        return self._start(ENTRY)

    def start_ticker(self) -> "subprocess.Popen[bytes]":
        """A process that looks at the schedules fifty times a second."""
        return self._start(TICKER)

    def _start(self, program: str) -> "subprocess.Popen[bytes]":
        environment = {**os.environ, "DATABASE_URL": self.url, "PYTHONPATH": os.pathsep.join(sys.path)}
        process = subprocess.Popen([sys.executable, "-c", program], env=environment)
        self.processes.append(process)
        return process

    async def add(self, kind: str, payload: str = "{}", key: str | None = None, attempts: int = 3) -> str:
        """A run in the ledger that nobody was woken for."""
        return str(
            await self.sql.fetchval(
                """insert into job_runs (kind, key, payload, max_attempts)
                   values ($1, $2, $3::jsonb, $4) returning id""",
                kind, key or f"{kind}{payload}", payload, attempts,
            )
        )

    async def state(self, run_id: str) -> str:
        return str(await self.sql.fetchval("select state from job_runs where id = $1", run_id))

    async def notes(self, run_id: str) -> list[str]:
        rows = await self.sql.fetch("select what from worked where run_id = $1 order by at", run_id)
        return [row["what"] for row in rows]

    async def is_working(self, run_id: str) -> bool:
        return "begun" in await self.notes(run_id)

    async def a_worker_is_heard(self) -> bool:
        return bool(await self.sql.fetchval("select exists (select 1 from workers)"))

    def stop_all(self) -> None:
        for process in self.processes:
            process.kill()
            process.wait()


@asynccontextmanager
async def open_house() -> AsyncIterator[House]:
    name = await conftest.copy_template()
    url = conftest.address_of(name)
    await queue.prepare_queue(url)
    sql = await asyncpg.connect(url)
    await sql.execute(WORKED)
    house = House(url, sql)
    try:
        yield house
    finally:
        house.stop_all()
        await sql.close()
        await conftest._drop(name)


async def until(what: Callable[[], Awaitable[bool]], *, seconds: float) -> float:
    """Waits for something to be true; how long it took. Fails after `seconds`."""
    started = time.monotonic()
    while not await what():
        assert time.monotonic() - started < seconds, f"did not happen within {seconds} seconds"
        await asyncio.sleep(0.05)
    return time.monotonic() - started
