import json
import time
from typing import Any
from uuid import UUID

import pytest

from app import database
from app.domain.flash_ctf import event_id
from app.domain.score_cursor import LOOK_BACK_SECONDS
from app.integrations.errors import VendorError
from app.services import score_ingestion, score_store
from app.services.job_runs import Claim, LeaseLost
from app.services.score_ingestion import SyncResult
from tests.cast import Person
from tests.services.platform import Platform, claim_again, claim_run, make_onboarded
from tests.services.tuples import tuples_written, written_between

NOON = 1_760_000_000
START = 1_759_900_000


async def run(
    platform: Platform, *, claim: Claim | None = None, batch_size: int = 50, due: bool = True, **options: Any
) -> SyncResult:
    """A run at a time when everybody is due, unless it is said otherwise."""
    claim = claim or await claim_run()
    if due:
        await make_due()
    async with platform.client(claim) as client:
        return await score_ingestion.sync(claim, client, batch_size=batch_size, **options)


async def make_due() -> None:
    await database.execute("update game_platform_sync_state set due_at = now(), retry_at = null")


async def stored() -> list[tuple[str, str, str]]:
    rows = await database.fetch(
        """select source, event_id, challenge_solve_id from game_platform_challenge_solves
           order by source, event_id, challenge_solve_id"""
    )
    return [(row["source"], row["event_id"], row["challenge_solve_id"]) for row in rows]


async def stats(competitor_id: UUID) -> dict[str, Any] | None:
    row = await database.fetchrow("select * from game_platform_stats where competitor_id = $1", competitor_id)
    return dict(row) if row else None


async def state(competitor_id: UUID) -> dict[str, Any]:
    row = await database.fetchrow("select * from game_platform_sync_state where competitor_id = $1", competitor_id)
    assert row is not None
    return dict(row)


async def sync_runs() -> int:
    return int(await database.fetchval("select count(*) from game_platform_sync_runs"))


async def test_the_two_runs_of_section_21(platform: Platform, coach: Person) -> None:
    """22 people and nothing new: 0 synced, 22 skipped. One new solve: 1 and 21, and only that one's totals change."""
    people = [await make_onboarded(platform, coach, f"Player{n} Poplar") for n in range(22)]
    for number, (_, syned_user_id) in enumerate(people):
        await platform.solve(syned_user_id, timestamp_unix=NOON + number)
    assert (await run(platform)).synced == 22

    nothing_new = await run(platform)
    assert (nothing_new.total, nothing_new.synced, nothing_new.skipped) == (22, 0, 22)

    before = {row["competitor_id"]: row["xmin"] for row in await database.fetch(
        "select competitor_id, xmin::text from game_platform_stats")}
    await platform.solve(people[4][1], timestamp_unix=NOON + 1000, challenge_points=70)
    one_new = await run(platform)
    assert (one_new.total, one_new.synced, one_new.skipped, one_new.new_solves) == (22, 1, 21, 1)
    after = {row["competitor_id"]: row["xmin"] for row in await database.fetch(
        "select competitor_id, xmin::text from game_platform_stats")}
    assert [person for person in before if before[person] != after[person]] == [people[4][0]]


async def test_a_cycle_without_news_writes_nothing_but_its_stamps(platform: Platform, coach: Person) -> None:
    for n in range(5):
        _, syned_user_id = await make_onboarded(platform, coach, f"Player{n} Poplar")
        await platform.solve(syned_user_id)
        await platform.solve(syned_user_id, flash_ctf_name="January", flash_ctf_time_start_unix=START)
    await platform.fail(kind="poison", operation="odl_scores", variant="missing_field")
    await run(platform)
    claim = await claim_run()
    await make_due()
    before = await tuples_written()
    await run(platform, claim=claim, batch_size=3, due=False)
    written = written_between(before, await tuples_written())
    assert written.pop("vendor_calls") > 0
    assert written.pop("job_runs") == 2  # the lease, once per batch
    assert written == {"game_platform_sync_state": 5, "game_platform_sync_runs": 2}


async def test_a_first_look_at_somebody_who_solved_nothing_is_no_news(platform: Platform, coach: Person) -> None:
    competitor_id, _ = await make_onboarded(platform, coach, "Ada Alder")
    assert (await run(platform)).as_counts() == {
        "total": 1, "synced": 0, "skipped": 1, "failed": 0, "waiting": 0, "api_calls": 2, "new_solves": 0,
    }
    assert await stats(competitor_id) is None
    assert (await state(competitor_id))["last_result"] == "success"


async def test_totals_are_the_vendors_of_both_sources(platform: Platform, coach: Person) -> None:
    competitor_id, syned_user_id = await make_onboarded(platform, coach, "Ada Alder")
    await platform.solve(syned_user_id, timestamp_unix=NOON, challenge_points=100, challenge_category="crypto")
    flash = {"flash_ctf_name": "January", "flash_ctf_time_start_unix": START}
    await platform.solve(syned_user_id, timestamp_unix=START + 60, challenge_points=300, **flash)
    await platform.solve(syned_user_id, timestamp_unix=START + 90, challenge_points=50, **flash)
    assert (await run(platform)).new_solves == 3
    totals = await stats(competitor_id)
    assert totals is not None
    assert (totals["total_score"], totals["challenges_completed"], totals["monthly_ctf_challenges"]) == (450, 3, 2)
    event = await database.fetchrow("select * from game_platform_flash_ctf_events")
    assert event is not None
    assert (event["event_id"], event["score"], event["challenges_solved"]) == (event_id("January", START), 350, 2)
    assert event["ended_at"] is None
    solve = await database.fetchrow("select * from game_platform_challenge_solves where source = 'odl'")
    assert solve is not None
    assert (solve["category"], solve["challenge_category"], solve["event_id"]) == ("Cryptography", "crypto", "")
    assert json.loads(solve["raw_payload"])["challenge_points"] == 100


async def test_a_solve_id_may_repeat_across_events_and_sources(platform: Platform, coach: Person) -> None:
    _, syned_user_id = await make_onboarded(platform, coach, "Ada Alder")
    await platform.solve(syned_user_id, challenge_solve_id=1819, timestamp_unix=NOON)
    for month in ("January", "February"):
        await platform.solve(
            syned_user_id, challenge_solve_id=1819, timestamp_unix=NOON, flash_ctf_name=month,
            flash_ctf_time_start_unix=START,
        )
    assert (await run(platform)).new_solves == 3
    assert sorted(await stored()) == sorted(
        [("odl", "", "1819"), *(("flash_ctf", event_id(month, START), "1819") for month in ("January", "February"))]
    )


async def test_two_solves_in_the_second_of_the_cursor_are_both_stored(platform: Platform, coach: Person) -> None:
    competitor_id, syned_user_id = await make_onboarded(platform, coach, "Ada Alder")
    await platform.solve(syned_user_id, timestamp_unix=NOON)
    await run(platform)
    assert (await state(competitor_id))["last_odl_synced_at"].timestamp() == NOON
    await platform.solve(syned_user_id, timestamp_unix=NOON)
    assert (await run(platform)).new_solves == 1
    assert len(await stored()) == 2
    asked = [call["after_time_unix"] for call in await platform.calls("odl_scores")]
    assert asked == [None, str(NOON - LOOK_BACK_SECONDS)]


async def test_a_solve_that_arrives_late_is_found_by_its_missing_count(platform: Platform, coach: Person) -> None:
    competitor_id, syned_user_id = await make_onboarded(platform, coach, "Ada Alder")
    await platform.solve(syned_user_id, timestamp_unix=NOON)
    await run(platform)
    await platform.solve(syned_user_id, timestamp_unix=NOON - 90_000)
    result = await run(platform)
    assert (result.synced, result.new_solves, result.api_calls) == (1, 1, 2)
    assert (await state(competitor_id))["last_odl_synced_at"].timestamp() == NOON
    assert (await run(platform)).api_calls == 1


async def test_a_count_that_stays_different_is_read_in_full_once(platform: Platform, coach: Person) -> None:
    competitor_id, syned_user_id = await make_onboarded(platform, coach, "Ada Alder")
    await platform.solve(syned_user_id, timestamp_unix=NOON)
    await run(platform)
    await database.execute(
        "insert into game_platform_challenge_solves (competitor_id, syned_user_id, challenge_solve_id, challenge_id) "
        "values ($1, $2, 'gone', '7')", competitor_id, syned_user_id,
    )
    assert [(await run(platform)).api_calls for _ in range(3)] == [2, 1, 1]
    assert (await state(competitor_id))["recounted_total"] == 1
    assert len(await stored()) == 2
    drift = await database.fetch("select field, ours, theirs from drift where state <> 'resolved'")
    assert ("challenges", "2", "1") in [tuple(row) for row in drift]


async def test_a_new_student_is_read_from_the_beginning(platform: Platform, coach: Person) -> None:
    _, veteran = await make_onboarded(platform, coach, "Vera Veteran")
    await platform.solve(veteran, timestamp_unix=NOON)
    await run(platform)
    _, newcomer = await make_onboarded(platform, coach, "Nia New")
    await platform.solve(newcomer, timestamp_unix=NOON - 500_000)
    result = await run(platform)
    assert (result.synced, result.skipped, result.new_solves) == (1, 1, 1)


@pytest.mark.parametrize("variant", ["missing_field", "wrong_type", "far_future"])
async def test_a_poisoned_record_delays_nobody(platform: Platform, coach: Person, variant: str) -> None:
    competitor_id, poisoned = await make_onboarded(platform, coach, "Ada Alder")
    _, other = await make_onboarded(platform, coach, "Ben Birch")
    for syned_user_id in (poisoned, other):
        await platform.solve(syned_user_id, timestamp_unix=NOON)
    await platform.fail(kind="poison", operation="odl_scores", users=[poisoned], variant=variant)
    result = await run(platform)
    assert (result.synced, result.failed, result.new_solves) == (2, 0, 2)
    kept = await database.fetchrow("select * from quarantine")
    assert kept is not None
    assert (kept["kind"], kept["competitor_id"], kept["seen_count"]) == ("odl_solve", competitor_id, 1)
    assert kept["reason"]
    await run(platform)
    assert await database.fetchval("select count(*) from quarantine") == 1
    assert (await state(competitor_id))["last_odl_synced_at"].timestamp() == NOON


async def test_a_failure_is_one_persons_and_leaves_their_cursor(platform: Platform, coach: Person) -> None:
    competitor_id, failing = await make_onboarded(platform, coach, "Ada Alder")
    _, other = await make_onboarded(platform, coach, "Ben Birch")
    for syned_user_id in (failing, other):
        await platform.solve(syned_user_id, timestamp_unix=NOON)
    await platform.fail(kind="malformed", variant="torn", operation="odl_scores", users=[failing])
    result = await run(platform)
    assert (result.synced, result.failed) == (1, 1)
    row = await state(competitor_id)
    assert (row["last_result"], row["consecutive_failures"], row["last_odl_synced_at"]) == ("failure", 1, None)
    assert row["error_message"]
    await platform.heal()
    assert (await run(platform)).synced == 1
    assert (await state(competitor_id))["error_message"] is None


async def test_without_flash_ctfs_the_practice_is_stored_and_the_sweep_does_the_rest(
    platform: Platform, coach: Person
) -> None:
    competitor_id, syned_user_id = await make_onboarded(platform, coach, "Ada Alder")
    await make_onboarded(platform, coach, "Ben Birch")
    await platform.solve(syned_user_id, challenge_points=100)
    await platform.solve(
        syned_user_id, challenge_points=50, flash_ctf_name="January", flash_ctf_time_start_unix=START
    )
    await platform.fail(kind="malformed", variant="torn", operation="flash_ctf_progress", users=[syned_user_id])
    assert (await run(platform)).failed == 1
    assert (await state(competitor_id))["needs_totals_refresh"]
    assert (await stats(competitor_id) or {})["total_score"] == 100
    await platform.heal()
    claim = await claim_run("game_platform_totals_sweep")
    async with platform.client(claim) as client:
        swept = await score_ingestion.sweep_totals(claim, client)
        assert swept.as_counts() == {"total": 1, "refreshed": 1, "failed": 0, "api_calls": 2}
        assert (await score_ingestion.sweep_totals(claim, client)).as_counts()["total"] == 0
    assert (await stats(competitor_id) or {})["total_score"] == 150
    assert not (await state(competitor_id))["needs_totals_refresh"]


async def test_a_platform_that_is_away_for_everybody_fails_the_run(platform: Platform, coach: Person) -> None:
    competitor_id, _ = await make_onboarded(platform, coach, "Ada Alder")
    await platform.fail(kind="rate_limited", retry_after=900)
    with pytest.raises(VendorError):
        await run(platform)
    assert (await state(competitor_id))["last_result"] == "failure"
    await platform.heal()


async def test_people_who_are_not_asked_for_do_not_hide_that_the_platform_is_away(
    platform: Platform, coach: Person
) -> None:
    await make_onboarded(platform, coach, "Ada Alder")
    await make_onboarded(platform, coach, "Ben Birch", "pending_approval")
    assert (await run(platform)).waiting == 1
    await platform.fail(kind="rate_limited", retry_after=900)
    with pytest.raises(VendorError):
        await run(platform)
    await platform.heal()


async def test_a_refused_token_stops_the_run_at_once(platform: Platform, coach: Person) -> None:
    for n in range(10):
        await make_onboarded(platform, coach, f"Player{n} Poplar")
    claim = await claim_run()
    async with platform.client(claim) as client:
        client._http._client.headers["authorization"] = "Bearer revoked"
        with pytest.raises(VendorError):
            await score_ingestion.sync(claim, client, batch_size=2, concurrency=1)
    assert len(await platform.hear("/calls")) == 1


async def test_the_waiting_are_skipped_and_asked_again_after_eight_hours(platform: Platform, coach: Person) -> None:
    competitor_id, syned_user_id = await make_onboarded(platform, coach, "Ada Alder", "pending_approval")
    first = await run(platform)
    assert (first.skipped, first.waiting, first.failed, first.api_calls) == (1, 1, 0, 1)
    await platform.approve(syned_user_id)
    await platform.solve(syned_user_id)
    assert (await run(platform)).as_counts()["api_calls"] == 0
    await database.execute("update competitors set platform_asked_at = now() - interval '8 hours 1 second'")
    asked = await run(platform)
    assert (asked.synced, asked.waiting, asked.new_solves, asked.api_calls) == (1, 0, 1, 3)
    row = await database.fetchrow("select metactf_user_status, status from competitors where id = $1", competitor_id)
    assert row is not None and tuple(row) == ("approved", "complete")


async def test_a_denied_account_is_never_read_and_says_what_to_do(platform: Platform, coach: Person) -> None:
    competitor_id, syned_user_id = await make_onboarded(platform, coach, "Ada Alder", "pending_approval")
    await platform.approve(syned_user_id, "denied")
    assert (await run(platform)).as_counts()["waiting"] == 0
    row = await database.fetchrow("select * from competitors where id = $1", competitor_id)
    assert row is not None and row["status"] == "compliance" and "denied" in row["game_platform_sync_error"]
    assert await platform.calls("odl_scores") == []


async def test_a_dry_run_compares_and_stores_only_the_run(platform: Platform, coach: Person) -> None:
    _, syned_user_id = await make_onboarded(platform, coach, "Ada Alder")
    await platform.solve(syned_user_id)
    before = await tuples_written()
    result = await run(platform, dry_run=True, due=False)
    assert (result.synced, result.new_solves) == (1, 1)
    assert set(written_between(before, await tuples_written())) == {
        "game_platform_sync_runs", "job_runs", "vendor_calls",
    }


async def test_a_full_run_reads_from_the_beginning_and_adds_nothing(platform: Platform, coach: Person) -> None:
    _, syned_user_id = await make_onboarded(platform, coach, "Ada Alder")
    await platform.solve(syned_user_id, timestamp_unix=NOON)
    await run(platform)
    assert (await run(platform, full=True)).skipped == 1
    assert [call["after_time_unix"] for call in await platform.calls("odl_scores")] == [None, None]


async def test_a_limited_run_takes_only_whom_it_names(platform: Platform, coach: Person) -> None:
    first, _ = await make_onboarded(platform, coach, "Ada Alder")
    await make_onboarded(platform, coach, "Ben Birch")
    assert (await run(platform, competitor_ids=[first])).total == 1
    assert (await run(platform, coach_id=coach.id)).total == 2
    assert (await run(platform, coach_id=first)).total == 0


async def test_each_batch_has_its_row(platform: Platform, coach: Person) -> None:
    for n in range(5):
        await make_onboarded(platform, coach, f"Player{n} Poplar")
    await run(platform, batch_size=2)
    rows = await database.fetch("select * from game_platform_sync_runs order by batch_number")
    batches = [(row["batch_number"], row["total_batches"], row["total"]) for row in rows]
    assert batches == [(0, 3, 2), (1, 3, 2), (2, 3, 1)]


async def test_one_activity_event_per_competitor_and_run(platform: Platform, coach: Person) -> None:
    competitor_id, syned_user_id = await make_onboarded(platform, coach, "Ada Alder")
    for _ in range(3):
        await platform.solve(syned_user_id)
    await run(platform)
    rows = await database.fetch("select competitor_id, details from activity_events where kind = 'solves_found'")
    assert [(row["competitor_id"], json.loads(row["details"])) for row in rows] == [(competitor_id, {"new_solves": 3})]
    assert await database.fetchval("select is_stale from standing_versions")


async def test_a_death_between_fetch_and_commit_leaves_everything_as_it_was(
    platform: Platform, coach: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    competitor_id, syned_user_id = await make_onboarded(platform, coach, "Ada Alder")
    await platform.solve(syned_user_id)

    async def die(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(score_store, "_tell", die)
    with pytest.raises(KeyboardInterrupt):
        await run(platform)
    assert await stored() == [] and await sync_runs() == 0
    assert (await state(competitor_id))["last_odl_synced_at"] is None
    monkeypatch.undo()
    assert (await run(platform)).new_solves == 1


async def test_a_zombie_writes_nothing(platform: Platform, coach: Person) -> None:
    _, syned_user_id = await make_onboarded(platform, coach, "Ada Alder")
    await platform.solve(syned_user_id)
    zombie = await claim_run()
    await claim_again(zombie)
    with pytest.raises(LeaseLost):
        await run(platform, claim=zombie)
    assert await stored() == [] and await sync_runs() == 0


async def test_a_run_taken_over_does_only_the_rest_and_counts_it_all(
    platform: Platform, coach: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = [await make_onboarded(platform, coach, f"Player{n} Poplar") for n in range(4)]
    for _, syned_user_id in people:
        await platform.solve(syned_user_id)
    claim = await claim_run()
    original = score_store.store
    stores = 0

    async def die_at_the_second(*arguments: Any) -> Any:
        nonlocal stores
        stores += 1
        if stores == 2:
            raise LeaseLost
        return await original(*arguments)

    monkeypatch.setattr(score_store, "store", die_at_the_second)
    with pytest.raises(LeaseLost):
        await run(platform, claim=claim, batch_size=2)
    monkeypatch.undo()
    await platform.control.delete("/calls")
    result = await run(platform, claim=await claim_again(claim), batch_size=2)
    assert (result.total, result.synced, result.new_solves) == (4, 4, 4)
    assert len(await platform.calls("odl_scores")) == 2


async def test_names_in_every_script_and_odd_titles_arrive_whole(platform: Platform, coach: Person) -> None:
    _, syned_user_id = await make_onboarded(platform, coach, "Юлия 李")
    titles = ["Шифр", "密码学", "شفرة", "<script>alert(1)</script>", "{{7*7}}", "\\u0000", "🦊"]
    for title in titles:
        await platform.solve(syned_user_id, challenge_title=title)
    await run(platform)
    rows = await database.fetch("select challenge_title from game_platform_challenge_solves")
    assert sorted(row[0] for row in rows) == sorted(titles)


async def test_fifty_people_are_read_at_the_same_time(platform: Platform, coach: Person) -> None:
    for n in range(16):
        await make_onboarded(platform, coach, f"Player{n} Poplar")
    await platform.fail(kind="latency", seconds=0.1)
    started = time.monotonic()
    await run(platform, concurrency=8)
    assert time.monotonic() - started < 16 * 2 * 0.1
    await platform.heal()
