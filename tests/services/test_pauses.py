"""Pausing: what is paused waits, nothing is lost, and both ends are on record."""

from uuid import UUID

import pytest

from app import database
from app.domain.job_words import KIND_TITLES, VENDOR_TITLES
from app.domain.pauses import Scope
from app.jobs import runner
from app.jobs.tasks import TASKS
from app.queue import JOB_KINDS, enqueue, open_kinds
from app.services import job_runs, pauses
from app.tables.jobs import Trigger
from tests.cast import Cast, make_cast
from tests.readers import reader_for


@pytest.fixture
async def cast() -> Cast:
    return await make_cast()


async def state_of(run_id: UUID) -> str:
    return str(await database.fetchval("select state from job_runs where id = $1", run_id))


async def waiting() -> set[str]:
    kinds = await open_kinds(TASKS)
    return {run.kind for run in await job_runs.due_runs(kinds.all, 100, asked_for=kinds.asked_for)}


@pytest.mark.parametrize(("scope", "name"), [(Scope.ALL, ""), (Scope.KIND, "job_cleanup")])
async def test_a_paused_run_waits_and_goes_on_after_the_pause(cast: Cast, scope: Scope, name: str) -> None:
    assert await pauses.pause(scope, name, reason="maintenance", actor=await reader_for(cast.admin))
    asked = await enqueue("job_cleanup", trigger=Trigger.USER)
    assert asked.is_paused
    assert await waiting() == set()
    await runner.run(asked.run_id, "worker")
    assert await state_of(asked.run_id) == "queued"

    assert await pauses.resume(scope, name, actor=await reader_for(cast.admin))
    assert await waiting() == {"job_cleanup"}
    await runner.run(asked.run_id, "worker")
    assert await state_of(asked.run_id) == "succeeded"


async def test_a_paused_vendor_holds_its_kinds_and_no_other(
    cast: Cast, settings_changed: pytest.MonkeyPatch
) -> None:
    settings_changed.setenv("GAME_PLATFORM_API_TOKEN", "token")
    await pauses.pause(Scope.VENDOR, "game_platform", reason="moving house", actor=await reader_for(cast.admin))
    assert (await enqueue("game_platform_sync", trigger=Trigger.USER)).is_paused
    assert not (await enqueue("alerts_evaluate", trigger=Trigger.USER)).is_paused
    assert await waiting() == {"alerts_evaluate"}


async def test_an_automatic_stop_holds_back_only_what_starts_by_itself(cast: Cast) -> None:
    await pauses.pause(Scope.KIND, "job_cleanup", reason="failed 5 times", actor=None, is_automatic=True)
    assert (await enqueue("job_cleanup", trigger=Trigger.SCHEDULE)).is_paused
    assert await waiting() == set()
    await database.execute("delete from job_runs")
    asked = await enqueue("job_cleanup", trigger=Trigger.USER)
    assert not asked.is_paused
    assert await waiting() == {"job_cleanup"}
    await runner.run(asked.run_id, "worker")
    assert await state_of(asked.run_id) == "succeeded"


async def test_pausing_twice_keeps_the_first_reason_and_both_ends_are_audited(cast: Cast) -> None:
    admin = await reader_for(cast.admin)
    assert await pauses.pause(Scope.ALL, reason="first", actor=admin)
    assert not await pauses.pause(Scope.ALL, reason="second", actor=admin)
    assert [each.reason for each in await pauses.read_pauses()] == ["first"]
    assert await pauses.resume(Scope.ALL, actor=admin)
    assert not await pauses.resume(Scope.ALL, actor=admin)
    rows = await database.fetch("select action, actor_id from audit_log order by id")
    assert [(row["action"], row["actor_id"]) for row in rows] == [
        ("pause.begin", cast.admin.id), ("pause.end", cast.admin.id)
    ]


def test_every_kind_and_its_vendor_have_a_title() -> None:
    kinds = {name: kind for name, kind in JOB_KINDS.items() if not name.startswith("test_")}
    assert set(KIND_TITLES) >= set(kinds)
    assert set(VENDOR_TITLES) >= {kind.vendor for kind in kinds.values() if kind.vendor}
