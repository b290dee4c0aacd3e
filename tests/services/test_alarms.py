"""Alarms from our tables: they open once, end by themselves, and what keeps failing stops starting by itself."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from app import database
from app.domain.pauses import Scope
from app.services import alarms, pauses, workers
from app.services.alarms import look
from tests.cast import Cast, make_cast, make_competitor
from tests.readers import reader_for

AT_ONCE = timedelta()


@pytest.fixture
async def cast() -> Cast:
    await workers.hear(uuid4(), "here:1")
    return await make_cast()


async def open_alarms() -> list[tuple[str, str]]:
    rows = await database.fetch("select cause, subject from alarms where resolved_at is null order by cause, subject")
    return [(row["cause"], row["subject"]) for row in rows]


async def look_now() -> list[tuple[str, str]]:
    assert await look(interval=AT_ONCE)
    return await open_alarms()


async def fail(kind: str = "job_cleanup", times: int = 5, error: str = "ValueError", trigger: str = "schedule") -> None:
    await database.execute(
        """insert into job_runs (kind, key, state, trigger, error_class, queued_at, finished_at)
           select $1::text, gen_random_uuid()::text, 'failed', $4, $3, clock_timestamp(), clock_timestamp()
           from generate_series(1, $2::int) n""",
        kind, times, error, trigger,
    )


async def succeed(kind: str = "job_cleanup", trigger: str = "user") -> None:
    await database.execute(
        """insert into job_runs (kind, key, state, trigger, queued_at, finished_at)
           values ($1, 'ok', 'succeeded', $2, clock_timestamp(), clock_timestamp())""",
        kind, trigger,
    )


async def told() -> list[tuple[str, str]]:
    rows = await database.fetch("select told, state from alarm_deliveries where channel = 'mail' order by id")
    return [(row["told"], row["state"]) for row in rows]


async def test_where_all_is_well_nothing_opens(cast: Cast) -> None:
    assert await look_now() == []


async def test_only_one_process_looks_per_interval(cast: Cast) -> None:
    assert await look()
    assert not await look()
    await database.execute("update alarm_looks set looked_at = looked_at - interval '20 s'")
    assert sum(await asyncio.gather(look(), look(), look(), look())) == 1


async def test_two_looks_at_once_open_and_end_one_episode_and_tell_of_it_once(cast: Cast) -> None:
    await database.execute("update workers set last_heard_at = now() - interval '2 min'")
    await asyncio.gather(*(look(interval=AT_ONCE) for _ in range(5)))
    assert await open_alarms() == [("worker", "")] and await told() == [("opened", "waiting")]
    await workers.hear(uuid4(), "here:2")
    await asyncio.gather(*(look(interval=AT_ONCE) for _ in range(5)))
    assert await open_alarms() == [] and await told() == [("opened", "waiting"), ("resolved", "waiting")]
    assert await database.fetchval("select count(*) from alarms") == 1


async def test_a_worker_that_left_is_missed_after_a_minute(cast: Cast) -> None:
    assert await look_now() == []
    await database.execute("delete from workers")
    assert await look_now() == []
    await database.execute("update alarm_looks set worker_heard_at = now() - interval '61 s'")
    assert await look_now() == [("worker", "")]


async def test_an_installation_that_just_started_has_a_minute_for_its_first_worker() -> None:
    assert await look_now() == []


async def test_a_missed_schedule_and_old_work_are_seen(cast: Cast) -> None:
    await database.execute(
        """insert into job_schedules (name, kind, cron, next_run_at)
           values ('job_cleanup', 'job_cleanup', '15 3 * * *', now() - interval '3 min')"""
    )
    await database.execute(
        """insert into job_runs (kind, key, next_attempt_at)
           values ('alerts_evaluate', 'alerts_evaluate', now() - interval '6 min')"""
    )
    assert await look_now() == [("queue", ""), ("schedule", "job_cleanup")]
    await database.execute("update job_schedules set enabled = false")
    reader = await reader_for(cast.admin)
    await pauses.pause(Scope.KIND, "alerts_evaluate", reason="maintenance", actor=reader)
    assert await look_now() == []


async def test_a_broken_promise_says_how_many_and_since_when(
    cast: Cast, settings_changed: pytest.MonkeyPatch
) -> None:
    settings_changed.setenv("GAME_PLATFORM_API_TOKEN", "token")
    for name in ("Ana Ash", "Bo Beech"):
        await make_competitor(cast.coach_a, name)
    await database.execute("update game_platform_sync_state set last_success_at = now() - interval '8 h 9 min'")
    assert await look_now() == []
    await database.execute("update game_platform_sync_state set last_success_at = now() - interval '8 h 11 min'")
    assert await look_now() == [("freshness", "idle")]
    row = await database.fetchrow("select reason, extract(epoch from now() - since)::int / 60 as minutes from alarms")
    assert row and row["reason"].startswith("2 people of the tier idle") and row["minutes"] == 11
    await database.execute("update organizations set idle_look_minutes = 240, moderate_look_minutes = 60")
    await database.execute("update game_platform_sync_state set last_success_at = now() - interval '4 h 11 min'")
    assert await look_now() == [("freshness", "idle")]


async def test_a_vendor_that_is_off_is_no_alarm(cast: Cast, settings_changed: pytest.MonkeyPatch) -> None:
    await database.execute(
        """insert into vendor_breakers (vendor, consecutive_failures, opened_at, reason, message)
           values ('game_platform', 1, now(), 'unauthorized', 'token revoked')"""
    )
    assert await look_now() == []
    settings_changed.setenv("GAME_PLATFORM_API_TOKEN", "token")
    from app.settings import get_settings

    get_settings.cache_clear()
    assert await look_now() == [("vendor", "game_platform")]
    assert await database.fetchval("select reason from alarms") == "Game Platform needs action: token revoked"


async def paused() -> list[tuple[str, bool]]:
    return [(pause.name, pause.is_automatic) for pause in await pauses.read_pauses()]


async def test_what_keeps_failing_stops_by_itself_and_a_person_resumes_it(cast: Cast) -> None:
    await fail(times=4)
    assert await look_now() == [] and await paused() == []
    await fail(times=1)
    assert await look_now() == [("repeated_failure", "job_cleanup")]
    assert await paused() == [("job_cleanup", True)]
    assert await look_now() == [("repeated_failure", "job_cleanup")]
    reason = await database.fetchval("select reason from pauses")
    assert "failed 5 times in a row (ValueError)" in reason

    reader = await reader_for(cast.admin)
    assert await alarms.resume(reader, "job_cleanup")
    assert await paused() == [] and await open_alarms() == []
    assert not await alarms.resume(reader, "job_cleanup")
    assert await database.fetchval("select actor_id from audit_log where action = 'pause.end'") == cast.admin.id
    await fail(times=4)
    assert await look_now() == [] and await paused() == []
    await fail(times=1)
    assert await look_now() == [("repeated_failure", "job_cleanup")]


async def test_a_success_that_somebody_asked_for_ends_the_stop(cast: Cast) -> None:
    await fail()
    await look_now()
    await succeed(trigger="user")
    assert await look_now() == [] and await paused() == []


@pytest.mark.parametrize("options", [
    {"error": "VendorError"}, {"error": "DiskFullError"}, {"trigger": "user"},
])
async def test_what_ends_by_itself_or_a_person_tried_stops_nothing(cast: Cast, options: dict[str, Any]) -> None:
    await fail(**options)
    assert await look_now() == [] and await paused() == []


async def test_a_success_in_between_breaks_the_row(cast: Cast) -> None:
    await fail(times=3)
    await succeed(trigger="schedule")
    await fail(times=4)
    assert await look_now() == []


async def test_an_alarm_that_comes_and_goes_is_told_of_a_bounded_number_of_times(cast: Cast) -> None:
    for _ in range(8):
        await database.execute("update workers set last_heard_at = now() - interval '2 min'")
        await database.execute("update alarm_looks set worker_heard_at = now() - interval '2 min'")
        assert await look_now() == [("worker", "")]
        await workers.hear(uuid4(), "again:1")
        await look_now()
    kinds = [kind for kind, _ in await told()]
    assert kinds == ["opened", "resolved", "opened", "resolved", "flapping"]
    assert await database.fetchval("select count(*) from alarms") == 1
    await database.execute("update alarms set gone_at = now() - interval '15 min'")
    assert await look_now() == []
    assert [kind for kind, _ in await told()][-1] == "resolved"
