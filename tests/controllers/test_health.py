"""What monitors ask: 200 or 503, and why."""

import time
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import httpx
import pytest_asyncio

from app import database
from app.main import create_app
from app.services import schedules, workers


@pytest_asyncio.fixture
async def monitor() -> AsyncIterator[httpx.AsyncClient]:
    app: Any = create_app()
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as client:
        yield client


async def test_a_process_that_answers_is_live_and_ready(monitor: httpx.AsyncClient) -> None:
    for path in ("/health/live", "/health/ready"):
        answer = await monitor.get(path)
        assert (answer.status_code, answer.json()["status"]) == (200, "ok")


async def test_without_a_worker_the_worker_is_unavailable(monitor: httpx.AsyncClient) -> None:
    answer = await monitor.get("/health/worker")
    assert answer.status_code == 503
    assert answer.json()["why"] == "No worker is running. Start one: bin/sideline worker"


async def test_a_worker_is_well_while_it_is_heard(monitor: httpx.AsyncClient) -> None:
    worker_id = uuid4()
    await workers.hear(worker_id, "here:1")
    assert (await monitor.get("/health/worker")).status_code == 200
    await database.execute("update workers set last_heard_at = now() - interval '61 s'")
    answer = await monitor.get("/health/worker")
    assert answer.status_code == 503
    assert "last heard 61 seconds ago" in answer.json()["why"]
    await workers.hear(worker_id, "here:1")
    assert (await monitor.get("/health/worker")).status_code == 200
    await workers.leave(worker_id)
    assert (await monitor.get("/health/worker")).status_code == 503


async def test_the_scheduler_is_well_while_no_slot_waits_long(monitor: httpx.AsyncClient) -> None:
    assert (await monitor.get("/health/scheduler")).status_code == 503
    await schedules.ensure_built_ins()
    assert (await monitor.get("/health/scheduler")).status_code == 200
    await database.execute("update job_schedules set next_run_at = now() - interval '90 s' where name = 'job_cleanup'")
    assert (await monitor.get("/health/scheduler")).status_code == 200
    await database.execute("update job_schedules set next_run_at = now() - interval '200 s' where name = 'job_cleanup'")
    answer = await monitor.get("/health/scheduler")
    assert answer.status_code == 503
    assert "job_cleanup is overdue by 200 seconds" in answer.json()["why"]
    await database.execute("update job_schedules set enabled = false where name = 'job_cleanup'")
    assert (await monitor.get("/health/scheduler")).status_code == 200


async def test_schedules_that_are_all_paused_are_no_trouble(monitor: httpx.AsyncClient) -> None:
    await schedules.ensure_built_ins()
    await database.execute("update job_schedules set enabled = false, next_run_at = now() - interval '200 s'")
    answer = await monitor.get("/health/scheduler")
    assert (answer.status_code, answer.json()["why"]) == (200, "Every schedule is paused.")


async def test_a_busy_pool_is_told_within_a_second(monitor: httpx.AsyncClient) -> None:
    pool = database.DB.pool
    assert pool
    held = [await pool.acquire() for _ in range(pool.get_max_size())]
    try:
        started = time.monotonic()
        answer = await monitor.get("/health/ready")
        assert (answer.status_code, answer.json()["why"]) == (503, "The database does not answer.")
        assert (await monitor.get("/health/live")).status_code == 200
        assert time.monotonic() - started < 1.5
    finally:
        for connection in held:
            await pool.release(connection)
