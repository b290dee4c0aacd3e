"""One run from claim to end, inside the test's own process."""

import asyncio
import json
from collections.abc import Iterator
from uuid import UUID, uuid4

import pytest

from app import database
from app.jobs import runner
from app.jobs.tasks import TASKS
from app.queue import JOB_KINDS, JobKind, Payload, Policy
from app.services import job_runs
from app.services.job_runs import Claim
from app.tables.jobs import Trigger
from tests.jobs import kinds


@pytest.fixture
def outcome() -> Iterator[list[str]]:
    """A kind `test_custom` whose task says in a list how it ended."""
    said: list[str] = []

    async def task(claim: Claim, payload: Payload) -> dict[str, int]:
        try:
            await asyncio.sleep(30)
        except asyncio.CancelledError:
            said.append("stopped")
            raise
        return {}

    JOB_KINDS["test_custom"] = JobKind("test_custom", Policy(timeout_seconds=1))
    TASKS["test_custom"] = task
    yield said
    del JOB_KINDS["test_custom"], TASKS["test_custom"]


async def _add(kind: str, payload: dict[str, object] | None = None) -> UUID:
    added = await job_runs.add(kind, str(uuid4()), payload or {}, max_attempts=3, trigger=Trigger.COMMAND)
    return added.run_id


async def _run(kind: str, payload: dict[str, object] | None = None) -> dict[str, object]:
    run_id = await _add(kind, payload)
    await runner.run(run_id, "worker")
    return await _row(run_id)


async def _row(run_id: UUID) -> dict[str, object]:
    row = await database.fetchrow("select * from job_runs where id = $1", run_id)
    assert row
    return dict(row)


async def test_work_that_takes_too_long_is_stopped_and_tried_again(outcome: list[str]) -> None:
    row = await _run("test_custom")
    assert (row["state"], row["error_class"], row["error_text"]) == ("queued", "RunTimeout", "stopped after 1 seconds")
    assert outcome == ["stopped"]


async def test_work_whose_lease_is_lost_is_stopped_and_writes_nothing(
    outcome: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job_runs, "RENEW_SECONDS", 0.1)
    run_id = await _add("test_custom")
    running = asyncio.create_task(runner.run(run_id, "worker"))
    await asyncio.sleep(0.3)
    await database.execute("update job_runs set fence = fence + 1, worker = 'another' where id = $1", run_id)
    await asyncio.wait_for(running, 1)
    row = await _row(run_id)
    assert (row["state"], row["worker"], row["error_class"]) == ("running", "another", None)
    assert outcome == ["stopped"]


async def test_an_aborted_run_stops_within_seconds_and_ends_cancelled(
    outcome: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job_runs, "RENEW_SECONDS", 0.05)
    JOB_KINDS["test_custom"] = JobKind("test_custom", Policy(timeout_seconds=60))
    run_id = await _add("test_custom")
    work = asyncio.create_task(runner.run(run_id, "worker"))
    for _ in range(200):
        if (await _row(run_id))["state"] == "running":
            break
        await asyncio.sleep(0.02)
    assert await job_runs.abort(run_id)
    await asyncio.wait_for(work, 5)
    assert outcome == ["stopped"]
    row = await _row(run_id)
    assert (row["state"], row["error_text"]) == ("cancelled", "aborted")
    assert await job_runs.rescue() == 0
    assert not await job_runs.abort(run_id)


async def test_the_lease_is_renewed_while_the_work_goes_on(
    outcome: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job_runs, "RENEW_SECONDS", 0.1)
    run_id = await _add("test_custom")
    running = asyncio.create_task(runner.run(run_id, "worker"))
    await asyncio.sleep(0.3)
    await database.execute("update job_runs set lease_until = now() + interval '1 s' where id = $1", run_id)
    await asyncio.sleep(0.3)
    assert await database.fetchval("select lease_until > now() + interval '5 s' from job_runs where id = $1", run_id)
    await running


async def test_work_that_is_cancelled_goes_back_uncounted(outcome: list[str]) -> None:
    run_id = await _add("test_custom")
    running = asyncio.create_task(runner.run(run_id, "worker"))
    await asyncio.sleep(0.3)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    row = await _row(run_id)
    assert (row["state"], row["attempts"], row["worker"]) == ("queued", 0, None)
    assert outcome == ["stopped"]


async def test_a_failure_is_kept_without_its_values() -> None:
    row = await _run("test_failing")
    assert (row["state"], row["error_class"], row["error_text"]) == ("queued", "ValueError", "ValueError")
    assert "kinds.py" in str(row["traceback"])


async def test_work_of_a_feature_that_was_switched_off_meanwhile_is_not_done(
    settings_changed: pytest.MonkeyPatch,
) -> None:
    row = await _run("game_platform_sync")
    assert (row["state"], row["error_text"]) == ("cancelled", "game_platform.score_ingestion is off")


async def test_a_payload_of_another_release_fails_at_once_and_is_kept() -> None:
    row = await _run("test_sleeping", {"written_by": "another release"})
    assert (row["state"], row["attempts"]) == ("failed", 1)
    assert row["error_text"] == "written_by: is not a field of this kind"


async def test_a_kind_of_a_newer_release_waits_for_a_worker_that_knows_it() -> None:
    assert (await _run("from_the_future"))["state"] == "queued"


async def test_a_run_that_is_done_is_not_done_again() -> None:
    await database.execute("create table if not exists worked (run_id uuid, what text)")
    row = await _run("test_sleeping", {"number": 5})
    assert (row["state"], json.loads(str(row["result"]))) == ("succeeded", {"number": 5})
    run_id = row["id"]
    assert isinstance(run_id, UUID)
    await runner.run(run_id, "worker")
    assert await _row(run_id) == row
    assert await database.fetchval("select count(*) from worked") == 2
    await database.execute("drop table worked")


def test_every_kind_has_its_task() -> None:
    assert kinds and set(JOB_KINDS) == set(TASKS)
