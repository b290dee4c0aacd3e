"""The ledger: who may move a run where, and what is kept of it."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app import database
from app.services import job_runs
from app.services.job_runs import Claim, ClaimedRun, LeaseLost
from app.tables.jobs import RunState, Trigger


async def _add(key: str | None = None, *, max_attempts: int = 3) -> UUID:
    added = await job_runs.add(
        "job_cleanup", key or str(uuid4()), {}, max_attempts=max_attempts, trigger=Trigger.COMMAND
    )
    return added.run_id


async def _claimed(*, max_attempts: int = 3) -> Claim:
    claimed = await job_runs.claim(await _add(max_attempts=max_attempts), "worker")
    assert claimed
    return claimed.claim


async def _row(run_id: UUID) -> dict[str, object]:
    row = await database.fetchrow("select * from job_runs where id = $1", run_id)
    assert row
    return dict(row)


async def _expire_lease(run_id: UUID) -> None:
    await database.execute("update job_runs set lease_until = now() - interval '1 s' where id = $1", run_id)


async def _make_due(run_id: UUID) -> None:
    await database.execute("update job_runs set next_attempt_at = now() where id = $1", run_id)


async def test_the_same_key_is_queued_or_running_only_once() -> None:
    first = await job_runs.add("job_cleanup", "k", {}, max_attempts=3, trigger=Trigger.USER)
    second = await job_runs.add("job_cleanup", "k", {}, max_attempts=3, trigger=Trigger.USER)
    assert (second.run_id, second.is_new) == (first.run_id, False)
    claimed = await job_runs.claim(first.run_id, "worker")
    assert claimed
    third = await job_runs.add("job_cleanup", "k", {}, max_attempts=3, trigger=Trigger.USER)
    assert (third.run_id, third.state) == (first.run_id, RunState.RUNNING)
    await job_runs.finish(claimed.claim, {})
    assert (await job_runs.add("job_cleanup", "k", {}, max_attempts=3, trigger=Trigger.USER)).is_new


async def test_ten_at_once_with_the_same_key_make_one_run() -> None:
    added = await asyncio.gather(
        *(job_runs.add("job_cleanup", "k", {}, max_attempts=3, trigger=Trigger.USER) for _ in range(10))
    )
    assert len({one.run_id for one in added}) == 1
    assert sum(one.is_new for one in added) == 1


async def test_one_of_ten_workers_gets_the_claim() -> None:
    run_id = await _add()
    claims = await asyncio.gather(*(job_runs.claim(run_id, f"worker {n}") for n in range(10)))
    assert len([claim for claim in claims if claim]) == 1


async def test_a_worker_claims_only_kinds_it_knows() -> None:
    run_id = await _add()
    assert await job_runs.claim(run_id, "worker", kinds=["another"]) is None
    assert await job_runs.claim(run_id, "worker", kinds=["job_cleanup"])


async def test_a_finished_run_keeps_its_counts_and_no_error() -> None:
    claim = await _claimed()
    await job_runs.fail(claim, ValueError("x"), retry_seconds=0)
    again = await job_runs.claim(claim.run_id, "worker")
    assert again and again.attempt == 2
    await job_runs.finish(again.claim, {"total": 3})
    row = await _row(claim.run_id)
    assert (row["state"], row["result"], row["error_class"], row["traceback"]) == (
        "succeeded", '{"total": 3}', None, None
    )


async def test_a_failed_attempt_waits_longer_each_time_by_a_random_part() -> None:
    waits: dict[int, set[float]] = {1: set(), 2: set()}
    for _ in range(12):
        claim = await _claimed()
        for attempt, kept in waits.items():
            assert await job_runs.fail(claim, ValueError("x"), retry_seconds=300) is RunState.QUEUED
            kept.add(
                await database.fetchval(
                    """select extract(epoch from next_attempt_at - clock_timestamp())::float8
                       from job_runs where id = $1""",
                    claim.run_id,
                )
            )
            if attempt == 1:
                await _make_due(claim.run_id)
                again = await job_runs.claim(claim.run_id, "worker")
                assert again
                claim = again.claim
    assert min(waits[1]) > -1 and max(waits[1]) <= 300
    assert max(waits[2]) <= 600
    assert max(waits[2]) > 300 or sum(waits[2]) > sum(waits[1])
    assert len(waits[1]) == len(waits[2]) == 12


async def test_after_the_last_attempt_a_run_has_failed_and_every_attempt_is_kept() -> None:
    run_id = await _add()
    for expected in (RunState.QUEUED, RunState.QUEUED, RunState.FAILED):
        await _make_due(run_id)
        claimed = await job_runs.claim(run_id, "worker")
        assert claimed
        assert await job_runs.fail(claimed.claim, KeyError("x"), retry_seconds=300) is expected
    await _make_due(run_id)
    assert await job_runs.claim(run_id, "worker") is None
    attempts = await database.fetch(
        "select attempt, error_class, worker from job_attempts where run_id = $1 order by id", run_id
    )
    assert [tuple(row) for row in attempts] == [(n, "KeyError", "worker") for n in (1, 2, 3)]
    assert (await _row(run_id))["finished_at"] is not None


async def test_a_kept_error_holds_no_personal_data_and_no_values() -> None:
    claim = await _claimed()
    person = "@".join(("zimmermann", "example.org"))
    try:
        int(person)
    except ValueError as error:
        await job_runs.fail(claim, error, retry_seconds=0)
    row = await _row(claim.run_id)
    kept = f"{row['error_class']} {row['error_text']} {row['traceback']}"
    assert "ValueError" in kept and "test_job_runs.py" in kept
    assert "zimmermann@" not in kept and "invalid literal" not in kept


async def test_an_error_of_the_database_keeps_its_code_and_not_its_values() -> None:
    claim = await _claimed()
    try:
        for _ in range(2):
            await database.execute("insert into organizations (name) values ('Secret School')")
    except Exception as error:
        await job_runs.fail(claim, error, retry_seconds=0)
    assert (await _row(claim.run_id))["error_text"] == "UniqueViolationError (23505 organizations_name_key)"


async def test_a_thousand_leased_runs_are_rescued_by_one_statement() -> None:
    await database.execute(
        """insert into job_runs (kind, key, state, attempts, max_attempts, fence, lease_until, started_at, worker)
           select 'job_cleanup', 'k' || n, 'running', case when n <= 10 then 3 else 1 end, 3, 1,
               clock_timestamp() - interval '1 s', now(), 'lost' from generate_series(1, 1000) n"""
    )
    assert await job_runs.rescue() == 1000
    states = await database.fetch("select state, count(*) from job_runs group by state")
    assert {row["state"]: row["count"] for row in states} == {"queued": 990, "failed": 10}
    kept = await database.fetch("select error_text, worker, count(*) from job_attempts group by 1, 2")
    assert [tuple(row) for row in kept] == [("the worker was lost", "lost", 1000)]
    assert await job_runs.rescue() == 0


async def test_two_rescuers_at_once_count_each_attempt_once() -> None:
    claims = [await _claimed() for _ in range(20)]
    for claim in claims:
        await _expire_lease(claim.run_id)
    assert sum(await asyncio.gather(*(job_runs.rescue() for _ in range(4)))) == 20
    assert await database.fetchval("select count(*) from job_attempts") == 20


async def test_a_lease_that_is_renewed_is_not_rescued() -> None:
    claim = await _claimed()
    await _expire_lease(claim.run_id)
    await job_runs.keep(claim)
    assert await job_runs.rescue() == 0


async def test_who_lost_the_lease_can_write_nothing() -> None:
    old = await _claimed()
    await _expire_lease(old.run_id)
    await job_runs.rescue()
    new = await job_runs.claim(old.run_id, "another")
    assert new
    before = await _row(old.run_id)
    for write in (
        job_runs.keep(old), job_runs.finish(old, {"total": 1}), job_runs.fail(old, ValueError(), retry_seconds=1),
        job_runs.release(old), job_runs.abandon(old, "off"),
    ):
        with pytest.raises(LeaseLost):
            await write
    assert await _row(old.run_id) == before
    with pytest.raises(LeaseLost):
        await _store_under(old)
    assert await database.fetchval("select count(*) from organizations") == 0


async def _store_under(claim: Claim) -> None:
    async with database.transaction():
        await database.execute("insert into organizations (name) values ('Late')")
        await job_runs.keep(claim)


async def test_only_a_waiting_run_can_be_cancelled() -> None:
    waiting = await _add()
    assert await job_runs.cancel(waiting)
    assert not await job_runs.cancel(waiting)
    running = await _claimed()
    assert not await job_runs.cancel(running.run_id)


async def test_due_runs_come_longest_waiting_first_and_only_of_known_kinds() -> None:
    first, second, later = await _add(), await _add(), await _add()
    await database.execute("update job_runs set next_attempt_at = now() - interval '1 h' where id = $1", second)
    await database.execute("update job_runs set next_attempt_at = now() + interval '1 h' where id = $1", later)
    assert [run.run_id for run in await job_runs.due_runs(["job_cleanup"], 10)] == [second, first]
    assert await job_runs.due_runs(["another"], 10) == []
    assert [run.run_id for run in await job_runs.due_runs(["job_cleanup"], 1)] == [second]


@dataclass
class Model:
    """What a run must look like after legal moves only."""

    state: str = "queued"
    attempts: int = 0
    fence: int = 0

    def claim(self) -> None:
        self.state, self.attempts, self.fence = "running", self.attempts + 1, self.fence + 1

    def end_attempt(self) -> None:
        self.state = "failed" if self.attempts >= 3 else "queued"

    def release(self) -> None:
        self.state, self.attempts = "queued", self.attempts - 1


HOLDERS = ("finish", "fail", "release", "abandon", "keep")
MOVES = st.sampled_from(("claim", "rescue", "cancel", *HOLDERS, *(f"late {move}" for move in HOLDERS)))


async def _hold(move: str, claim: Claim) -> bool:
    """Whether the holder's move was accepted."""
    moves: dict[str, Callable[[], Awaitable[object]]] = {
        "finish": lambda: job_runs.finish(claim, {}), "release": lambda: job_runs.release(claim),
        "fail": lambda: job_runs.fail(claim, ValueError(), retry_seconds=0),
        "abandon": lambda: job_runs.abandon(claim, "off"), "keep": lambda: job_runs.keep(claim),
    }
    try:
        await moves[move]()
    except LeaseLost:
        return False
    return True


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(moves=st.lists(MOVES, max_size=14))
async def test_no_sequence_of_moves_leaves_the_legal_ones(moves: list[str]) -> None:
    run_id, model = await _add(), Model()
    held: list[ClaimedRun] = []
    for move in moves:
        if move == "claim":
            claimed = await job_runs.claim(run_id, "worker")
            assert (claimed is not None) == (model.state == "queued")
            if claimed:
                model.claim()
                held.append(claimed)
        elif move == "rescue":
            if model.state == "running":
                await _expire_lease(run_id)
            assert await job_runs.rescue() == (model.state == "running")
            if model.state == "running":
                model.end_attempt()
        elif move == "cancel":
            assert await job_runs.cancel(run_id) == (model.state == "queued")
            model.state = "cancelled" if model.state == "queued" else model.state
        else:
            await _check_holder(move, held, model)
        row = await _row(run_id)
        assert (row["state"], row["attempts"], row["fence"]) == (model.state, model.attempts, model.fence)
        assert (row["lease_until"] is not None) == (model.state == "running")
        assert (row["finished_at"] is not None) == (model.state in ("succeeded", "failed", "cancelled"))
    await database.execute("delete from job_runs where id = $1", run_id)


async def _check_holder(move: str, held: list[ClaimedRun], model: Model) -> None:
    """`late`: an older claim than the newest one, which may do nothing at any time."""
    is_late = move.startswith("late ")
    move = move.removeprefix("late ")
    candidates = held[:-1] if is_late else held[-1:]
    if not candidates:
        return
    accepted = await _hold(move, candidates[-1].claim)
    assert accepted == (not is_late and model.state == "running")
    if not accepted:
        return
    if move == "finish":
        model.state = "succeeded"
    elif move == "fail":
        model.end_attempt()
    elif move == "release":
        model.release()
    elif move == "abandon":
        model.state = "cancelled"
