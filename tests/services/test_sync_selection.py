"""Who is looked at when: due times, tiers, batches, the rotation, and Flash CTF sentinels."""

import time
from collections import Counter
from uuid import UUID

import pytest

from app import database
from app.integrations.errors import VendorError
from app.services.score_ingestion import SyncResult
from app.tables.scores import SyncMode
from tests.cast import Person
from tests.services.platform import Platform, claim_again, claim_run, make_onboarded
from tests.services.syncing import (
    flash_looks,
    forget_calls,
    looks,
    pass_time,
    run,
    start_ticking,
    state,
)

HOUR = 3600


async def make_people(platform: Platform, coach: Person, count: int, name: str = "Player") -> list[tuple[UUID, str]]:
    return [await make_onboarded(platform, coach, f"{name}{number} Poplar") for number in range(count)]


async def rotate(platform: Platform, batch_size: int = 5) -> SyncResult:
    return await run(platform, batch_size=batch_size, mode=SyncMode.ROTATION)


async def batches() -> list[tuple[int, int, int, int]]:
    rows = await database.fetch("select * from game_platform_sync_runs order by id")
    return [(row["batch_number"], row["batch_size"], row["total_batches"], row["total"]) for row in rows]


async def test_22_people_in_batches_of_5_make_five_runs_and_each_is_looked_at_once(
    platform: Platform, coach: Person
) -> None:
    people = await make_people(platform, coach, 22)
    assert [(await rotate(platform)).total for _ in range(5)] == [5, 5, 5, 5, 2]
    assert sorted(await looks(platform)) == sorted(syned_user_id for _, syned_user_id in people)
    assert await batches() == [(number, 5, 5, total) for number, total in enumerate([5, 5, 5, 5, 2])]
    runs = await database.fetch("select distinct run_id, mode from game_platform_sync_runs")
    assert len(runs) == 5 and {row["mode"] for row in runs} == {"rotation"}
    first = await looks(platform)
    await forget_calls(platform)
    for _ in range(5):
        await rotate(platform)
    assert sorted(await looks(platform)) == sorted(first)


async def test_a_rotation_takes_newcomers_into_its_cycle_and_nobody_twice(platform: Platform, coach: Person) -> None:
    await make_people(platform, coach, 6)
    await rotate(platform)
    await make_people(platform, coach, 6, "Newcomer")
    assert [(await rotate(platform)).total for _ in range(2)] == [5, 2]
    assert set(Counter(await looks(platform)).values()) == {1}
    assert await batches() == [(0, 5, 2, 5), (1, 5, 3, 5), (2, 5, 3, 2)]


async def test_a_rotation_taken_over_asks_only_whom_it_failed_to_read(platform: Platform, coach: Person) -> None:
    people = await make_people(platform, coach, 6)
    claim = await claim_run()
    await platform.fail(kind="malformed", variant="torn", operation="odl_scores", users=[people[0][1], people[1][1]])
    failed = (await run(platform, claim=claim, batch_size=5, mode=SyncMode.ROTATION)).failed
    await platform.heal()
    await forget_calls(platform)
    await run(platform, claim=await claim_again(claim), batch_size=5, mode=SyncMode.ROTATION)
    assert len(await looks(platform)) == failed > 0


async def test_both_switches_off_look_at_everybody_each_time(platform: Platform, coach: Person) -> None:
    await make_people(platform, coach, 7)
    assert [(await run(platform, mode=SyncMode.ALL)).total for _ in range(2)] == [7, 7]
    assert [row[2] for row in await batches()] == [1, 1]


async def test_who_falls_due_before_the_next_tick_is_taken_in_as_many_batches_as_needed(
    platform: Platform, coach: Person
) -> None:
    people = await make_people(platform, coach, 22)
    await start_ticking()
    await database.execute("update game_platform_sync_state set due_at = now() + interval '4 minutes'")
    late = people[0][0]
    await database.execute(
        "update game_platform_sync_state set due_at = now() + interval '6 minutes' where competitor_id = $1", late
    )
    assert (await run(platform, batch_size=5)).total == 21
    assert [row[:3] for row in await batches()] == [(number, 5, 5) for number in range(5)]
    assert people[0][1] not in await looks(platform)
    assert (await run(platform, batch_size=5)).total == 0


async def test_somebody_new_is_due_at_once_and_then_by_what_they_do(platform: Platform, coach: Person) -> None:
    now = int(time.time())
    active, idle, recent = [await make_onboarded(platform, coach, f"{name} Oak") for name in ("Ann", "Ida", "Rea")]
    await platform.solve(active[1], timestamp_unix=now - 60)
    await platform.solve(recent[1], timestamp_unix=now - 5 * HOUR)
    assert (await run(platform)).total == 3
    waits = [round((await state(competitor_id))["due_minutes"]) for competitor_id, _ in (active, recent, idle)]
    assert waits == [30, 120, 480]
    scores = await database.fetch("select game_platform_activity_score as score from competitors order by first_name")
    assert [row["score"] for row in scores] == [50, 0, 50]


async def test_an_organization_that_is_promised_more_is_looked_at_more_often(platform: Platform, coach: Person) -> None:
    await database.execute(
        "update organizations set active_look_minutes = 10, moderate_look_minutes = 60, idle_look_minutes = 240"
    )
    now = int(time.time())
    active, idle, recent = [await make_onboarded(platform, coach, f"{name} Oak") for name in ("Ann", "Ida", "Rea")]
    await platform.solve(active[1], timestamp_unix=now - 60)
    await platform.solve(recent[1], timestamp_unix=now - 5 * HOUR)
    await run(platform)
    waits = [round((await state(competitor_id))["due_minutes"]) for competitor_id, _ in (active, recent, idle)]
    assert waits == [10, 60, 240]


async def test_being_active_ends_an_hour_after_the_last_find(platform: Platform, coach: Person) -> None:
    competitor_id, syned_user_id = await make_onboarded(platform, coach, "Ada Alder")
    await platform.solve(syned_user_id, timestamp_unix=int(time.time()) - 60)
    await start_ticking()
    await run(platform)
    due = []
    for _ in range(2):
        await pass_time(30)
        await run(platform)
        due.append(round((await state(competitor_id))["due_minutes"]))
    assert due == [120, 90]  # nothing found after half an hour: by the time of the next look nobody is active
    await platform.solve(syned_user_id)
    await pass_time(120)
    await run(platform)
    assert round((await state(competitor_id))["due_minutes"]) == 30


async def test_a_score_is_written_only_when_it_says_something_new(platform: Platform, coach: Person) -> None:
    competitor_id, syned_user_id = await make_onboarded(platform, coach, "Ada Alder")
    await platform.solve(syned_user_id)
    await run(platform)
    version = "select xmin::text from competitors where id = $1"
    before = await database.fetchval(version, competitor_id)
    await platform.solve(syned_user_id)
    await pass_time(60)
    assert (await run(platform)).synced == 1
    assert await database.fetchval(version, competitor_id) == before


async def test_in_24_hours_the_active_are_looked_at_16_times_as_often_as_the_idle(
    platform: Platform, coach: Person
) -> None:
    """10 active, 30 moderate, 60 idle; at rest no more than 48 Flash CTF looks, and no call but for who is due."""
    people = {
        name: [syned_user_id for _, syned_user_id in await make_people(platform, coach, count, name)]
        for name, count in (("Active", 10), ("Moderate", 30), ("Idle", 60))
    }
    two_hours_ago = int(time.time()) - 2 * HOUR
    await platform.tell(
        "/solves", [{"syned_user_id": one, "timestamp_unix": two_hours_ago} for one in people["Moderate"]]
    )
    play = [{"syned_user_id": one} for one in people["Active"]]
    await platform.tell("/solves", play)
    await start_ticking()
    assert (await run(platform)).total == 100
    await forget_calls(platform)
    for tick in range(1, 24 * 12 + 1):
        await pass_time()
        if tick % 6 == 0:
            await platform.tell("/solves", play)
        result = await run(platform)
        assert result.api_calls == result.total and result.failed == 0
    counts = Counter(await looks(platform))
    per_tier = {name: {counts[one] for one in members} for name, members in people.items()}
    assert per_tier == {"Active": {48}, "Moderate": {12}, "Idle": {3}}
    sentinels = await flash_looks(platform)
    assert 46 <= len(sentinels) <= 48 and len(set(sentinels)) > 3


async def play_flash_ctf(platform: Platform, *players: str, hours_ago: float = 1) -> None:
    """Solves in one event; when they were does not say when the platform told of them."""
    start = int(time.time() - hours_ago * HOUR)
    for player in players:
        await platform.solve(
            player, flash_ctf_name="January", flash_ctf_time_start_unix=start, timestamp_unix=start + 600
        )


async def flash_solvers() -> int:
    return int(await database.fetchval(
        "select count(distinct syned_user_id) from game_platform_challenge_solves where source = 'flash_ctf'"
    ))


async def test_one_sentinel_finds_a_new_event_and_everybody_is_asked(platform: Platform, coach: Person) -> None:
    people = [syned_user_id for _, syned_user_id in await make_people(platform, coach, 12)]
    await start_ticking()
    await run(platform)
    await forget_calls(platform)
    await pass_time(90)
    await play_flash_ctf(platform, *people)
    found = await run(platform)
    assert (found.total, found.synced, found.api_calls) == (1, 1, 1)
    fan_out = await run(platform)
    assert (fan_out.total, fan_out.api_calls, fan_out.new_solves) == (12, 13, 11)  # who was found playing is due, too
    assert await flash_solvers() == 12
    assert (await run(platform)).total == 11  # who was found playing is looked at whole
    assert (await run(platform)).total == 0
    points = await database.fetchval("select min(monthly_ctf_challenges) from game_platform_stats")
    assert points == 1


async def test_a_fan_out_that_dies_in_the_middle_loses_nobody(
    platform: Platform, coach: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = [syned_user_id for _, syned_user_id in await make_people(platform, coach, 30)]
    await start_ticking()
    await run(platform)
    await pass_time(90)
    await play_flash_ctf(platform, *people)
    await run(platform)
    await forget_calls(platform)
    await platform.fail(kind="server_error", operation="flash_ctf_progress", users=people[10:])
    result = await run(platform, batch_size=10)
    assert result.failed > 0
    before = await flash_solvers()
    assert 0 < before < 30
    await platform.heal()
    await run(platform)
    assert await flash_solvers() == 30


async def test_a_sentinel_who_did_not_play_or_is_gone_hides_an_event_for_a_while_only(
    platform: Platform, coach: Person
) -> None:
    people = [syned_user_id for _, syned_user_id in await make_people(platform, coach, 6)]
    await start_ticking()
    await run(platform)
    await forget_calls(platform)
    await play_flash_ctf(platform, people[3])
    await platform.fail(kind="malformed", variant="torn", operation="flash_ctf_progress", users=[people[0]])
    for _ in range(6 * 6):
        await pass_time()
        await run(platform)
    assert await flash_solvers() == 1
    assert {people[1], people[2], people[4], people[5]} <= set(await flash_looks(platform))


async def test_an_event_is_asked_about_once_more_when_it_has_settled(platform: Platform, coach: Person) -> None:
    people = [syned_user_id for _, syned_user_id in await make_people(platform, coach, 4)]
    await play_flash_ctf(platform, *people)
    await start_ticking()
    await run(platform)
    await database.execute(
        """update game_platform_flash_ctfs set started_at = started_at - interval '26 hours',
               last_solved_at = last_solved_at - interval '26 hours'"""
    )
    await database.execute(
        "update game_platform_sync_state set last_flash_ctf_synced_at = now() - interval '25 hours', "
        "due_at = now() + interval '8 hours'"
    )
    await forget_calls(platform)
    assert (await run(platform)).total == 4
    assert sorted(await flash_looks(platform)) == sorted(people) and await looks(platform) == []
    assert (await run(platform)).total == 0


async def test_while_an_event_is_on_who_moves_is_asked_about_it(platform: Platform, coach: Person) -> None:
    (_, player), (_, other) = await make_people(platform, coach, 2)
    await play_flash_ctf(platform, player)
    await start_ticking()
    await run(platform)
    await forget_calls(platform)
    await play_flash_ctf(platform, player)
    await platform.tell(f"/users/{player}/access")
    await database.execute("update game_platform_sync_state set due_at = now()")
    await run(platform)
    assert sorted(await looks(platform)) == sorted([player, other])
    assert await flash_looks(platform) == [player]


async def test_after_six_hours_without_the_platform_one_cycle_makes_everything_fresh(
    platform: Platform, coach: Person
) -> None:
    people = await make_people(platform, coach, 20)
    await start_ticking()
    await run(platform)
    await platform.fail(kind="server_error")
    for _ in range(6 * 12):
        await pass_time()
        try:
            await run(platform)
        except VendorError:
            continue
    await pass_time(120)
    with pytest.raises(VendorError):
        await run(platform)
    await platform.heal()
    await pass_time()
    assert (await run(platform)).total >= 20
    ages = await database.fetch("select now() - last_success_at < interval '1 minute' as fresh, retry_at "
                                "from game_platform_sync_state")
    assert len(ages) == len(people) and all(row["fresh"] and row["retry_at"] is None for row in ages)
