"""Changes of ours on their way to the vendor: written with the change itself, sent by one drainer.

A push is level-triggered. It names a subject; whoever sends it looks at both sides and does what is missing, so that
sending it twice changes nothing more.
"""

import json
from typing import Any

from app import database
from app.domain.readers import Reader
from app.features import Feature, FeatureOff, enabled_organizations
from app.queue import enqueue
from app.security import audit
from app.services import outbox_rows
from app.services.outbox_rows import add, add_many, drop
from app.tables.jobs import Trigger
from app.tables.outbox import PushKind

__all__ = ["NotFound", "add", "add_many", "discard", "drop", "retry", "wake", "wake_if_due"]

FIND_OPEN = """
    select o.id, o.organization_id, o.kind, o.subject_id, o.state, o.reason from outbox o
    left join teams t on t.id = o.subject_id and o.kind in ('team', 'team_deletion')
    left join competitors c on c.id = o.subject_id and o.kind = 'membership'
    left join team_memberships m on m.competitor_id = c.id
    where o.id = $1 and o.state in ('waiting', 'parked') and {condition} for update of o
"""

class NotFound(Exception):
    """Not there, or not for this reader to see: the same answer, so that nobody learns which."""


async def wake() -> None:
    """After the commit: what was added is sent now, not at the next look."""
    try:
        await enqueue("outbox_drain", trigger=Trigger.FOLLOW_UP)
    except FeatureOff:
        return


async def wake_if_due() -> None:
    """For workers, who look every second: a retry whose time has come, a change whose wake-up was lost."""
    if not await outbox_rows.is_any_due():
        return
    organizations = await enabled_organizations(Feature.ROSTER_SYNC)
    if organizations and await outbox_rows.is_any_due(organizations):
        await wake()


async def retry(push_id: int, actor: Reader) -> None:
    """Sends a parked or waiting row again now. Raises NotFound."""
    async with database.transaction():
        row = await _find_open(push_id, actor)
        await outbox_rows.add(
            PushKind(row["kind"]), row["subject_id"], organization_id=row["organization_id"], actor=actor
        )
        await _remember("outbox.retried", row, actor)
    await wake()


async def discard(push_id: int, reason: str, actor: Reader) -> None:
    """Gives a row up: both sides stay as they are, and the reconcile shows where they differ. Raises NotFound."""
    async with database.transaction():
        row = await _find_open(push_id, actor)
        await database.execute(
            "update outbox set state = 'discarded', reason = $2, finished_at = now() where id = $1", push_id, reason
        )
        await _remember("outbox.discarded", row, actor, given_reason=reason)


async def _find_open(push_id: int, actor: Reader) -> dict[str, Any]:
    condition, arguments = actor.sight.condition(
        "coalesce(t.coach_id, c.coach_id, o.subject_id)", "coalesce(t.id, m.team_id)", 2
    )
    row = await database.fetchrow(FIND_OPEN.format(condition=condition), push_id, *arguments)
    if row is None:
        raise NotFound
    return dict(row)


async def _remember(action: str, row: dict[str, Any], actor: Reader, **more: str) -> None:
    about = {name: str(row[name]) for name in ("kind", "subject_id")}
    await audit.record(
        action, actor=actor, subject_type="outbox", subject_id=row["id"],
        before={"state": row["state"], "reason": row["reason"]}, after={**about, **more},
        organization_id=row["organization_id"],
    )
    await database.execute(
        "insert into activity_events (organization_id, kind, user_id, details) values ($1, $2, $3, $4::jsonb)",
        row["organization_id"], action.replace(".", "_"), actor.user_id, json.dumps(about),
    )
