from uuid import UUID

import pytest
import pytest_asyncio

from app import database
from app.services import totals_drift
from app.services.reconcile import DriftError, accept_theirs, push_ours
from tests.cast import Person, make_competitor
from tests.league import ago, solve
from tests.services.platform import Platform
from tests.services.rosters import as_coach, listed, look, make_rosters, the_row
from tests.services.tuples import tuples_written, written_between


@pytest_asyncio.fixture
async def scorer(coach: Person) -> UUID:
    """Two stored solves of 100 points, and totals that agree."""
    competitor_id = await make_competitor(coach, "Sol Solver")
    await solve(competitor_id, 100, ago(days=2))
    await solve(competitor_id, 100, ago(days=1), source="flash_ctf")
    await database.execute("update game_platform_sync_state set last_result = 'success'")
    return competitor_id


async def note(competitor_id: UUID) -> None:
    async with database.transaction():
        await totals_drift.note([competitor_id])


async def set_totals(challenges: int, points: int) -> None:
    await database.execute(
        "update game_platform_stats set challenges_completed = $1, total_score = $2", challenges, points
    )


async def test_totals_that_add_up_are_no_drift(scorer: UUID) -> None:
    before = await tuples_written()
    await note(scorer)
    assert written_between(before, await tuples_written()) == {}


async def test_totals_that_do_not_add_up_are_a_row_each_until_they_do(scorer: UUID) -> None:
    await set_totals(3, 250)
    await note(scorer)
    assert await listed() == [("competitor", "challenges", "2", "3"), ("competitor", "points", "200", "250")]
    before = await tuples_written()
    await note(scorer)
    assert written_between(before, await tuples_written()) == {}
    await set_totals(2, 250)
    await note(scorer)
    assert await listed() == [("competitor", "points", "200", "250")]
    await set_totals(2, 200)
    await note(scorer)
    assert await listed() == []


async def test_whoever_could_not_be_read_is_not_compared(scorer: UUID) -> None:
    await set_totals(3, 250)
    for trouble in ("last_result = 'failure'", "last_result = 'success', needs_totals_refresh = true"):
        await database.execute(f"update game_platform_sync_state set {trouble}")
        await note(scorer)
        assert await listed() == []


async def test_the_platforms_total_is_accepted_as_long_as_nothing_changes(scorer: UUID, coach: Person) -> None:
    await set_totals(3, 200)
    await note(scorer)
    reader, row_id = as_coach(coach), await the_row("challenges")
    with pytest.raises(DriftError, match="counts the solves"):
        await push_ours(reader, row_id)
    await accept_theirs(reader, row_id)
    await accept_theirs(reader, row_id)
    await note(scorer)
    assert await listed() == []
    assert await database.fetchval("select count(*) from audit_log where action = 'drift.accepted'") == 1
    await set_totals(4, 200)
    await note(scorer)
    assert await listed() == [("competitor", "challenges", "2", "4")]


async def test_a_reconcile_looks_at_totals_that_a_full_read_could_not_explain(
    scorer: UUID, platform: Platform, coach: Person
) -> None:
    await set_totals(3, 200)
    await make_rosters(platform, coach)
    await look(platform)
    assert ("competitor", "challenges", "2", "3") not in await listed()
    await database.execute(
        "update game_platform_sync_state set recounted_total = 3 where competitor_id = $1", scorer
    )
    await look(platform)
    assert ("competitor", "challenges", "2", "3") in await listed()
