"""Sending what the outbox holds."""

from app.features import Feature, enabled_organizations
from app.jobs.game_platform import platform_and_standings
from app.queue import Payload
from app.services.job_runs import Claim
from app.settings import get_settings


async def outbox_drain(claim: Claim, payload: Payload) -> dict[str, int]:
    from app.services import outbox_drain as drainer

    async with platform_and_standings(claim) as client:
        result = await drainer.drain(
            claim, client, organization_ids=await enabled_organizations(Feature.ROSTER_SYNC),
            concurrency=get_settings().game_platform_concurrency,
        )
    return result.as_counts()
