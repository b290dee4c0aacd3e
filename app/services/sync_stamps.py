"""What a look leaves in `game_platform_sync_state`: how it went, how far it came, and when the next one is due."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from uuid import UUID

from app import database
from app.domain import sync_tiers
from app.domain.competitor_status import WAITING
from app.domain.sync_tiers import ACTIVE_LASTS, Ceilings
from app.integrations.errors import ErrorKind
from app.integrations.game_platform.schemas import UserStatus
from app.services.onboarding_store import DENIED
from app.services.score_fetch import ASK_WAITING_AFTER, Look, Subject
from app.services.score_reading import Reading

AWAY = frozenset({ErrorKind.UNAVAILABLE, ErrorKind.RATE_LIMITED, ErrorKind.UNAUTHORIZED})
"""The platform's trouble, not this person's: they stay due, and the next tick asks again."""

STAMP = """
    update game_platform_sync_state s set
        last_attempt_at = case when n.is_flash_only then s.last_attempt_at else now() end,
        last_success_at = case when n.result = 'success' and not n.is_flash_only then now() else s.last_success_at end,
        last_odl_synced_at = greatest(s.last_odl_synced_at, n.cursor),
        last_flash_ctf_synced_at = coalesce(n.flash_at, s.last_flash_ctf_synced_at),
        last_remote_accessed_at = coalesce(n.accessed_at, s.last_remote_accessed_at),
        last_result = n.result, error_message = n.error, recounted_total = n.recounted_total,
        needs_totals_refresh = case n.result when 'success' then false else s.needs_totals_refresh or n.is_partial end,
        consecutive_failures = n.failures, retry_at = n.retry_at,
        active_until = coalesce(n.active_until, s.active_until),
        due_at = case when n.is_flash_only then least(s.due_at, n.due_at) else coalesce(n.due_at, s.due_at) end
    from unnest($1::uuid[], $2::text[], $3::text[], $4::timestamptz[], $5::timestamptz[], $6::timestamptz[],
            $7::bool[], $8::bool[], $9::int[], $10::int[], $11::timestamptz[], $12::timestamptz[], $13::timestamptz[])
        as n (competitor_id, result, error, cursor, accessed_at, flash_at, is_flash_only, is_partial, recounted_total,
            failures, due_at, retry_at, active_until)
    where s.competitor_id = n.competitor_id
    returning s.competitor_id, s.last_odl_synced_at
"""

PUT_SCORES = """
    with locked as (select id from competitors where id = any($1::uuid[]) order by id for no key update)
    update competitors c set game_platform_activity_score = n.score
    from unnest($1::uuid[], $2::int[]) as n (id, score), locked where c.id = n.id and c.id = locked.id
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamp:
    """In the order of the columns of STAMP. What is None stays as it is, but for error, count and retry time."""

    competitor_id: UUID
    result: str
    error: str | None
    cursor: datetime | None
    accessed_at: datetime | None
    flash_at: datetime | None
    is_flash_only: bool
    is_partial: bool
    recounted_total: int | None
    failures: int
    due_at: datetime | None
    retry_at: datetime | None
    active_until: datetime | None


async def put(readings: Sequence[Reading], ceilings: Ceilings) -> dict[UUID, datetime | None]:
    """In the caller's transaction; everybody's cursor as it is stored now."""
    stamps = [stamp(reading, ceilings) for reading in readings]
    columns = [[getattr(each, column.name) for each in stamps] for column in fields(Stamp)]
    await _put_scores(readings)
    return {row["competitor_id"]: row["last_odl_synced_at"] for row in await database.fetch(STAMP, *columns)}


async def _put_scores(readings: Sequence[Reading]) -> None:
    scores = {reading.look.subject.competitor_id: score(reading) for reading in readings if reading.look.odl}
    changed = [
        competitor_id for reading in readings if (competitor_id := reading.look.subject.competitor_id) in scores
        and sync_tiers.is_meaningful(reading.look.subject.score, scores[competitor_id])
    ]
    if changed:
        await database.execute(PUT_SCORES, changed, [scores[competitor_id] for competitor_id in changed])


def score(reading: Reading) -> int:
    subject, odl = reading.look.subject, reading.look.odl
    accessed_at = odl.last_accessed_at if odl else subject.accessed_at
    month_ago = subject.loaded_at - timedelta(days=30)
    recent = [row for row in reading.fresh if row.solved_at > month_ago]
    return sync_tiers.activity_score(
        accessed_ago=subject.loaded_at - accessed_at if accessed_at else None,
        solves_in_30_days=subject.recent + len(recent),
        plays_flash_ctfs=subject.plays_flash_ctfs or any(row.event_id for row in recent),
    )


def stamp(reading: Reading, ceilings: Ceilings) -> Stamp:
    look, subject = reading.look, reading.look.subject
    result, error = result_of(look)
    failures = subject.consecutive_failures + 1 if result == "failure" else 0
    active_until = subject.loaded_at + ACTIVE_LASTS if reading.has_news else None
    return Stamp(
        competitor_id=subject.competitor_id, result=result, error=error, cursor=reading.cursor,
        accessed_at=look.odl.last_accessed_at if look.odl else None,
        flash_at=subject.loaded_at if look.flash else None, is_flash_only=look.is_flash_only,
        is_partial=look.odl is not None and look.error is not None, recounted_total=reading.recounted_total,
        failures=failures, due_at=_due_at(reading, result, active_until, ceilings), retry_at=retry_at(look),
        active_until=active_until,
    )


def result_of(look: Look) -> tuple[str, str | None]:
    if look.error is not None:
        return "failure", look.error.message
    if look.status == UserStatus.DENIED:
        return "failure", DENIED
    return ("waiting", None) if look.status in WAITING else ("success", None)


def retry_at(look: Look) -> datetime | None:
    """When somebody is asked for again whose own record could not be had."""
    if look.error is None or look.error.kind in AWAY:
        return None
    return look.subject.loaded_at + sync_tiers.retry_wait(look.subject.consecutive_failures + 1)


def _due_at(reading: Reading, result: str, active_until: datetime | None, ceilings: Ceilings) -> datetime | None:
    look, subject = reading.look, reading.look.subject
    if look.error is not None:
        return None
    if result != "success":
        return _asked_again_at(look, subject)
    if look.is_flash_only:
        return subject.loaded_at if active_until else None
    active_for = (active_until or subject.active_until or subject.loaded_at) - subject.loaded_at
    active, moderate, idle = subject.promised_minutes
    promised = Ceilings.of_minutes((active, moderate, idle)).no_looser_than(ceilings)
    return subject.loaded_at + sync_tiers.wait(score(reading), active_for=active_for, ceilings=promised)


def _asked_again_at(look: Look, subject: Subject) -> datetime:
    """After an account that is waiting or denied."""
    asked_at = subject.loaded_at if look.user or subject.platform_asked_at is None else subject.platform_asked_at
    return asked_at + ASK_WAITING_AFTER
