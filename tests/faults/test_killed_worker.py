"""The whole path under fire: the sandbox plays, the worker is killed ten times, the rows equal the vendor's truth."""

import asyncio
import os
import random
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest_asyncio

from tests import conftest
from tests.sandbox_server import TOKEN, SandboxHandle, start_sandbox

ROOT = Path(__file__).parent.parent.parent
KILLS = 10
EVERYBODY = ("--payload", '{"full": true}')


class Stage:
    """A database of its own, a playing sandbox, and a worker that can be killed and started again."""

    def __init__(self, url: str, sandbox: SandboxHandle, var_dir: Path) -> None:
        self.sandbox = sandbox
        self.environment = os.environ | {
            "DATABASE_URL": url, "GAME_PLATFORM_BASE_URL": sandbox.base_url, "GAME_PLATFORM_API_TOKEN": TOKEN,
            "GAME_PLATFORM_MAX_REQUESTS_PER_MINUTE": "20000", "GAME_PLATFORM_SYNC_BATCH_SIZE": "10",
            "SIDELINE_VAR_DIR": str(var_dir),
        }
        self.worker = self.start_worker()

    def start_worker(self) -> "subprocess.Popen[bytes]":
        return subprocess.Popen([sys.executable, "-m", "app.cli", "worker"], cwd=ROOT, env=self.environment)

    def replace_worker(self) -> None:
        self.worker.kill()
        self.worker.wait()
        self.worker = self.start_worker()

    async def sideline(self, *arguments: str) -> str:
        done = await asyncio.to_thread(
            subprocess.run, [sys.executable, "-m", "app.cli", *arguments], cwd=ROOT, env=self.environment,
            capture_output=True, text=True, timeout=120,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    async def control(self, method: str, path: str) -> Any:
        async with httpx.AsyncClient() as client:
            answer = await client.request(method, f"{self.sandbox.control_url}{path}")
        answer.raise_for_status()
        return answer.json()


@pytest_asyncio.fixture
async def url() -> AsyncIterator[str]:
    from app import queue

    name = await conftest.copy_template()
    await queue.prepare_queue(conftest.address_of(name))
    yield conftest.address_of(name)
    await conftest._drop(name)


@pytest_asyncio.fixture
async def stage(url: str, tmp_path: Path) -> AsyncIterator[Stage]:
    sandbox = start_sandbox(tmp_path / "sandbox.state", speed=2000)
    stage = Stage(url, sandbox, tmp_path / "var")
    yield stage
    stage.worker.kill()
    stage.worker.wait()
    sandbox.stop()


async def nothing_is_waiting(sql: asyncpg.Connection) -> bool:
    return not await sql.fetchval("select exists (select 1 from job_runs where state in ('queued', 'running'))")


async def test_ten_kills_lose_nothing_and_double_nothing(stage: Stage, url: str) -> None:
    chance = random.Random(10)
    await stage.sideline("demo")
    for _ in range(KILLS):
        await asyncio.sleep(chance.uniform(0.3, 2.0))
        await stage.sideline("jobs", "run", "game_platform_sync", *EVERYBODY)
        stage.replace_worker()
    await stage.control("POST", "/pause")
    sql = await asyncpg.connect(url)
    await settle(stage, sql)
    await assert_equal_to_the_truth(stage, sql)
    await sql.close()


async def settle(stage: Stage, sql: asyncpg.Connection) -> None:
    """Attempts that ended in a kill wait for their turn again; then one more look at everybody."""
    for kind in (("game_platform_onboarding",), ("game_platform_sync", *EVERYBODY)):
        async with asyncio.timeout(90):
            while not await nothing_is_waiting(sql):
                await sql.execute("update job_runs set next_attempt_at = now() where state = 'queued'")
                await asyncio.sleep(0.2)
        await stage.sideline("jobs", "run", *kind, "--wait")


async def assert_equal_to_the_truth(stage: Stage, sql: asyncpg.Connection) -> None:
    truth = await stage.control("GET", "/truth")
    known = await sql.fetch(
        """select c.game_platform_id, st.challenges_completed, st.total_score,
               array(select source || ':' || challenge_solve_id from game_platform_challenge_solves s
                     where s.competitor_id = c.id) as solves
           from competitors c join game_platform_stats st on st.competitor_id = c.id
           where c.status = 'complete' and c.metactf_user_status = 'approved'"""
    )
    assert len(known) > 55
    for row in known:
        person = truth[row["game_platform_id"]]
        flash = [solve for ctf in person["flash_ctfs"] for solve in ctf["challenge_solves"]]
        expected = [f"odl:{solve['challenge_solve_id']}" for solve in person["challenge_solves"]]
        expected += [f"flash_ctf:{solve['challenge_solve_id']}" for solve in flash]
        assert sorted(row["solves"]) == sorted(expected)
        assert row["challenges_completed"] == person["total_challenges_solved"] + len(flash)
        points = person["total_points"] + sum(ctf["points_earned"] for ctf in person["flash_ctfs"])
        assert row["total_score"] == points
    accounts = [person for person in truth.values() if person["status"] == "approved"]
    assert len(accounts) >= len(known), "nobody was made twice"
    assert await sql.fetchval("select count(*) from standings") == 72
