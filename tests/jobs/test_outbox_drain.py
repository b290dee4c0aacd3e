"""Roster changes on their way through a real worker: at once, after a lost wake-up, after a kill, or not at all."""

import asyncio
import os
import statistics
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator

import pytest
import pytest_asyncio

from app import database, queue
from app.features import FeatureOff
from app.services import flags, outbox, teams
from app.settings import get_settings
from app.tables.jobs import Trigger
from app.tables.outbox import PushKind
from tests.cast import Person, make_team
from tests.jobs.processes import until
from tests.sandbox_server import TOKEN, SandboxHandle
from tests.services.conftest import coach, platform, sandbox_process
from tests.services.platform import Platform, make_onboarded
from tests.services.team_pushes import AFFILIATION, effects, ours, reader_of, rows, theirs

__all__ = ["coach", "platform", "sandbox_process"]

ENTRY = "from app.jobs.worker import main\nmain()"
StartWorker = Callable[[], "subprocess.Popen[bytes]"]


@pytest.fixture
def start_worker(
    sandbox_process: SandboxHandle, settings_changed: pytest.MonkeyPatch, database_url: str
) -> Iterator[StartWorker]:
    """Workers on the test's own database, and the settings of this process as theirs are."""
    settings_changed.setenv("GAME_PLATFORM_BASE_URL", sandbox_process.base_url)
    settings_changed.setenv("GAME_PLATFORM_API_TOKEN", TOKEN)
    settings_changed.setenv("GAME_PLATFORM_MAX_REQUESTS_PER_MINUTE", "1000000")
    get_settings.cache_clear()
    started: list[subprocess.Popen[bytes]] = []

    def start() -> "subprocess.Popen[bytes]":
        environment = os.environ | {"DATABASE_URL": database_url}
        started.append(subprocess.Popen([sys.executable, "-c", ENTRY], env=environment))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait()


@pytest_asyncio.fixture(autouse=True)
async def prepared_queue(database_url: str) -> AsyncIterator[None]:
    await queue.prepare_queue(database_url)
    yield
    await database.execute("delete from saq_jobs")


async def a_worker_is_heard() -> bool:
    return bool(await database.fetchval("select exists (select from workers)"))


async def everything_is_sent() -> bool:
    return {row["state"] for row in await rows()} <= {"sent"}


async def test_a_change_reaches_the_platform_within_seconds(
    platform: Platform, coach: Person, start_worker: StartWorker
) -> None:
    start_worker()
    await until(a_worker_is_heard, seconds=20)
    reader = reader_of(coach)
    roster = [
        await teams.create(reader, name=name, division="high_school", affiliation=AFFILIATION)
        for name in ("Firewall", "Backdoor")
    ]
    ada, _ = await make_onboarded(platform, coach, "Ada Alder")
    took = []
    for number in range(12):
        started = time.monotonic()
        await teams.add_member(reader, roster[number % 2], ada)
        await until(everything_is_sent, seconds=60)
        took.append(time.monotonic() - started)
    assert await ours() == await theirs(platform)
    assert statistics.quantiles(took, n=20)[-1] < 10 and max(took) < 60


async def test_a_change_that_nobody_was_woken_for_goes_all_the_same(
    platform: Platform, coach: Person, start_worker: StartWorker
) -> None:
    team_id = await make_team(coach, "Firewall")
    async with database.transaction():
        await outbox.add(PushKind.TEAM, team_id, organization_id=coach.organization_id)
    start_worker()
    await until(everything_is_sent, seconds=30)
    assert list(await theirs(platform)) == [str(team_id)]


async def test_a_killed_worker_does_nothing_twice(
    platform: Platform, coach: Person, start_worker: StartWorker
) -> None:
    first = start_worker()
    await until(a_worker_is_heard, seconds=20)
    reader = reader_of(coach)
    team_id = await teams.create(reader, name="Firewall", division="high_school", affiliation=AFFILIATION)
    await until(everything_is_sent, seconds=30)
    people = [(await make_onboarded(platform, coach, f"Player{number} Poplar"))[0] for number in range(24)]
    await platform.fail(kind="latency", seconds=0.2)
    for person in people:
        await teams.add_member(reader, team_id, person)

    async def some_are_there() -> bool:
        return len((await theirs(platform))[str(team_id)]) >= 6

    await until(some_are_there, seconds=30)
    first.kill()
    start_worker()
    await until(everything_is_sent, seconds=60)
    assert await ours() == await theirs(platform)
    assert (await effects(platform)).count("user_assigned") == 24


async def test_while_it_is_off_nothing_is_sent_and_then_everything(
    platform: Platform, coach: Person, start_worker: StartWorker
) -> None:
    await flags.set_flag(
        "game_platform.roster_sync", False, organization_id=None, actor=None, actor_label="test"
    )
    start_worker()
    await until(a_worker_is_heard, seconds=20)
    await teams.create(reader_of(coach), name="Firewall", division="high_school", affiliation=AFFILIATION)
    with pytest.raises(FeatureOff):
        await queue.enqueue("outbox_drain", trigger=Trigger.COMMAND)
    await asyncio.sleep(3)
    assert await platform.hear("/calls") == [] and [row["attempts"] for row in await rows()] == [0]
    await flags.set_flag(
        "game_platform.roster_sync", True, organization_id=None, actor=None, actor_label="test"
    )
    await until(everything_is_sent, seconds=30)


async def test_organizations_that_are_off_start_no_run(
    platform: Platform, coach: Person, start_worker: StartWorker
) -> None:
    """Their rows are due all the time; looking at them every second must not fill the ledger."""
    await flags.set_flag(
        "game_platform.roster_sync", False, organization_id=coach.organization_id, actor=None, actor_label="test"
    )
    await database.execute("insert into organizations (name) values ('Southern League')")
    await teams.create(reader_of(coach), name="Firewall", division="high_school", affiliation=AFFILIATION)
    await database.execute("delete from job_runs")
    start_worker()
    await until(a_worker_is_heard, seconds=20)
    await asyncio.sleep(3)
    asked_for = "select count(*) from job_runs where kind = 'outbox_drain' and schedule_id is null"
    assert await database.fetchval(asked_for) == 0 and await platform.hear("/calls") == []
