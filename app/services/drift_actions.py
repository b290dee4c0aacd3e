"""What a person does about a difference: push ours, accept theirs, or ignore it until a day.

Each is one transaction with its traces; on a row that is resolved already it does nothing more. Locks are taken in the
order drift, competitors, teams, memberships, outbox.
"""

import json
from datetime import datetime
from uuid import UUID

from app import database
from app.domain import drift
from app.domain.drift import Field, Subject
from app.domain.readers import Reader
from app.security import audit
from app.services import drift_changes, drift_rows, outbox, standings
from app.services.drift_changes import DriftError, Row
from app.services.outbox import NotFound
from app.tables.drift import DriftState
from app.tables.outbox import PushKind

__all__ = ["DriftError", "NotFound", "accept_theirs", "ignore_until", "push_ours"]

FIND = """
    select d.id, d.organization_id, d.competitor_id, d.subject_type, d.subject_id, d.field, d.ours, d.theirs, d.state,
        d.ignored_until
    from drift d
    left join competitors c on c.id = d.competitor_id
    left join team_memberships m on m.competitor_id = c.id
    left join teams t on d.subject_type = 'team' and t.id::text = d.subject_id
    where d.id = $1 and {condition} for update of d
"""

# Our team is gone: what was asked of the platform is asked again as it was.
DELETE_AGAIN = """
    update outbox set state = 'waiting', asked = asked + 1, attempts = 0, next_attempt_at = clock_timestamp(),
        held_for = null, reason = null, finished_at = null, asked_at = now()
    where id = (select max(id) from outbox where kind = 'team_deletion' and platform_id = $1)
        and state in ('parked', 'discarded')
"""


async def push_ours(reader: Reader, drift_id: UUID) -> None:
    """Asks for our side to be sent. Raises NotFound, or DriftError where the platform cannot be told."""
    async with database.transaction():
        row = await _find(reader, drift_id)
        if row.is_resolved:
            return
        _refuse(drift.why_not_push(row.subject_type, row.field, row.ours))
        await _push(row, reader)
        await drift_rows.resolve([row.id], drift.PUSHED)
        await _remember("drift.pushed", row, reader)
    await outbox.wake()


async def accept_theirs(reader: Reader, drift_id: UUID) -> None:
    """Takes their side into our tables. Raises NotFound, or DriftError where that is not safe."""
    async with database.transaction():
        row = await _find(reader, drift_id)
        if row.is_resolved:
            return
        _refuse(drift.why_not_accept(row.subject_type, row.field))
        if row.field in drift.TOTALS_FIELDS:
            if row.state == DriftState.IGNORED and row.ignored_until is None:
                return
            await _ignore(row, None, drift.ACCEPTED)
        else:
            await drift_changes.accept(row)
            await drift_rows.resolve([row.id], drift.ACCEPTED)
        await _remember("drift.accepted", row, reader)


async def ignore_until(reader: Reader, drift_id: UUID, until: datetime, reason: str = "") -> None:
    """Until then, or until the difference becomes another one. Raises NotFound, or DriftError for a day gone by."""
    async with database.transaction():
        row = await _find(reader, drift_id)
        if row.is_resolved or (row.state, row.ignored_until) == (DriftState.IGNORED, until):
            return
        if until <= await database.fetchval("select clock_timestamp()"):
            raise DriftError("Choose a day that is still to come.")
        await _ignore(row, until, reason.strip())
        await _remember("drift.ignored", row, reader, until=until.isoformat())


async def _find(reader: Reader, drift_id: UUID) -> Row:
    condition, arguments = reader.sight.condition("coalesce(c.coach_id, t.coach_id)", "coalesce(m.team_id, t.id)", 2)
    row = await database.fetchrow(FIND.format(condition=condition), drift_id, *arguments)
    if row is None:
        raise NotFound
    return Row(**row)


def _refuse(why: str | None) -> None:
    if why:
        raise DriftError(why)


async def _push(row: Row, reader: Reader) -> None:
    if row.field == Field.ACCOUNT:
        await drift_changes.ask_for_new_account(row, reader.user_id)
        return
    if row.field == Field.EXISTENCE:
        await database.execute(DELETE_AGAIN, row.subject_id)
        return
    assert row.organization_id and row.competitor_id
    await outbox.add(PushKind.MEMBERSHIP, row.competitor_id, organization_id=row.organization_id, actor=reader)


async def _ignore(row: Row, until: datetime | None, reason: str) -> None:
    await database.execute(
        "update drift set state = 'ignored', ignored_until = $2, reason = $3 where id = $1", row.id, until, reason
    )


async def _remember(action: str, row: Row, reader: Reader, **more: str) -> None:
    about = {"subject": row.subject_type, "field": row.field, **more}
    await audit.record(
        action, actor=reader, subject_type="drift", subject_id=row.id,
        before={"subject_id": row.subject_id, "ours": row.ours}, after={**about, "theirs": row.theirs},
        organization_id=row.organization_id,
    )
    if row.organization_id is None:
        return
    team_id = UUID(row.subject_id) if row.subject_type == Subject.TEAM and row.field != Field.EXISTENCE else None
    await database.execute(
        """insert into activity_events (organization_id, kind, competitor_id, team_id, user_id, details)
           values ($1, $2, $3, $4, $5, $6::jsonb)""",
        row.organization_id, action.replace(".", "_"), row.competitor_id, team_id, reader.user_id, json.dumps(about),
    )
    await standings.mark_stale(row.organization_id)
