"""Runs of the score sync on a clock that tests move: ticks happen every five minutes, hours pass at once."""

from datetime import datetime
from typing import Any
from uuid import UUID

from app import database
from app.services import score_ingestion
from app.services.job_runs import Claim
from app.services.score_ingestion import SyncResult
from tests.services.platform import Platform, claim_run

TICK_MINUTES = 5


async def run(platform: Platform, *, claim: Claim | None = None, batch_size: int = 50, **options: Any) -> SyncResult:
    """What is due now."""
    claim = claim or await claim_run()
    async with platform.client(claim) as client:
        return await score_ingestion.sync(claim, client, batch_size=batch_size, **options)


async def state(competitor_id: UUID) -> dict[str, Any]:
    row = await database.fetchrow(
        """select *, extract(epoch from due_at - now())::int / 60.0 as due_minutes,
               extract(epoch from retry_at - now())::int / 60.0 as retry_minutes
           from game_platform_sync_state where competitor_id = $1""",
        competitor_id,
    )
    assert row is not None
    return dict(row)


async def start_ticking() -> datetime:
    """From now on a tick is always at this moment, and the next one five minutes later: time passes by moving rows."""
    now: datetime = await database.fetchval("select now()")
    await database.execute(
        """insert into job_schedules (name, kind, cron, next_run_at)
           values ('game_platform_sync', 'game_platform_sync', '*/5 * * * *', $1::timestamptz + interval '5 minutes')
           on conflict (name) do update set next_run_at = excluded.next_run_at""",
        now,
    )
    return now


async def pass_time(minutes: float = TICK_MINUTES) -> None:
    await database.execute(
        """update game_platform_sync_state set due_at = due_at - p.passed, active_until = active_until - p.passed,
               retry_at = retry_at - p.passed, last_attempt_at = last_attempt_at - p.passed,
               last_flash_ctf_synced_at = last_flash_ctf_synced_at - p.passed
           from (select make_interval(secs => $1) as passed) p""",
        minutes * 60.0,
    )


async def looks(platform: Platform) -> list[str]:
    """Whose practice was asked for, in the order of the calls."""
    return [call["syned_user_id"] for call in await platform.calls("odl_scores")]


async def flash_looks(platform: Platform) -> list[str]:
    return [call["syned_user_id"] for call in await platform.calls("flash_ctf_progress")]


async def forget_calls(platform: Platform) -> None:
    await platform.control.delete("/calls")
