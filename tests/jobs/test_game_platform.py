"""The Game Platform's tasks from the ledger to the ledger, against the real sandbox over HTTP."""

import json
from collections.abc import Iterator
from uuid import UUID

import httpx
import pytest

from app import database
from app.jobs import runner
from app.queue import enqueue
from app.services import flags
from app.services.roster_import import import_roster
from app.tables.jobs import Trigger
from tests.cast import make_organization, make_user
from tests.sandbox_server import TOKEN, SandboxHandle, start_sandbox


@pytest.fixture
def sandbox(settings_changed: pytest.MonkeyPatch) -> Iterator[SandboxHandle]:
    handle = start_sandbox()
    settings_changed.setenv("GAME_PLATFORM_BASE_URL", handle.base_url)
    settings_changed.setenv("GAME_PLATFORM_API_TOKEN", TOKEN)
    settings_changed.setenv("GAME_PLATFORM_MAX_REQUESTS_PER_MINUTE", "100000")
    yield handle
    handle.stop()


async def _import_one_roster(sandbox: SandboxHandle) -> None:
    async with httpx.AsyncClient() as client:
        league = (await client.get(f"{sandbox.control_url}/league")).json()
    coach = await make_user(await make_organization(), "coach", "Ada Alder")
    roster = next(iter(league["rosters"].values()))
    await import_roster(roster.encode(), coach_email=coach.email, dry_run=False, actor=None, actor_label="test")


async def _run(run_id: UUID) -> dict[str, int]:
    await runner.run(run_id, "worker")
    row = await database.fetchrow("select state, result, error_text, traceback from job_runs where id = $1", run_id)
    assert row and row["state"] == "succeeded", row
    return dict(json.loads(row["result"]))


async def test_onboarding_is_followed_by_a_sync_that_stores_what_was_solved(sandbox: SandboxHandle) -> None:
    await _import_one_roster(sandbox)
    asked = await enqueue("game_platform_onboarding", trigger=Trigger.COMMAND)
    counts = await _run(asked.run_id)
    assert set(counts) >= {"total", "added", "adopted", "waiting", "refused", "failed"}
    assert counts["added"] + counts["adopted"] > 0
    follow_ups = await database.fetch("select id, kind from job_runs where state = 'queued' and trigger = 'follow_up'")
    by_kind = {row["kind"]: row["id"] for row in follow_ups}
    assert set(by_kind) == {"game_platform_sync", "outbox_drain"}
    counts = await _run(by_kind["game_platform_sync"])
    assert counts["total"] == counts["synced"] + counts["skipped"] + counts["failed"] > 0
    assert counts["new_solves"] == await database.fetchval("select count(*) from game_platform_challenge_solves")


async def test_onboarding_that_added_nobody_asks_for_nothing(sandbox: SandboxHandle) -> None:
    asked = await enqueue("game_platform_onboarding", trigger=Trigger.COMMAND)
    assert (await _run(asked.run_id))["total"] == 0
    assert await database.fetchval("select count(*) from job_runs") == 1


async def test_a_sweep_and_a_cleanup_answer_their_counts(sandbox: SandboxHandle) -> None:
    sweep = await enqueue("game_platform_totals_sweep", trigger=Trigger.COMMAND)
    assert set(await _run(sweep.run_id)) >= {"total", "refreshed", "failed", "api_calls"}
    cleanup = await enqueue("job_cleanup", trigger=Trigger.COMMAND)
    assert set(await _run(cleanup.run_id)) >= {"job_runs", "vendor_calls"}


async def test_a_roster_import_is_followed_by_onboarding(sandbox: SandboxHandle) -> None:
    await _import_one_roster(sandbox)
    waiting = await database.fetchrow("select kind, trigger from job_runs where state = 'queued'")
    assert waiting and tuple(waiting) == ("game_platform_onboarding", "follow_up")


async def test_an_organization_that_is_switched_off_is_neither_onboarded_nor_read(sandbox: SandboxHandle) -> None:
    await _import_one_roster(sandbox)
    off = await database.fetchval("select id from organizations")
    await make_organization("Southern League")
    for feature in ("game_platform.onboarding", "game_platform.score_ingestion"):
        await flags.set_flag(feature, False, organization_id=off, actor=None, actor_label="test")
    for kind in ("game_platform_onboarding", "game_platform_sync"):
        assert (await _run((await enqueue(kind, trigger=Trigger.COMMAND)).run_id))["total"] == 0
    async with httpx.AsyncClient() as client:
        assert (await client.get(f"{sandbox.control_url}/calls")).json() == []


async def test_a_platform_that_is_away_is_tried_again_later(sandbox: SandboxHandle) -> None:
    await _import_one_roster(sandbox)
    sandbox.kill()
    asked = await enqueue("game_platform_onboarding", trigger=Trigger.COMMAND)
    await runner.run(asked.run_id, "worker")
    row = await database.fetchrow("select * from job_runs where id = $1", asked.run_id)
    assert row and (row["state"], row["error_class"]) == ("queued", "VendorError")
    assert "@" not in row["error_text"] and TOKEN not in f"{row['error_text']}{row['traceback']}"
