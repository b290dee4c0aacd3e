"""How scores are read is switched at run time: no deploy, no restart, from the next run on."""

from typing import Any

import pytest

from app import database
from app.services.flags import set_flag
from tests.cast import Person
from tests.clock import hours_go_by
from tests.faults.stage import coach, connected, platform, run, sandbox_process
from tests.services.platform import Platform, make_onboarded

__all__ = ["coach", "connected", "platform", "sandbox_process"]

PEOPLE = 7
BATCH = 3


@pytest.fixture
def small_batches(settings_changed: pytest.MonkeyPatch) -> None:
    settings_changed.setenv("GAME_PLATFORM_SYNC_BATCH_SIZE", str(BATCH))


async def switch(name: str, *, on: bool) -> None:
    await set_flag(f"game_platform.{name}", on, organization_id=None, actor=None, actor_label="test")


async def next_run(platform: Platform) -> tuple[str, int, int]:
    """How it chose its people, its transactions, and whom it looked at."""
    await platform.control.delete("/calls")
    assert await run("game_platform_sync") == "succeeded"
    rows: list[Any] = await database.fetch(
        """select mode from game_platform_sync_runs where run_id = (
               select id from job_runs where kind = 'game_platform_sync' order by queued_at desc limit 1)"""
    )
    looked_at = {call["syned_user_id"] for call in await platform.calls("odl_scores")}
    return (rows[0]["mode"] if rows else "", len(rows), len(looked_at))


async def test_batches_and_tiers_are_switched_off_and_on_between_two_runs(
    small_batches: None, connected: Platform, coach: Person
) -> None:
    for number in range(PEOPLE):
        await make_onboarded(connected, coach, f"Player {number}")
    assert await next_run(connected) == ("tiers", 3, PEOPLE)
    await hours_go_by(0.1)
    assert (await next_run(connected))[2] == 0, "nobody is due so soon"
    await switch("prioritization", on=False)
    assert await next_run(connected) == ("rotation", 1, BATCH)
    await switch("batch_sync", on=False)
    assert await next_run(connected) == ("all", 1, PEOPLE)
    assert await next_run(connected) == ("all", 1, PEOPLE)
    await switch("prioritization", on=True)
    await hours_go_by(9)
    assert await next_run(connected) == ("tiers", 1, PEOPLE), "due again, without batches"
    await switch("batch_sync", on=True)
    await hours_go_by(9)
    assert await next_run(connected) == ("tiers", 3, PEOPLE)
