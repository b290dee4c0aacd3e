"""Looking whether there is something that a person should act on."""

from app.queue import Payload
from app.services import alerts
from app.services.job_runs import Claim


async def alerts_evaluate(claim: Claim, payload: Payload) -> dict[str, int]:
    return (await alerts.evaluate(claim)).as_counts()
