"""Asking for a sync of some people now: limited per person who asks and per target, and never twice at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from app import database
from app.domain.readers import Reader
from app.features import Feature, FeatureOff, require_feature
from app.queue import enqueue, find_kind, parse_payload, run_key, wake_soon
from app.security import audit
from app.services import organization_limits
from app.services.job_runs import DueRun
from app.services.organization_limits import Limits
from app.tables.jobs import Trigger

KIND = "game_platform_sync"

SWITCHED_OFF = "Reading scores from the Game Platform is switched off for this organization."
NOBODY_LINKED = "Nobody here has an account on the Game Platform yet, so there is nothing to read."
TOO_SOON = "The platform was asked in the last {minutes}. Try again a little later."
TOO_MANY = "You asked for many syncs in the last hour. Scores are read by themselves; try again in an hour."

# Whoever may see them and has an account to read.
READABLE = """
    select c.id, c.organization_id from competitors c left join team_memberships m on m.competitor_id = c.id
    where c.id = any($1::uuid[]) and c.archived_at is null and c.game_platform_id is not null and {condition}
    order by c.id
"""


class SyncRefused(Exception):
    """The text says why nothing is asked for, and what to do."""


@dataclass(frozen=True, slots=True)
class Asked:
    """`is_new` is false where the same was being done already."""

    run_id: UUID
    is_new: bool


@dataclass(frozen=True, slots=True)
class LastAsked:
    state: str
    asked_at: datetime
    new_solves: int


async def sync_now(reader: Reader, competitor_ids: Sequence[UUID]) -> Asked:
    """Reads whoever of them is the reader's and has an account. Raises SyncRefused."""
    async with database.transaction():
        await database.execute("select 1 from users where id = $1 for no key update", reader.user_id)
        wanted, organization_id = await _readable(reader, competitor_ids)
        await _require_offered(organization_id)
        payload = {"competitor_ids": wanted}
        if running := await _running(payload):
            return Asked(running, is_new=False)
        await _refuse_too_often(reader, payload, await organization_limits.of(organization_id))
        asked = await enqueue(KIND, payload, trigger=Trigger.USER, triggered_by=reader.user_id)
        await audit.record(
            "sync.asked", actor=reader, subject_type="organization", subject_id=organization_id, after=payload,
            organization_id=organization_id,
        )
    wake_soon([DueRun(asked.run_id, KIND, fence=0)])
    return Asked(asked.run_id, asked.is_new)


async def last_asked(competitor_ids: Sequence[UUID]) -> LastAsked | None:
    """What came of the last sync that anybody asked for by hand for exactly these, within a day."""
    if not competitor_ids:
        return None
    row = await database.fetchrow(
        """select state, queued_at, coalesce((result->>'new_solves')::int, 0) as new_solves from job_runs
           where kind = $1 and key = $2 and trigger = 'user' and queued_at > now() - interval '1 day'
           order by queued_at desc limit 1""",
        KIND, _key({"competitor_ids": sorted(map(str, competitor_ids))}),
    )
    return LastAsked(row["state"], row["queued_at"], row["new_solves"]) if row else None


async def _readable(reader: Reader, competitor_ids: Sequence[UUID]) -> tuple[list[str], UUID]:
    condition, arguments = reader.sight.condition("c.coach_id", "m.team_id", 2)
    rows = await database.fetch(READABLE.format(condition=condition), list(competitor_ids), *arguments)
    if not rows:
        raise SyncRefused(NOBODY_LINKED)
    return sorted(str(row["id"]) for row in rows), rows[0]["organization_id"]


async def _require_offered(organization_id: UUID) -> None:
    try:
        await require_feature(Feature.SCORE_INGESTION, organization_id)
    except FeatureOff:
        raise SyncRefused(SWITCHED_OFF) from None


async def _running(payload: dict[str, list[str]]) -> UUID | None:
    run_id = await database.fetchval(
        "select id from job_runs where key = $1 and state in ('queued', 'running')", _key(payload)
    )
    return UUID(str(run_id)) if run_id else None


async def _refuse_too_often(reader: Reader, payload: dict[str, list[str]], limits: Limits) -> None:
    row = await database.fetchrow(
        """select coalesce(bool_or(key = $2 and queued_at > now() - make_interval(mins => $4)), false) as lately,
               count(*) filter (where triggered_by = $3) as of_user
           from job_runs where kind = $1 and trigger = 'user' and queued_at > now() - interval '1 hour'""",
        KIND, _key(payload), reader.user_id, limits.sync_pause_minutes,
    )
    assert row
    if row["lately"]:
        minutes = limits.sync_pause_minutes
        raise SyncRefused(TOO_SOON.format(minutes="minute" if minutes == 1 else f"{minutes} minutes"))
    if row["of_user"] >= limits.syncs_per_hour:
        raise SyncRefused(TOO_MANY)


def _key(payload: dict[str, list[str]]) -> str:
    return run_key(KIND, parse_payload(find_kind(KIND), payload).canonical())
