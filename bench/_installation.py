"""A whole installation to measure: a real sandbox process, real worker processes, and a league in the database."""

import asyncio
import csv
import io
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import httpx

from app import database, queue
from app.queue import enqueue
from app.services import schedules
from app.settings import get_settings
from app.tables.jobs import Trigger
from bench._database import throw_away_database

ROOT = Path(__file__).parent.parent
TOKEN = "sandbox-token"
WITHOUT_ACCOUNT = 70
PEOPLE_PER_COACH = 24
PATIENCE_SECONDS = 60
RATE_LIFTED = 1_000_000

MAKE_COACHES = """
with organization as (insert into organizations (name) values ('Bench League') returning id),
people as (
    insert into users (email, role, first_name, last_name, display_name, game_platform_id, metactf_user_status)
    select 'coach' || n || '@example.org', 'coach', 'Coach', 'Number ' || n, 'Coach Number ' || n, 'coach-' || n,
        'approved'
    from generate_series(1, $1::int) n returning id
)
insert into organization_members (organization_id, user_id)
select organization.id, people.id from organization, people
"""
MAKE_COMPETITORS = """
with people as (
    insert into competitors (organization_id, coach_id, first_name, last_name, email, division, status, release_signed,
        agreement_signed, data_consent, game_platform_id, metactf_user_status)
    select m.organization_id, u.id, 'First', 'Last ' || n, 'bench' || n || '@example.org', 'high_school', 'complete',
        true, true, true, account, 'approved'
    from unnest($1::text[]) with ordinality as accounts (account, n)
    join users u on u.email = 'coach' || (1 + (n - 1) / $2::int) || '@example.org'
    join organization_members m on m.user_id = u.id
    returning id, game_platform_id
)
insert into game_platform_sync_state (syned_user_id, competitor_id) select game_platform_id, id from people
"""
OWN_SCHEDULES = "update job_schedules set enabled = false where kind like 'game_platform%'"
NOTHING_WAITS = "select not exists (select 1 from job_runs where state in ('queued', 'running'))"
LEDGER_ROW = """
select state, result, extract(epoch from finished_at - queued_at)::float8 as seconds from job_runs
where id = $1
"""


@dataclass(frozen=True, slots=True)
class Ended:
    """A run that has ended: from the wish to the end, in seconds."""

    run_id: UUID
    seconds: float
    is_good: bool
    result: dict[str, int]


@dataclass
class Installation:
    control: httpx.AsyncClient
    workers: "list[subprocess.Popen[bytes]]" = field(default_factory=list)

    async def start_worker(self, *, per_minute: int = RATE_LIFTED) -> "subprocess.Popen[bytes]":
        environment = os.environ | {"GAME_PLATFORM_MAX_REQUESTS_PER_MINUTE": str(per_minute)}
        command = [sys.executable, "-m", "app.cli", "worker"]
        known = await database.fetchval("select count(*) from workers")
        worker = await asyncio.to_thread(
            subprocess.Popen, command, cwd=ROOT, env=environment, stderr=subprocess.DEVNULL
        )
        self.workers.append(worker)
        async with asyncio.timeout(PATIENCE_SECONDS):
            while await database.fetchval("select count(*) from workers") == known:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        return worker

    async def stop_workers(self) -> None:
        for worker in self.workers:
            worker.terminate()
        for worker in self.workers:
            await asyncio.to_thread(worker.wait, 20)
        self.workers.clear()

    async def vendor_is(self, *, latency_seconds: float = 0, too_many_share: float = 0) -> None:
        """How the vendor behaves from now on, with an empty log of calls."""
        rules: list[dict[str, object]] = [{"kind": "latency", "seconds": latency_seconds}] if latency_seconds else []
        rules += [{"kind": "rate_limited", "retry_after": 1, "share": too_many_share}] if too_many_share else []
        (await self.control.delete("/faults")).raise_for_status()
        (await self.control.delete("/calls")).raise_for_status()
        (await self.control.post("/faults", json=rules)).raise_for_status()

    async def hear(self, what: str) -> Any:
        answer = await self.control.get(what)
        answer.raise_for_status()
        return answer.json()

    async def run(self, kind: str, payload: dict[str, Any] | None = None) -> Ended:
        return await self.end_of((await enqueue(kind, payload, trigger=Trigger.COMMAND)).run_id)

    async def end_of(self, run_id: UUID) -> Ended:
        while True:
            row = await database.fetchrow(LEDGER_ROW, run_id)
            assert row is not None
            if row["state"] in ("succeeded", "failed", "cancelled"):
                result = dict(json.loads(row["result"] or "{}"))
                return Ended(run_id, row["seconds"], row["state"] == "succeeded", result)
            await asyncio.sleep(0.02)

    async def is_quiet(self) -> None:
        """Waits until nothing is queued or running any more."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not await database.fetchval(NOTHING_WAITS):  # noqa: ASYNC110
                await asyncio.sleep(0.05)


@asynccontextmanager
async def open_installation(people: int) -> AsyncIterator[Installation]:
    """So many competitors, all with an approved account that has a past; no worker yet, and no run by itself."""
    async with throw_away_database() as address:
        sandbox, base_url = _start_sandbox(people)
        control = f"{urlsplit(base_url).scheme}://{urlsplit(base_url).netloc}/sandbox"
        with _environment(DATABASE_URL=address, GAME_PLATFORM_BASE_URL=base_url, GAME_PLATFORM_API_TOKEN=TOKEN):
            await queue.prepare_queue(address)
            async with httpx.AsyncClient(base_url=control, trust_env=False, timeout=60) as client:
                installation = Installation(client)
                try:
                    await _move_in(installation, people)
                    yield installation
                finally:
                    await installation.stop_workers()
                    await queue.close_queue()
                    sandbox.kill()
                    sandbox.wait()


@contextmanager
def _environment(**variables: str) -> Iterator[None]:
    """As this process and its workers see it; as it was afterwards."""
    before = dict(os.environ)
    os.environ.update(variables)
    get_settings.cache_clear()
    yield
    os.environ.clear()
    os.environ.update(before)
    get_settings.cache_clear()


def _start_sandbox(people: int) -> "tuple[subprocess.Popen[str], str]":
    command = [sys.executable, "-m", "app.sandbox", "--competitors", str(max(people, 2) + WITHOUT_ACCOUNT)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    line = process.stdout.readline()
    return process, line[line.index("http://"):].strip()


async def _move_in(installation: Installation, people: int) -> None:
    league = await installation.hear("/league")
    rows = [row for roster in league["rosters"].values() for row in csv.DictReader(io.StringIO(roster))]
    accounts = [row["game_platform_id"] for row in rows if row["game_platform_id"]][:people]
    coaches = -(-people // PEOPLE_PER_COACH)
    new = [{"syned_user_id": f"coach-{number}", "role": "coach"} for number in range(1, coaches + 1)]
    (await installation.control.post("/users", json=new)).raise_for_status()
    await database.execute(MAKE_COACHES, coaches)
    await database.execute(MAKE_COMPETITORS, accounts, PEOPLE_PER_COACH)
    await database.execute_script("vacuum analyze")
    await schedules.ensure_built_ins()
    await database.execute(OWN_SCHEDULES)


def resident_megabytes(process: "subprocess.Popen[bytes]") -> float:
    pages = int(Path(f"/proc/{process.pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1_000_000

