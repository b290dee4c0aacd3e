"""Rows from looks: whatever is read again, in whatever order, the rows are those of the solves."""

from typing import Any
from uuid import UUID

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app import database
from app.integrations.game_platform.schemas import FlashCtfProgress, OdlScores
from app.integrations.records import read
from app.services import job_runs, score_reading, score_store
from app.services.score_fetch import Look, load_subjects
from tests.cast import Person, make_competitor
from tests.services.platform import claim_run

BEGIN = 1_760_000_000
FEW = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def solve(solve_id: int, at: int) -> dict[str, Any]:
    return {
        "challenge_solve_id": solve_id, "challenge_id": 7, "challenge_title": "Caesar", "challenge_points": 100,
        "challenge_category": "crypto", "timestamp_unix": BEGIN + at, "challenge_retired": False,
        "nist_nice_work_roles": [],
    }


def odl(solves: list[dict[str, Any]], total: int) -> OdlScores:
    return read(OdlScores, {
        "metactf_user_id": 1, "total_challenges_solved": total, "total_points": 100 * total,
        "last_accessed_unix_timestamp": BEGIN, "category_points": {}, "challenge_solves": solves,
    })


def flash(solves: list[dict[str, Any]], names: tuple[str, ...]) -> FlashCtfProgress:
    return read(FlashCtfProgress, {"syned_user_id": "any", "flash_ctfs": [
        {"flash_ctf_name": name, "flash_ctf_time_start_unix": BEGIN, "challenges_solved": len(solves),
         "challenge_solves": solves, "points_earned": 1, "max_points_possible": 2, "rank": 1}
        for name in names
    ]})


async def store(competitor_id: UUID, **parts: Any) -> score_reading.Reading:
    [subject] = await load_subjects([competitor_id])
    [reading] = await score_reading.read([Look(subject=subject, **parts)])
    claim = await claim_run()
    async with database.transaction():
        await job_runs.keep(claim)
        await score_store.store(claim, [reading])
    return reading


async def ids() -> set[str]:
    rows = await database.fetch("select challenge_solve_id from game_platform_challenge_solves")
    assert len({row[0] for row in rows}) == len(rows)
    return {row[0] for row in rows}


@FEW
@given(
    times=st.lists(st.integers(0, 20), min_size=1, max_size=12),
    windows=st.lists(st.tuples(st.integers(0, 20), st.integers(0, 20)), max_size=6),
)
async def test_any_windows_in_any_order_give_the_same_rows(
    coach: Person, times: list[int], windows: list[tuple[int, int]]
) -> None:
    competitor_id = await make_competitor(coach, "Ada Alder")
    solves = [solve(number, at) for number, at in enumerate(times)]
    for first, last in [*windows, (0, 20), *reversed(windows)]:
        window = [one for one in solves if first <= one["timestamp_unix"] - BEGIN <= last]
        await store(competitor_id, odl=odl(window, 1))
    assert await ids() == {str(number) for number in range(len(times))}
    newest = await database.fetchval("select max(solved_at) from game_platform_challenge_solves")
    cursor = await database.fetchval("select last_odl_synced_at from game_platform_sync_state")
    assert cursor == newest
    await database.execute("delete from competitors where id = $1", competitor_id)


async def test_a_solve_that_comes_twice_in_one_answer_is_one_row(coach: Person) -> None:
    competitor_id = await make_competitor(coach, "Ada Alder")
    reading = await store(competitor_id, odl=odl([solve(1819, 0), solve(1819, 0)], 1))
    assert (len(reading.fresh), reading.must_reread) == (1, False)
    assert await ids() == {"1819"}


async def test_an_event_that_comes_twice_in_one_answer_is_one_row(coach: Person) -> None:
    competitor_id = await make_competitor(coach, "Ada Alder")
    await store(competitor_id, odl=odl([], 0), flash=flash([solve(1, 0)], ("January", " January ")))
    assert await database.fetchval("select count(*) from game_platform_flash_ctf_events") == 1
    assert await ids() == {"1"}


async def test_totals_past_all_use_fill_their_column_and_break_nothing(coach: Person) -> None:
    competitor_id = await make_competitor(coach, "Ada Alder")
    scores = odl([solve(1, 0)], 1).model_copy(update={"total_points": 2**31 - 1})
    await store(competitor_id, odl=scores, flash=flash([solve(1, 0)], ("January",)))
    assert await database.fetchval("select total_score from game_platform_stats") == 2**31 - 1


async def test_changed_points_change_the_totals_and_keep_the_history(coach: Person) -> None:
    competitor_id = await make_competitor(coach, "Ada Alder")
    await store(competitor_id, odl=odl([solve(1, 0)], 1))
    changed = odl([solve(1, 0) | {"challenge_points": 40}], 1).model_copy(update={"total_points": 40})
    reading = await store(competitor_id, odl=changed)
    assert reading.fresh == []
    assert await database.fetchval("select total_score from game_platform_stats") == 40
    assert await database.fetchval("select challenge_points from game_platform_challenge_solves") == 100
