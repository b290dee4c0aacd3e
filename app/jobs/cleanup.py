"""Keeping the database small, and the standings of people without activity right."""

from app.queue import Payload
from app.services.cleanup import clean_up
from app.services.job_runs import Claim


async def job_cleanup(claim: Claim, payload: Payload) -> dict[str, int]:
    from app.services import standings

    counts = await clean_up(claim)
    await standings.refresh_stale()
    return counts
