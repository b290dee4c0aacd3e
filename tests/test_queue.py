"""Asking for work: known kinds, exact payloads, explicit policies, one run per wish."""

import json
from uuid import uuid4

import pytest
from saq.job import Job

from app import database, queue
from app.features import FeatureOff
from app.queue import JOB_KINDS, BadPayload, UnknownKind, enqueue
from app.services import job_runs
from app.tables.jobs import RunState, Trigger

ONE, TWO = str(uuid4()), str(uuid4())


@pytest.fixture
def configured(settings_changed: pytest.MonkeyPatch) -> None:
    settings_changed.setenv("GAME_PLATFORM_API_TOKEN", "a-token")


async def test_the_product_has_these_kinds() -> None:
    assert {name for name in JOB_KINDS if not name.startswith("test_")} == {
        "game_platform_sync", "game_platform_totals_sweep", "game_platform_onboarding",
        "game_platform_password_help", "game_platform_roster_reconcile", "outbox_drain",
        "alerts_evaluate", "notifications", "job_cleanup"
    }


@pytest.mark.parametrize("name", JOB_KINDS)
def test_no_kind_takes_the_queues_defaults(name: str) -> None:
    policy, default = JOB_KINDS[name].policy, Job(function="x")
    options = policy.wake_up()
    assert set(options) >= {"timeout", "retries", "ttl", "retry_delay", "retry_backoff", "heartbeat"}
    assert options["timeout"] not in (0, default.timeout) and options["timeout"] > policy.timeout_seconds
    assert options["ttl"] not in (0, default.ttl)
    assert policy.attempts == 3
    assert policy.retry_seconds == (5 if name == "outbox_drain" else 300)


async def test_asking_writes_the_ledger(configured: None) -> None:
    enqueued = await enqueue("game_platform_sync", {"coach_id": ONE, "full": True}, trigger=Trigger.USER)
    row = await database.fetchrow("select * from job_runs where id = $1", enqueued.run_id)
    assert row
    assert (row["kind"], row["state"], row["trigger"]) == ("game_platform_sync", "queued", "user")
    assert row["max_attempts"] == 3
    assert json.loads(row["payload"]) == {"coach_id": ONE, "full": True}


async def test_the_second_click_gets_the_first_ones_run(configured: None) -> None:
    first = await enqueue("game_platform_sync", trigger=Trigger.USER)
    second = await enqueue("game_platform_sync", {}, trigger=Trigger.USER)
    assert (second.run_id, second.is_new, second.state) == (first.run_id, False, RunState.QUEUED)


async def test_the_same_wish_written_differently_is_the_same_run(configured: None) -> None:
    first = await enqueue("game_platform_sync", {"competitor_ids": [ONE, TWO], "full": False}, trigger=Trigger.USER)
    second = await enqueue("game_platform_sync", {"competitor_ids": [TWO.upper(), ONE, TWO]}, trigger=Trigger.USER)
    third = await enqueue("game_platform_sync", {"competitor_ids": [TWO]}, trigger=Trigger.USER)
    assert second.run_id == first.run_id != third.run_id


@pytest.mark.parametrize(
    ("kind", "payload", "field"),
    [
        ("job_cleanup", {"x": 1}, "x"),
        ("game_platform_sync", {"competitors": []}, "competitors"),
        ("game_platform_sync", {"competitor_ids": []}, "competitor_ids"),
        ("game_platform_sync", {"competitor_ids": "all"}, "competitor_ids"),
        ("game_platform_sync", {"competitor_ids": [ONE, "2"]}, "competitor_ids.1"),
        ("game_platform_sync", {"coach_id": 7}, "coach_id"),
        ("game_platform_sync", {"full": "yes"}, "full"),
        ("game_platform_sync", {"dry_run": 1}, "dry_run"),
        ("game_platform_totals_sweep", {"batch_size": 0}, "batch_size"),
        ("game_platform_totals_sweep", {"batch_size": "10"}, "batch_size"),
        ("game_platform_totals_sweep", {"coach_id": ONE}, "coach_id"),
        ("game_platform_onboarding", {"competitor_ids": [ONE], "coach_id": TWO}, "coach_id"),
    ],
)
async def test_a_wrong_payload_is_refused_naming_the_field(
    configured: None, kind: str, payload: dict[str, object], field: str
) -> None:
    with pytest.raises(BadPayload) as refusal:
        await enqueue(kind, payload, trigger=Trigger.USER)
    assert refusal.value.field == field
    assert await database.fetchval("select count(*) from job_runs") == 0


async def test_an_unknown_kind_is_refused_with_the_names() -> None:
    with pytest.raises(UnknownKind, match=r"no job kind 'x'. Kinds are: .*job_cleanup"):
        await enqueue("x", trigger=Trigger.USER)


async def test_work_of_a_feature_that_is_off_is_refused(settings_changed: pytest.MonkeyPatch) -> None:
    with pytest.raises(FeatureOff):
        await enqueue("game_platform_sync", trigger=Trigger.USER)
    assert (await enqueue("job_cleanup", trigger=Trigger.USER)).is_new


async def test_a_queue_that_is_away_delays_nobody_and_loses_nothing(settings_changed: pytest.MonkeyPatch) -> None:
    settings_changed.setenv("QUEUE_URL", "redis://127.0.0.1:9")
    enqueued = await enqueue("job_cleanup", trigger=Trigger.USER)
    assert await database.fetchval("select state from job_runs where id = $1", enqueued.run_id) == "queued"
    await queue.close_queue()


async def test_work_asked_for_in_a_transaction_that_fails_was_never_asked_for() -> None:
    async def ask_and_fail() -> None:
        async with database.transaction():
            await enqueue("job_cleanup", trigger=Trigger.USER)
            raise LookupError

    with pytest.raises(LookupError):
        await ask_and_fail()
    assert await database.fetchval("select count(*) from job_runs") == 0


async def test_asking_again_for_a_run_that_waits_for_its_next_attempt_starts_it_now() -> None:
    first = await enqueue("job_cleanup", trigger=Trigger.COMMAND)
    await database.execute("update job_runs set next_attempt_at = now() + interval '5 minutes'")
    again = await enqueue("job_cleanup", trigger=Trigger.USER)
    assert (again.run_id, again.is_new) == (first.run_id, False)
    assert [run.run_id for run in await job_runs.due_runs(["job_cleanup"], 10)] == [first.run_id]
