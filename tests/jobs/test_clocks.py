"""Processes whose clocks stand ten minutes apart: the database's clock decides, so none starts or rescues early."""

import asyncio
from collections.abc import AsyncIterator

import pytest_asyncio

from tests.jobs.processes import TICKER, House, open_house, until

# Before anything of ours is imported: whoever reads this process's clock reads a wrong one.
WRONG_CLOCK = """
import datetime, time
_time, _datetime = time.time, datetime.datetime
class Wrong(_datetime):
    @classmethod
    def now(cls, tz=None):
        return _datetime.now(tz) + datetime.timedelta(minutes={minutes})
    @classmethod
    def utcnow(cls):
        return _datetime.utcnow() + datetime.timedelta(minutes={minutes})
datetime.datetime = Wrong
time.time = lambda: _time() + 60 * {minutes}
"""
RESCUER = """
import asyncio, os
from app import database
from app.services import job_runs
async def main():
    await database.open_pool(os.environ["DATABASE_URL"])
    while True:
        await job_runs.rescue()
        await asyncio.sleep(0.02)
asyncio.run(main())
"""


@pytest_asyncio.fixture
async def place() -> AsyncIterator[House]:
    async with open_house() as place:
        yield place


async def _add_schedule(place: House, kind: str, due: str) -> None:
    await place.sql.execute(
        f"""insert into job_schedules (name, kind, cron, next_run_at)
            values ('{kind}', '{kind}', '*/5 * * * *', clock_timestamp() + interval '{due}')"""
    )


async def _runs(place: House, kind: str) -> int:
    return int(await place.sql.fetchval("select count(*) from job_runs where kind = $1", kind))


async def test_nobody_starts_a_slot_early_and_two_start_a_due_one_once(place: House) -> None:
    await _add_schedule(place, "job_cleanup", "4 minutes")
    for minutes in (-5, 5):
        await _add_schedule(place, "alerts_evaluate", "-1 second")
        place._start(WRONG_CLOCK.format(minutes=minutes) + TICKER)
        await until(lambda: _has(place, "alerts_evaluate"), seconds=20)
        await place.sql.execute("delete from job_runs; delete from job_schedules where name = 'alerts_evaluate'")
    await asyncio.sleep(0.5)
    assert await _runs(place, "job_cleanup") == 0
    await place.sql.execute("update job_schedules set next_run_at = clock_timestamp() - interval '1 second'")
    await until(lambda: _has(place, "job_cleanup"), seconds=20)
    await asyncio.sleep(0.5)
    assert await _runs(place, "job_cleanup") == 1
    assert await place.sql.fetchval("select next_run_at > clock_timestamp() from job_schedules")


async def _has(place: House, kind: str) -> bool:
    return await _runs(place, kind) > 0


async def test_nobody_rescues_a_run_whose_lease_still_holds(place: House) -> None:
    held, lost = [await place.add(kind) for kind in ("job_cleanup", "notifications")]
    await _lease(place, held, "4 minutes")
    for minutes in (-5, 5):
        await _lease(place, lost, "-1 second")
        place._start(WRONG_CLOCK.format(minutes=minutes) + RESCUER)
        await until(lambda: _is_queued(place, lost), seconds=20)
    await asyncio.sleep(0.5)
    assert await place.state(held) == "running"
    await _lease(place, held, "-1 second")
    await until(lambda: _is_queued(place, held), seconds=20)
    assert await place.sql.fetchval("select count(*) from job_attempts where run_id = $1", held) == 1


async def _lease(place: House, run_id: str, until_when: str) -> None:
    await place.sql.execute(
        f"""update job_runs set state = 'running', attempts = 1, fence = fence + 1, started_at = clock_timestamp(),
                lease_until = clock_timestamp() + interval '{until_when}' where id = $1""",
        run_id,
    )


async def _is_queued(place: House, run_id: str) -> bool:
    return await place.state(run_id) == "queued"
