"""The reconcile from the ledger to the ledger, against the real sandbox over HTTP."""

import json
from collections.abc import Iterator
from uuid import uuid4

import pytest

from app import database
from app.features import FeatureOff
from app.jobs import runner
from app.queue import BadPayload, enqueue
from app.services import flags
from app.tables.jobs import Trigger
from tests.cast import make_cast, make_competitor
from tests.sandbox_server import TOKEN, SandboxHandle, start_sandbox

KIND = "game_platform_roster_reconcile"


@pytest.fixture
def sandbox(settings_changed: pytest.MonkeyPatch) -> Iterator[SandboxHandle]:
    handle = start_sandbox(league=False)
    settings_changed.setenv("GAME_PLATFORM_BASE_URL", handle.base_url)
    settings_changed.setenv("GAME_PLATFORM_API_TOKEN", TOKEN)
    yield handle
    handle.stop()


async def test_a_run_tells_teams_members_and_drift(sandbox: SandboxHandle) -> None:
    cast = await make_cast()
    await make_competitor(cast.coach_a, "Gone Grove")
    asked = await enqueue(KIND, trigger=Trigger.COMMAND)
    await runner.run(asked.run_id, "worker")
    row = await database.fetchrow("select state, result, error_text from job_runs where id = $1", asked.run_id)
    assert row and row["state"] == "succeeded", row
    assert json.loads(row["result"]) == {"teams": 0, "members": 0, "drift": 1, "accounts": 1, "complete": 1}
    assert await database.fetchval("select field from drift") == "account"


async def test_it_takes_a_team_and_nothing_else(sandbox: SandboxHandle) -> None:
    assert (await enqueue(KIND, {"team_id": str(uuid4())}, trigger=Trigger.COMMAND)).is_new
    with pytest.raises(BadPayload, match="coach_id"):
        await enqueue(KIND, {"coach_id": str(uuid4())}, trigger=Trigger.COMMAND)


async def test_it_is_off_with_its_feature(sandbox: SandboxHandle) -> None:
    await flags.set_flag("game_platform.roster_sync", False, organization_id=None, actor=None, actor_label="test")
    with pytest.raises(FeatureOff):
        await enqueue(KIND, trigger=Trigger.COMMAND)
