"""Real worker processes that are killed, stopped, frozen and starved."""

import asyncio
import functools
import signal
import time
from collections.abc import AsyncIterator

import pytest_asyncio

from tests.jobs.processes import House, open_house, until


@pytest_asyncio.fixture
async def house() -> AsyncIterator[House]:
    async with open_house() as house:
        yield house


async def _succeeded(house: House, run_id: str) -> bool:
    return await house.state(run_id) == "succeeded"


async def test_a_worker_finds_a_run_that_nobody_woke_it_for(house: House) -> None:
    run_id = await house.add("test_sleeping", '{"number": 7}')
    house.start_worker()
    await until(lambda: _succeeded(house, run_id), seconds=15)
    assert await house.sql.fetchval("select result->>'number' from job_runs where id = $1", run_id) == "7"


async def test_the_run_of_a_killed_worker_is_picked_up_within_15_seconds(house: House) -> None:
    run_id = await house.add("test_sleeping", '{"seconds": 3}')
    first = house.start_worker()
    await until(lambda: house.is_working(run_id), seconds=15)
    house.start_worker()
    await asyncio.sleep(0.5)
    first.kill()

    async def is_taken_again() -> bool:
        return (await house.notes(run_id)).count("begun") == 2

    await until(is_taken_again, seconds=15)
    await until(lambda: _succeeded(house, run_id), seconds=10)
    attempt = await house.sql.fetchrow("select attempt, error_text from job_attempts where run_id = $1", run_id)
    assert attempt and dict(attempt) == {"attempt": 1, "error_text": "the worker was lost"}


async def test_emptying_the_queue_under_load_loses_nothing(house: House) -> None:
    house.start_worker()
    house.start_worker()
    await until(house.a_worker_is_heard, seconds=15)
    runs = [await house.add("test_sleeping", f'{{"number": {n}, "seconds": 0.1}}') for n in range(60)]

    async def all_done() -> bool:
        await house.sql.execute("delete from saq_jobs")
        await asyncio.sleep(0.15)
        return not await house.sql.fetchval("select count(*) from job_runs where state <> 'succeeded'")

    await until(all_done, seconds=45)
    notes = await house.sql.fetch("select run_id::text, what, count(*) from worked group by 1, 2")
    assert {(row["run_id"], row["what"]): row["count"] for row in notes} == {
        (run_id, what): 1 for run_id in runs for what in ("begun", "done")
    }


async def test_two_workers_and_two_other_tickers_start_a_due_slot_once(house: House) -> None:
    for _ in range(2):
        house.start_worker()
    await until(house.a_worker_is_heard, seconds=15)
    tickers = [house.start_ticker() for _ in range(2)]
    for number in range(3):
        await house.sql.execute(
            """update job_schedules set next_run_at = clock_timestamp() - interval '1 s', enabled = name = 'job_cleanup'
               where name = 'job_cleanup'"""
        )

        async def is_over(number: int = number) -> bool:
            over = "select count(*) from job_runs where kind = 'job_cleanup' and finished_at is not null"
            return int(await house.sql.fetchval(over)) > number

        await until(is_over, seconds=15)
    await asyncio.sleep(1.5)
    assert all(ticker.poll() is None for ticker in tickers)
    assert await house.sql.fetchval("select count(*) from job_runs") == 3
    assert await house.sql.fetchval("select count(distinct slot_at) from job_runs") == 3


async def test_a_frozen_worker_that_wakes_up_cannot_write(house: House) -> None:
    run_id = await house.add("test_sleeping", '{"seconds": 4}')
    zombie = house.start_worker()
    await until(lambda: house.is_working(run_id), seconds=15)
    zombie.send_signal(signal.SIGSTOP)
    house.start_worker()

    async def is_taken_again() -> bool:
        return (await house.notes(run_id)).count("begun") == 2

    await until(is_taken_again, seconds=20)
    zombie.send_signal(signal.SIGCONT)
    await until(lambda: _succeeded(house, run_id), seconds=10)
    await asyncio.sleep(1.5)
    assert await house.notes(run_id) == ["begun", "begun", "done"]
    assert await house.sql.fetchval("select fence from job_runs where id = $1", run_id) == 2


async def test_a_blocked_event_loop_loses_its_lease_and_its_late_write(house: House) -> None:
    run_id = await house.add("test_blocking", '{"seconds": 12}', attempts=1)
    house.start_worker()
    await until(lambda: house.is_working(run_id), seconds=15)
    house.start_worker()

    async def has_failed() -> bool:
        return await house.state(run_id) == "failed"

    await until(has_failed, seconds=15)
    await asyncio.sleep(6)
    assert await house.notes(run_id) == ["begun"]
    assert await house.state(run_id) == "failed"


async def test_a_worker_without_a_database_says_so_and_ends(house: House) -> None:
    house.url = "postgresql://nobody@127.0.0.1:9/nothing"
    worker = house.start_worker()
    assert await asyncio.to_thread(worker.wait, 15) == 1


async def test_an_idle_worker_stops_at_once_and_well(house: House) -> None:
    worker = house.start_worker()
    await until(house.a_worker_is_heard, seconds=15)
    await asyncio.sleep(0.5)
    started = time.monotonic()
    worker.send_signal(signal.SIGTERM)
    assert await asyncio.to_thread(worker.wait, 10) == 0
    assert time.monotonic() - started < 2
    assert not await house.a_worker_is_heard()


async def test_a_stopping_worker_lets_a_short_run_end(house: House) -> None:
    run_id = await house.add("test_sleeping", '{"seconds": 2}')
    worker = house.start_worker()
    await until(lambda: house.is_working(run_id), seconds=15)
    later = await house.add("test_sleeping", '{"number": 2}')
    worker.send_signal(signal.SIGINT)
    assert await asyncio.to_thread(worker.wait, 12) == 0
    assert await house.state(run_id) == "succeeded"
    assert await house.state(later) in ("queued", "succeeded")


async def test_a_stopping_worker_gives_a_long_run_back_without_counting_it(house: House) -> None:
    run_id = await house.add("test_sleeping", '{"seconds": 50}')
    worker = house.start_worker()
    await until(lambda: house.is_working(run_id), seconds=15)
    worker.send_signal(signal.SIGTERM)
    assert await asyncio.to_thread(worker.wait, 15) == 0
    run = await house.sql.fetchrow("select state, attempts, lease_until from job_runs where id = $1", run_id)
    assert run and dict(run) == {"state": "queued", "attempts": 0, "lease_until": None}


async def test_a_worker_survives_the_loss_of_every_database_connection(house: House) -> None:
    house.start_worker()
    await until(house.a_worker_is_heard, seconds=15)
    for number in range(3):
        run_id = await house.add("test_sleeping", f'{{"number": {number}, "seconds": 0.5}}')
        await house.sql.execute(
            """select pg_terminate_backend(pid) from pg_stat_activity
               where datname = current_database() and pid <> pg_backend_pid()"""
        )
        await until(functools.partial(_succeeded, house, run_id), seconds=30)
