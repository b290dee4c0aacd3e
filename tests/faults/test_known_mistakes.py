"""Mistakes that others made in this flow, over the whole path from the platform's HTTP to what a coach sees."""

from typing import Any
from uuid import UUID

from app import database
from tests.cast import Person
from tests.clock import hours_go_by
from tests.faults.stage import coach, connected, platform, run, sandbox_process
from tests.services.platform import Platform, make_onboarded

__all__ = ["coach", "connected", "platform", "sandbox_process"]

REPEATED_ID = 1819
MAY = {"flash_ctf_name": "May Flash CTF", "flash_ctf_time_start_unix": 1_770_000_000}
JUNE = {"flash_ctf_name": "June Flash CTF", "flash_ctf_time_start_unix": 1_772_600_000}


async def stored(competitor_id: UUID) -> list[tuple[Any, ...]]:
    rows = await database.fetch(
        """select source, challenge_solve_id from game_platform_challenge_solves where competitor_id = $1
           order by source, event_id""",
        competitor_id,
    )
    return [tuple(row) for row in rows]


async def test_one_repeated_solve_id_costs_nobody_anything_and_every_cursor_moves(
    connected: Platform, coach: Person
) -> None:
    """It failed a whole batch, the cursor never moved, and no run completed for 18 days."""
    people = [await make_onboarded(connected, coach, f"Player {number}") for number in range(5)]
    for _, account in people:
        await connected.solve(account, challenge_solve_id=REPEATED_ID, timestamp_unix=1_771_000_000)
        await connected.solve(account, challenge_solve_id=REPEATED_ID, timestamp_unix=1_770_000_100, **MAY)
        await connected.solve(account, challenge_solve_id=REPEATED_ID, timestamp_unix=1_772_600_100, **JUNE)
    for _ in range(2):
        assert await run("game_platform_sync") == "succeeded"
        for competitor_id, _ in people:
            assert await stored(competitor_id) == [
                ("flash_ctf", str(REPEATED_ID)), ("flash_ctf", str(REPEATED_ID)), ("odl", str(REPEATED_ID)),
            ]
        await hours_go_by(9)
    moved = "select count(*) from game_platform_sync_state where last_odl_synced_at = to_timestamp(1771000000)"
    assert await database.fetchval(moved) == len(people)


async def test_who_is_enrolled_between_two_runs_is_read_whole_whatever_the_sentinels_say(
    connected: Platform, coach: Person
) -> None:
    """One sentinel stood for all: it had nothing new, so the newcomer's contests were skipped."""
    _, sentinel = await make_onboarded(connected, coach, "Sen Tinel")
    await connected.solve(sentinel, timestamp_unix=1_770_000_100, **MAY)
    assert await run("game_platform_sync") == "succeeded"
    newcomer, account = await make_onboarded(connected, coach, "New Comer")
    await connected.solve(account, timestamp_unix=1_770_000_200, **MAY)
    await connected.solve(account, timestamp_unix=1_769_000_000)
    assert await run("game_platform_sync") == "succeeded"
    assert [source for source, _ in await stored(newcomer)] == ["flash_ctf", "odl"]


async def test_what_a_coach_sees_is_what_is_stored(connected: Platform, coach: Person) -> None:
    """Drill-downs showed zeros because raw payloads and normalised tables disagreed."""
    competitor_id, account = await make_onboarded(connected, coach, "Ada Poplar")
    for second in range(3):
        await connected.solve(account, timestamp_unix=1_771_000_000 + second, challenge_category="reven")
    await connected.solve(account, timestamp_unix=1_770_000_100, **MAY)
    assert await run("game_platform_sync") == "succeeded"
    row = await database.fetchrow(
        """select st.challenges, st.points, g.challenges_completed, g.total_score, s.solves, s.points as stored_points,
               s.categories
           from standings st join game_platform_stats g using (competitor_id)
           join (select competitor_id, count(*) as solves, sum(challenge_points) as points,
                     count(*) filter (where category = 'Reverse Engineering') as categories
                 from game_platform_challenge_solves group by 1) s using (competitor_id)
           where competitor_id = $1""",
        competitor_id,
    )
    assert row and row["challenges"] == row["challenges_completed"] == row["solves"] == 4
    assert row["points"] == row["total_score"] == row["stored_points"] > 0
    assert row["categories"] == 3, "a label of the platform's is a category of ours in every table"
