"""Runs as others see them."""

from uuid import uuid4

from app import database
from app.queries.job_runs import failed_calls, get_run, list_runs
from app.services import job_runs
from app.tables.jobs import Trigger


async def _add(kind: str, minutes_ago: int, state: str = "queued") -> None:
    await database.execute(
        """insert into job_runs (kind, key, state, queued_at)
           values ($1, $2, $3, now() - make_interval(mins => $4))""",
        kind, str(uuid4()), state, minutes_ago,
    )


async def test_runs_come_newest_first_and_filtered() -> None:
    await _add("one", 3)
    await _add("two", 2, "failed")
    await _add("one", 1, "failed")
    assert [(run.task_type, run.state) for run in await list_runs()] == [
        ("one", "failed"), ("two", "failed"), ("one", "queued")
    ]
    assert [run.task_type for run in await list_runs(state="failed", kind="one")] == ["one"]
    assert len(await list_runs(limit=2)) == 2


async def test_a_run_shows_its_counts_and_its_error() -> None:
    added = await job_runs.add("one", "k", {}, max_attempts=1, trigger=Trigger.USER)
    claimed = await job_runs.claim(added.run_id, "worker")
    assert claimed
    await job_runs.fail(claimed.claim, ValueError("x"), retry_seconds=1)
    run = await get_run(added.run_id)
    assert run and (run.state, run.attempts, run.result, run.error) == ("failed", 1, None, "ValueError")


async def test_a_run_that_does_not_exist_is_none() -> None:
    assert await get_run(uuid4()) is None


async def test_a_run_says_how_most_of_its_calls_failed() -> None:
    run_id = await database.fetchval(
        """insert into job_runs (kind, key, state) values ('game_platform_sync', 'k', 'succeeded')
           returning id"""
    )
    await database.execute(
        """insert into vendor_calls (vendor, token_key, kind, run_id, outcome, status)
           select 'game_platform', 'key', 'odl_scores', $1, * from (values
               ('ok', 200), ('ok', 200), ('ok', 200), ('not_found', 404), ('not_found', 404), ('not_found', 404),
               ('unavailable', 503), ('unavailable', 503), ('rate_limited', 429)) found""",
        run_id,
    )
    assert await failed_calls([run_id, uuid4()]) == {run_id: "unavailable 503"}
