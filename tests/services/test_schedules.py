"""Slots: each due one starts once, whoever looks, and what was missed is one run."""

import asyncio
from datetime import datetime, timedelta

import pytest

from app import database
from app.domain.pauses import Scope
from app.services import job_runs, pauses, schedules
from app.services.schedules import UnknownSchedule
from app.settings import get_settings


@pytest.fixture
def configured(settings_changed: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    settings_changed.setenv("GAME_PLATFORM_API_TOKEN", "a-token")
    return settings_changed


async def _make_due(name: str, minutes_ago: int = 1) -> datetime:
    slot = await database.fetchval(
        """update job_schedules set next_run_at = now() - make_interval(mins => $2)
           where name = $1 returning next_run_at""",
        name, minutes_ago,
    )
    assert isinstance(slot, datetime)
    return slot


async def _only(name: str) -> None:
    await schedules.ensure_built_ins()
    await database.execute("update job_schedules set enabled = name = $1", name)


async def test_the_built_in_schedules_are_made_once(configured: pytest.MonkeyPatch) -> None:
    await asyncio.gather(*(schedules.ensure_built_ins() for _ in range(4)))
    rows = await database.fetch("select name, kind, cron, zone, enabled, next_run_at > now() from job_schedules")
    assert {tuple(row) for row in rows} == {
        ("game_platform_sync", "game_platform_sync", "*/5 * * * *", "UTC", True, True),
        ("game_platform_totals_sweep", "game_platform_totals_sweep", "0 * * * *", "UTC", True, True),
        ("game_platform_onboarding", "game_platform_onboarding", "*/10 * * * *", "UTC", True, True),
        ("outbox_drain", "outbox_drain", "* * * * *", "UTC", True, True),
        ("game_platform_roster_reconcile", "game_platform_roster_reconcile", "*/30 * * * *", "UTC", True, True),
        ("alerts_evaluate", "alerts_evaluate", "*/5 * * * *", "UTC", True, True),
        ("notifications", "notifications", "*/5 * * * *", "UTC", True, True),
        ("job_cleanup", "job_cleanup", "15 3 * * *", "UTC", True, True),
    }


async def _sync_cron() -> str:
    return str(await database.fetchval("select cron from job_schedules where name = 'game_platform_sync'"))


async def test_the_sync_follows_the_prioritization_setting_until_a_person_changes_it(
    configured: pytest.MonkeyPatch,
) -> None:
    await schedules.ensure_built_ins()
    configured.setenv("GAME_PLATFORM_PRIORITIZATION_ENABLED", "false")
    get_settings.cache_clear()
    await schedules.ensure_built_ins()
    assert await _sync_cron() == "*/30 * * * *"
    await schedules.change_cron("game_platform_sync", "* * * * *", actor_label="test")
    configured.setenv("GAME_PLATFORM_PRIORITIZATION_ENABLED", "true")
    get_settings.cache_clear()
    await schedules.ensure_built_ins()
    assert await _sync_cron() == "* * * * *"
    assert await database.fetchval("select after->>'cron' from audit_log") == "* * * * *"


async def test_changing_a_schedule_to_the_other_default_is_a_change_too(configured: pytest.MonkeyPatch) -> None:
    await schedules.change_cron("game_platform_sync", "*/30 * * * *", actor_label="test")
    await schedules.ensure_built_ins()
    assert await _sync_cron() == "*/30 * * * *"


async def test_a_due_slot_starts_one_run(configured: pytest.MonkeyPatch) -> None:
    await _only("game_platform_sync")
    slot = await _make_due("game_platform_sync")
    (started,) = await schedules.tick()
    row = await database.fetchrow("select kind, trigger, slot_at from job_runs where id = $1", started.run_id)
    assert row and tuple(row) == ("game_platform_sync", "schedule", slot)
    assert await schedules.tick() == []


async def test_twenty_at_once_start_a_due_slot_once(configured: pytest.MonkeyPatch) -> None:
    await _only("game_platform_sync")
    await _make_due("game_platform_sync")
    started = await asyncio.gather(*(schedules.tick() for _ in range(20)))
    assert len([run for runs in started for run in runs]) == 1
    assert await database.fetchval("select count(*) from job_runs") == 1


async def test_after_an_outage_there_is_one_run_and_the_next_slot_is_ahead(configured: pytest.MonkeyPatch) -> None:
    await _only("game_platform_sync")
    await _make_due("game_platform_sync", minutes_ago=25)
    (started,) = await schedules.tick()
    claimed = await job_runs.claim(started.run_id, "worker")
    assert claimed
    await job_runs.finish(claimed.claim, {})
    assert await schedules.tick() == []
    wait = await database.fetchval("select next_run_at - now() from job_schedules where enabled")
    assert timedelta(0) < wait <= timedelta(minutes=5)


async def test_a_scheduler_that_stopped_for_five_slots_catches_up_once(configured: pytest.MonkeyPatch) -> None:
    await _only("job_cleanup")
    await database.execute("update job_schedules set cron = '* * * * *' where name = 'job_cleanup'")
    slot = await _make_due("job_cleanup", minutes_ago=5)
    started = await asyncio.gather(*(schedules.tick() for _ in range(8)))
    assert [run.task_type for runs in started for run in runs] == ["job_cleanup"]
    assert [row["slot_at"] for row in await database.fetch("select slot_at from job_runs")] == [slot]
    assert await database.fetchval("select next_run_at > now() from job_schedules where enabled")


async def test_a_paused_kind_keeps_at_most_one_run_waiting(configured: pytest.MonkeyPatch) -> None:
    await _only("job_cleanup")
    await pauses.pause(Scope.KIND, "job_cleanup", reason="x", actor=None, actor_label="test")
    for _ in range(3):
        await _make_due("job_cleanup")
        await schedules.tick()
    assert await database.fetchval("select count(*) from job_runs where state = 'queued'") == 1


async def test_a_slot_passes_while_the_same_work_still_runs(configured: pytest.MonkeyPatch) -> None:
    await _only("game_platform_sync")
    await _make_due("game_platform_sync")
    assert len(await schedules.tick()) == 1
    await _make_due("game_platform_sync")
    assert await schedules.tick() == []
    assert await database.fetchval("select count(*) from job_runs") == 1


async def test_a_slot_that_was_started_before_is_not_started_again(configured: pytest.MonkeyPatch) -> None:
    await _only("game_platform_sync")
    slot = await _make_due("game_platform_sync")
    (started,) = await schedules.tick()
    claimed = await job_runs.claim(started.run_id, "worker")
    assert claimed
    await job_runs.finish(claimed.claim, {})
    await database.execute("update job_schedules set next_run_at = $1 where name = 'game_platform_sync'", slot)
    assert await schedules.tick() == []


async def test_a_slot_of_a_feature_that_is_off_passes_without_a_run(settings_changed: pytest.MonkeyPatch) -> None:
    await _only("game_platform_sync")
    await _make_due("game_platform_sync")
    assert await schedules.tick() == []
    row = await database.fetchrow("select next_run_at > now() as ahead, last_run_at from job_schedules where enabled")
    assert row and tuple(row) == (True, None)
    assert await database.fetchval("select count(*) from job_runs") == 0


async def test_a_disabled_schedule_starts_nothing(configured: pytest.MonkeyPatch) -> None:
    await _only("job_cleanup")
    await _make_due("game_platform_sync")
    assert await schedules.tick() == []


@pytest.mark.parametrize("change", ["cron = 'soon'", """payload = '{"x": 1}'""", "zone = 'Mars/Olympus'"])
async def test_a_spoiled_schedule_does_not_hold_up_the_others(configured: pytest.MonkeyPatch, change: str) -> None:
    await schedules.ensure_built_ins()
    await _make_due("game_platform_sync", minutes_ago=9)
    await _make_due("job_cleanup")
    await database.execute(f"update job_schedules set {change} where name = 'game_platform_sync'")
    assert [run.task_type for run in await schedules.tick()] == ["job_cleanup"]


async def test_changing_a_schedule_that_does_not_exist_says_so() -> None:
    with pytest.raises(UnknownSchedule, match="'nightly'"):
        await schedules.change_cron("nightly", "* * * * *")
