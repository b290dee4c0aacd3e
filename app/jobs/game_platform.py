"""The Game Platform's work. Heavy imports wait for the first run, so that a worker starts fast."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from app.domain.sync_tiers import Ceilings
from app.features import Feature, FeatureOff, enabled_organizations, read_flags
from app.queue import (
    GamePlatformOnboardingPayload,
    GamePlatformPasswordHelpPayload,
    GamePlatformRosterReconcilePayload,
    GamePlatformSyncPayload,
    GamePlatformTotalsSweepPayload,
    enqueue,
)
from app.services.job_runs import Claim
from app.settings import get_settings
from app.tables.jobs import Trigger
from app.tables.scores import SyncMode

WITHOUT_BATCHES = 500
"""People per transaction where a run is not cut into batches: what a worker can well hold at once."""

if TYPE_CHECKING:
    from app.integrations.game_platform.client import GamePlatformClient


async def game_platform_sync(claim: Claim, payload: GamePlatformSyncPayload) -> dict[str, int]:
    from app.services import score_ingestion

    settings = get_settings()
    async with platform_and_standings(claim) as client:
        result = await score_ingestion.sync(
            claim, client, batch_size=await _batch_size(), mode=await _sync_mode(),
            ceilings=Ceilings.of_minutes(settings.game_platform_look_minutes),
            concurrency=settings.game_platform_concurrency, competitor_ids=payload.competitor_ids,
            coach_id=payload.coach_id, organization_ids=await enabled_organizations(Feature.SCORE_INGESTION),
            full=payload.full, dry_run=payload.dry_run, feed_path=settings.game_platform_scores_feed_path,
        )
    return result.as_counts()


async def _sync_mode() -> SyncMode:
    """As the switches stand now."""
    flags = await read_flags()
    if flags.is_switched_on(Feature.PRIORITIZATION):
        return SyncMode.TIERS
    return SyncMode.ROTATION if flags.is_switched_on(Feature.BATCH_SYNC) else SyncMode.ALL


async def _batch_size() -> int:
    has_batches = (await read_flags()).is_switched_on(Feature.BATCH_SYNC)
    return get_settings().game_platform_sync_batch_size if has_batches else WITHOUT_BATCHES


async def game_platform_totals_sweep(claim: Claim, payload: GamePlatformTotalsSweepPayload) -> dict[str, int]:
    from app.services import score_ingestion

    async with platform_and_standings(claim) as client:
        result = await score_ingestion.sweep_totals(
            claim, client, batch_size=payload.batch_size, competitor_ids=payload.competitor_ids,
            organization_ids=await enabled_organizations(Feature.SCORE_INGESTION),
            ceilings=Ceilings.of_minutes(get_settings().game_platform_look_minutes),
        )
    return result.as_counts()


async def game_platform_onboarding(claim: Claim, payload: GamePlatformOnboardingPayload) -> dict[str, int]:
    from app.services import onboarding, outbox

    async with platform_and_standings(claim) as client:
        result = await onboarding.onboard(
            claim, client, competitor_ids=payload.competitor_ids, coach_id=payload.coach_id,
            organization_ids=await enabled_organizations(Feature.ONBOARDING),
        )
    counts = result.as_counts()
    if counts["added"] or counts["adopted"]:
        await _look_for_scores()
        await outbox.wake()
    return counts


async def game_platform_roster_reconcile(
    claim: Claim, payload: GamePlatformRosterReconcilePayload
) -> dict[str, int]:
    from app.services import reconcile

    async with platform_and_standings(claim) as client:
        result = await reconcile.reconcile(
            claim, client, team_id=payload.team_id, organization_ids=await enabled_organizations(Feature.ROSTER_SYNC),
            concurrency=get_settings().game_platform_concurrency,
        )
    return result.as_counts()


async def game_platform_password_help(claim: Claim, payload: GamePlatformPasswordHelpPayload) -> dict[str, int]:
    from app.jobs.clients import open_game_platform
    from app.services import password_help

    async with open_game_platform(get_settings(), run_id=claim.run_id) as client:
        return await password_help.send(claim, client, payload.request_id)


@asynccontextmanager
async def platform_and_standings(claim: Claim) -> "AsyncIterator[GamePlatformClient]":
    """A client for the run; whatever the run stored is in the standings afterwards, also when it broke off."""
    from app.jobs.clients import open_game_platform
    from app.services import standings

    try:
        async with open_game_platform(get_settings(), run_id=claim.run_id) as client:
            yield client
    finally:
        await standings.refresh_stale()


async def _look_for_scores() -> None:
    """People who are new on the platform need not wait for the next slot."""
    try:
        await enqueue("game_platform_sync", trigger=Trigger.FOLLOW_UP)
    except FeatureOff:
        return
