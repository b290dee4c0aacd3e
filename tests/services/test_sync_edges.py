"""What vendors do at the edges: removed and re-scored solves, times that cannot be, records that cannot be read."""

import json
import time
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from app import database
from app.queries import sync_health
from app.services import score_ingestion
from app.tables.scores import SyncMode
from tests.cast import Person, make_team
from tests.services.platform import Platform, claim_run, make_onboarded
from tests.services.syncing import forget_calls, looks, pass_time, run, start_ticking, state

NOON = 1_760_000_000


async def run_all(platform: Platform, **options: Any) -> score_ingestion.SyncResult:
    return await run(platform, mode=SyncMode.ALL, **options)


async def totals(competitor_id: UUID) -> tuple[int, int]:
    row = await database.fetchrow(
        "select total_score, challenges_completed from game_platform_stats where competitor_id = $1", competitor_id
    )
    assert row is not None
    return row[0], row[1]


async def last_batch() -> sync_health.Batch:
    return (await sync_health.recent_batches(limit=1))[0]


async def test_a_late_solve_within_the_look_back_costs_no_extra_call(platform: Platform, coach: Person) -> None:
    _, syned_user_id = await make_onboarded(platform, coach, "Ada Alder")
    await platform.solve(syned_user_id, timestamp_unix=NOON)
    await run_all(platform)
    await platform.solve(syned_user_id, timestamp_unix=NOON - 3000)
    late = await run_all(platform)
    assert (late.new_solves, late.api_calls) == (1, 1)


async def test_a_re_scored_solve_keeps_its_history_and_the_totals_follow(platform: Platform, coach: Person) -> None:
    competitor_id, syned_user_id = await make_onboarded(platform, coach, "Ada Alder")
    first = await platform.solve(syned_user_id, timestamp_unix=NOON, challenge_points=100)
    await run_all(platform)
    await platform.solve(
        syned_user_id, timestamp_unix=NOON, challenge_points=40, challenge_solve_id=first["challenge_solve_id"]
    )
    changed = await run_all(platform)
    assert (changed.synced, changed.new_solves) == (1, 0)
    assert await totals(competitor_id) == (40, 1)
    assert await database.fetchval("select challenge_points from game_platform_challenge_solves") == 100


async def test_a_time_in_milliseconds_is_put_aside_and_the_rest_is_read(platform: Platform, coach: Person) -> None:
    competitor_id, syned_user_id = await make_onboarded(platform, coach, "Ada Alder")
    await platform.solve(syned_user_id, timestamp_unix=NOON)
    await platform.solve(syned_user_id, timestamp_unix=NOON * 1000)
    assert (await run_all(platform)).new_solves == 1
    [aside] = await sync_health.put_aside()
    assert (aside.kind, aside.competitor_id) == ("odl_solve", competitor_id) and "timestamp_unix" in aside.reason
    assert (await state(competitor_id))["last_odl_synced_at"].timestamp() == NOON
    assert (await run_all(platform)).api_calls == 1  # one full read settled that the counts differ


async def test_a_time_in_the_future_is_stored_and_hides_nothing_that_comes_before_it(
    platform: Platform, coach: Person
) -> None:
    competitor_id, syned_user_id = await make_onboarded(platform, coach, "Ada Alder")
    now = int(time.time())
    await platform.solve(syned_user_id, timestamp_unix=now - 60)
    await platform.solve(syned_user_id, timestamp_unix=now + 20 * 3600)
    assert (await run_all(platform)).new_solves == 2
    assert (await state(competitor_id))["last_odl_synced_at"].timestamp() == now - 60
    await platform.solve(syned_user_id, timestamp_unix=now)
    found = await run_all(platform)
    assert (found.new_solves, found.api_calls) == (1, 1)


async def test_a_competitor_who_changes_teams_keeps_solves_and_cursor(platform: Platform, coach: Person) -> None:
    competitor_id, syned_user_id = await make_onboarded(platform, coach, "Ada Alder")
    team_id = await make_team(coach, "Firewall")
    await database.execute(
        "insert into team_memberships (team_id, competitor_id) values ($1, $2)", team_id, competitor_id
    )
    await platform.solve(syned_user_id, timestamp_unix=NOON, challenge_points=100)
    await run_all(platform)
    other_team = await make_team(coach, "Backdoor")
    await database.execute("update team_memberships set team_id = $1", other_team)
    moved = await run_all(platform)
    assert (moved.synced, moved.skipped, moved.api_calls) == (0, 1, 1)
    assert await totals(competitor_id) == (100, 1)


async def test_who_cannot_be_read_is_put_aside_asked_ever_later_and_delays_nobody(
    platform: Platform, coach: Person
) -> None:
    competitor_id, broken = await make_onboarded(platform, coach, "Ada Alder")
    _, other = await make_onboarded(platform, coach, "Ben Birch")
    await platform.fail(kind="malformed", variant="torn", operation="odl_scores", users=[broken])
    await start_ticking()
    first = await run(platform)
    assert (first.failed, first.skipped) == (1, 1)
    retries = [round((await state(competitor_id))["retry_minutes"])]
    for _ in range(2):
        await forget_calls(platform)
        await pass_time(retries[-1])
        assert (await run(platform)).failed == 1
        assert await looks(platform) == [broken]
        retries.append(round((await state(competitor_id))["retry_minutes"]))
    assert retries == [5, 10, 20]
    assert (await run(platform)).total == 0
    [aside] = await sync_health.put_aside()
    assert (aside.kind, aside.competitor_id, aside.attempts) == ("competitor", competitor_id, 3)
    assert aside.retry_at is not None and aside.reason
    await platform.heal()
    await pass_time(20)
    assert (await run(platform)).failed == 0
    assert await sync_health.put_aside() == ()
    assert (await state(competitor_id))["retry_at"] is None
    assert other not in (await looks(platform))


async def test_an_admin_can_ask_for_one_competitors_totals(platform: Platform, coach: Person) -> None:
    competitor_id, syned_user_id = await make_onboarded(platform, coach, "Ada Alder")
    await make_onboarded(platform, coach, "Ben Birch")
    await platform.solve(syned_user_id, timestamp_unix=NOON, challenge_points=70)
    claim = await claim_run("game_platform_totals_sweep")
    async with platform.client(claim) as client:
        assert (await score_ingestion.sweep_totals(claim, client)).as_counts()["total"] == 0
        asked = await score_ingestion.sweep_totals(claim, client, competitor_ids=[competitor_id])
    assert (asked.refreshed, asked.failed) == (1, 0)
    assert await totals(competitor_id) == (70, 1)


async def test_totals_that_came_with_a_later_answer_are_not_swept(platform: Platform, coach: Person) -> None:
    _, syned_user_id = await make_onboarded(platform, coach, "Ada Alder")
    await make_onboarded(platform, coach, "Ben Birch")
    await platform.fail(kind="malformed", variant="torn", operation="flash_ctf_progress", users=[syned_user_id])
    assert (await run_all(platform)).failed == 1
    await platform.heal()
    await run_all(platform)
    claim = await claim_run("game_platform_totals_sweep")
    async with platform.client(claim) as client:
        assert (await score_ingestion.sweep_totals(claim, client)).as_counts()["total"] == 0


async def test_each_batch_tells_its_calls_errors_and_time(platform: Platform, coach: Person) -> None:
    _, broken = await make_onboarded(platform, coach, "Ada Alder")
    _, fine = await make_onboarded(platform, coach, "Ben Birch")
    await platform.solve(fine, timestamp_unix=NOON)
    await platform.fail(kind="malformed", variant="torn", operation="odl_scores", users=[broken])
    await platform.fail(kind="latency", seconds=0.05)
    await run_all(platform)
    await platform.heal()
    batch = await last_batch()
    assert (batch.mode, batch.total, batch.synced, batch.failed, batch.new_solves) == ("all", 2, 1, 1, 1)
    assert batch.calls_by_endpoint == {"odl_scores": 2, "flash_ctf_progress": 1} and batch.api_calls == 3
    assert batch.errors_by_kind == {"bad_shape": 1}
    assert batch.rows_written == 2 and batch.broken_invariants == ()
    assert batch.duration_seconds is not None and 0.05 < batch.duration_seconds < 10
    assert batch.cursor_before is None and batch.cursor_after is not None


async def test_an_incremental_run_in_which_everybody_changed_is_stored_as_suspect(
    platform: Platform, coach: Person
) -> None:
    """Section 21 of the design: 22 of 22 'synced' was the sign of the bug."""
    people = [(await make_onboarded(platform, coach, f"Player{n} Poplar"))[1] for n in range(22)]
    solves = [{"syned_user_id": one, "timestamp_unix": NOON} for one in people]
    await platform.tell("/solves", solves)
    await run_all(platform)
    assert (await last_batch()).broken_invariants == ()
    await platform.tell("/solves", solves)
    await run_all(platform, batch_size=5)
    batches = await sync_health.recent_batches(broken_only=True)
    assert [batch.batch_number for batch in batches] == [4]
    assert batches[0].broken_invariants[0].startswith("everybody_changed: all 22 people")


async def test_a_cursor_past_everything_the_vendor_knows_is_stored_as_broken_and_read_over(
    platform: Platform, coach: Person
) -> None:
    _, syned_user_id = await make_onboarded(platform, coach, "Ada Alder")
    await platform.solve(syned_user_id, timestamp_unix=NOON)
    await run_all(platform)
    await database.execute(
        "update game_platform_sync_state set last_odl_synced_at = last_odl_synced_at + interval '1 day'"
    )
    await platform.solve(syned_user_id, timestamp_unix=NOON + 60)
    assert (await run_all(platform)).new_solves == 1
    assert [text.partition(":")[0] for text in (await last_batch()).broken_invariants] == ["cursor_beyond_vendor"]


async def test_the_health_of_the_sync_says_ages_per_tier_and_gives_no_advice_too_early(
    platform: Platform, coach: Person
) -> None:
    people = [await make_onboarded(platform, coach, f"Player{n} Poplar") for n in range(4)]
    await platform.solve(people[0][1])
    await run_all(platform)
    await make_onboarded(platform, coach, "Nia New")
    found = {each.tier.value: (each.people, each.never) for each in await sync_health.freshness()}
    assert found == {"active": (1, 0), "moderate": (0, 0), "idle": (4, 1)}
    assert await sync_health.tuning_advice() == ()


async def test_batches_that_find_nothing_for_days_are_advised_to_be_larger(platform: Platform, coach: Person) -> None:
    await database.execute(
        """insert into game_platform_sync_runs (run_id, batch_size, finished_at)
           select gen_random_uuid(), 50, now() - n * interval '1 hour' from generate_series(1, 30) n"""
    )
    [advice] = await sync_health.tuning_advice()
    assert advice.change == "Set GAME_PLATFORM_SYNC_BATCH_SIZE to 100" and "30 batches" in advice.because


@pytest.mark.parametrize("status", ["pending_approval", "denied"])
async def test_who_is_not_approved_is_asked_after_every_eight_hours(
    platform: Platform, coach: Person, status: str
) -> None:
    competitor_id, _ = await make_onboarded(platform, coach, "Ada Alder", "pending_approval")
    await platform.approve((await state(competitor_id))["syned_user_id"], status)
    await run(platform)
    assert timedelta(minutes=float((await state(competitor_id))["due_minutes"])) > timedelta(hours=7, minutes=59)
    assert json.loads(await database.fetchval("select calls_by_endpoint from game_platform_sync_runs")) == {
        "get_user": 1
    }
    assert (await run(platform)).total == 0
