"""Looking whether there is something that a person should act on, and telling them by mail."""

from app.queries.saved_views import rows_of
from app.queue import Payload
from app.services import alerts, notification_mail, saved_views
from app.services.job_runs import Claim


async def alerts_evaluate(claim: Claim, payload: Payload) -> dict[str, int]:
    counts = (await alerts.evaluate(claim)).as_counts()
    return counts | await saved_views.look(claim, rows_of)


async def notifications(claim: Claim, payload: Payload) -> dict[str, int]:
    return (await notification_mail.send_due(claim)).as_counts()
