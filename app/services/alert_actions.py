"""What a person does about alerts: takes them, gives them back, puts them aside until a day. One transaction each."""

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

import asyncpg

from app import database
from app.domain.readers import Reader
from app.security import audit

LONGEST_SNOOZE = timedelta(days=366)

_FIND = """
select a.id, a.organization_id, a.rule, a.competitor_id, a.team_id, a.owner_id, a.snoozed_until
from alerts a
left join competitors c on c.id = a.competitor_id
left join team_memberships m on m.competitor_id = c.id
left join teams t on t.id = a.team_id
where a.id = any($1::uuid[]) and case when a.competitor_id is null and a.team_id is null
    then a.organization_id = any($2::uuid[]) else {condition} end
order by a.id for update of a
"""
_CHANGES = {
    "taken": "owner_id = $2 where owner_id is distinct from $2",
    "given_back": "owner_id = null where owner_id = $2",
    "snoozed": "snoozed_until = $2 where snoozed_until is distinct from $2",
    "woken": "snoozed_until = null where snoozed_until > $2",
}


class NotFound(Exception):
    """At least one of them does not exist or is not the reader's to see."""


class AlertError(Exception):
    """The text says what is wrong and what to do."""


async def take(reader: Reader, alert_ids: Sequence[UUID]) -> int:
    """The reader will see to them; answers how many became theirs. Raises NotFound, as all of these do."""
    return await _change(reader, alert_ids, "taken", reader.user_id)


async def give_back(reader: Reader, alert_ids: Sequence[UUID]) -> int:
    """Only what the reader has taken."""
    return await _change(reader, alert_ids, "given_back", reader.user_id)


async def snooze(reader: Reader, alert_ids: Sequence[UUID], until: datetime) -> int:
    """Out of the way until then, or until the cause is gone. Raises AlertError for a day that cannot be meant."""
    now = await _now()
    if until <= now:
        raise AlertError("Choose a day that is still to come.")
    if until - now > LONGEST_SNOOZE:
        raise AlertError("Choose a day within a year.")
    return await _change(reader, alert_ids, "snoozed", until)


async def wake(reader: Reader, alert_ids: Sequence[UUID]) -> int:
    return await _change(reader, alert_ids, "woken", await _now())


async def _now() -> datetime:
    now: datetime = await database.fetchval("select now()")
    return now


async def _change(reader: Reader, alert_ids: Sequence[UUID], kind: str, value: object) -> int:
    """What is resolved meanwhile, or is so already, stays as it is."""
    wanted = set(alert_ids)
    async with database.transaction():
        found = await _find(reader, wanted)
        if len(found) < len(wanted):
            raise NotFound
        rows = await database.fetch(
            f"update alerts set {_CHANGES[kind]} and id = any($1::uuid[]) and state <> 'resolved' returning id",  # noqa: S608
            list(wanted), value,
        )
        changed = {row["id"] for row in rows}
        until = value if kind == "snoozed" and isinstance(value, datetime) else None
        await _remember([row for row in found if row["id"] in changed], reader, kind, until)
    return len(changed)


async def _find(reader: Reader, wanted: set[UUID]) -> list[asyncpg.Record]:
    condition, arguments = reader.sight.condition("coalesce(c.coach_id, t.coach_id)", "coalesce(m.team_id, t.id)", 3)
    return await database.fetch(
        _FIND.format(condition=condition), list(wanted), list(reader.organization_ids), *arguments
    )


async def _remember(found: Sequence[asyncpg.Record], reader: Reader, kind: str, until: datetime | None) -> None:
    if not found:
        return
    await database.execute(
        "insert into alert_events (alert_id, kind, user_id, until) select id, $2, $3, $4 from unnest($1::uuid[]) as id",
        [row["id"] for row in found], kind, reader.user_id, until,
    )
    await database.execute(
        """insert into activity_events (organization_id, kind, competitor_id, team_id, user_id, details)
           select organization_id, 'alert_' || $2::text, competitor_id, team_id, $3,
               jsonb_build_object('rule', rule) || $4::jsonb
           from alerts where id = any($1::uuid[])""",
        [row["id"] for row in found], kind, reader.user_id,
        json.dumps({"until": until.isoformat()} if until else {}),
    )
    for row in found:
        await audit.record(
            f"alert.{kind}", actor=reader, subject_type="alert", subject_id=row["id"],
            before={"owner_id": row["owner_id"], "snoozed_until": row["snoozed_until"]},
            after={"rule": row["rule"], **({"until": until} if until else {})}, organization_id=row["organization_id"],
        )
