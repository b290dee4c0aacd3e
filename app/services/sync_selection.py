"""Whom a run looks at: derived from our tables at its start, in the order in which they are asked for."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import ceil
from typing import Any
from uuid import UUID

import asyncpg

from app import database
from app.domain import flash_ctf
from app.services.job_runs import Claim
from app.tables.scores import SyncMode

SCOPE = """
    from game_platform_sync_state s
    join competitors c on c.id = s.competitor_id
    where c.archived_at is null and ($1::uuid[] is null or c.id = any($1)) and ($2::uuid is null or c.coach_id = $2)
        and ($3::uuid[] is null or c.organization_id = any($3))
"""

# A run that is taken up again goes on after whom an earlier attempt of it has looked at.
NOT_DONE_BEFORE = """
    not ($5 and coalesce(s.last_attempt_at >= (select queued_at from job_runs where id = $4)
        and s.last_result <> 'failure', false))
"""

ACTIVE_FIRST = "order by coalesce(s.active_until > now(), false) desc, s.due_at, s.competitor_id"

# Who falls due before the next tick is taken now: later would be too late. Without a schedule ticks are five minutes.
NEXT_TICK = """
    (select coalesce(min(next_run_at), now() + interval '5 minutes') from job_schedules
     where kind = 'game_platform_sync' and payload = '{}' and enabled and next_run_at > now())
"""

# Due, or without the Flash CTFs of an event that everybody is asked about. `retry_at` holds back one failing person.
FALLING_DUE = f"""
    select s.competitor_id, s.due_at < {NEXT_TICK} as is_due {SCOPE} and {NOT_DONE_BEFORE}
        and (s.due_at < {NEXT_TICK} or (c.metactf_user_status = 'approved' and s.last_flash_ctf_synced_at < $6))
        and coalesce(s.retry_at < {NEXT_TICK}, true)
    {ACTIVE_FIRST}
"""

EVERYBODY = f"select s.competitor_id {SCOPE} and {NOT_DONE_BEFORE} {ACTIVE_FIRST}"

NOT_YET_IN_CYCLE = f"""
    select s.competitor_id {SCOPE} and coalesce(s.last_attempt_at < $4::timestamptz, true)
    order by s.last_attempt_at nulls first, s.competitor_id
"""

FAILED_IN_RUN = f"""
    select s.competitor_id {SCOPE} and s.last_result = 'failure'
        and s.last_attempt_at >= (select queued_at from job_runs where id = $4)
    order by s.last_attempt_at, s.competitor_id
"""  # noqa: S608

ROTATION = """
    select batch_number, total_batches, run_id = $1 as is_this_run,
        (select started_at from game_platform_sync_runs where mode = 'rotation' and batch_number = 0
         order by id desc limit 1) as cycle_began
    from game_platform_sync_runs where mode = 'rotation' order by id desc limit 1
"""

# Likely to play soon and not asked for long: everybody's turn comes, the active ones' more often. Any Flash CTF answer
# of late makes a sentinel's unneeded.
SENTINEL = f"""
    select s.competitor_id {SCOPE} and c.metactf_user_status = 'approved' and s.last_result = 'success'
        and not exists (
            select from game_platform_sync_state where last_flash_ctf_synced_at > now() - $5::interval
        )
        and (s.competitor_id = any($4::uuid[])) = $6
    order by (1 + c.game_platform_activity_score) * extract(epoch from now() - s.last_flash_ctf_synced_at) desc,
        s.competitor_id
    limit 1
"""  # noqa: S608

EVENTS = "select started_at, last_solved_at from game_platform_flash_ctfs where started_at <= now()"
SENTINEL_EVERY = timedelta(minutes=30)
GRACE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Who is meant; None means no limit."""

    competitor_ids: Sequence[UUID] | None = None
    coach_id: UUID | None = None
    organization_ids: Sequence[UUID] | None = None

    @property
    def is_limited(self) -> bool:
        return self.competitor_ids is not None or self.coach_id is not None

    @property
    def arguments(self) -> tuple[Any, ...]:
        return self.competitor_ids, self.coach_id, self.organization_ids


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """`flash_only` are asked about Flash CTFs alone; `sentinels` about them too, whether anything hints at one or not.

    Batches are numbered from `first_number`; there are `total_batches`, of this run or of the whole rotation.
    """

    mode: SyncMode
    batches: Sequence[Sequence[UUID]] = ()
    first_number: int = 0
    total_batches: int = 0
    flash_only: frozenset[UUID] = field(default=frozenset())
    sentinels: frozenset[UUID] = field(default=frozenset())


async def select(
    claim: Claim, scope: Scope, *, mode: SyncMode, batch_size: int, resumes: bool,
    sentinel_every: timedelta = SENTINEL_EVERY,
) -> Selection:
    if mode is SyncMode.ROTATION:
        return await _next_of_rotation(claim, scope, batch_size, resumes=resumes, sentinel_every=sentinel_every)
    if mode is SyncMode.TIERS:
        return await _falling_due(claim, scope, batch_size, resumes=resumes, sentinel_every=sentinel_every)
    taken = _ids(await database.fetch(EVERYBODY, *scope.arguments, claim.run_id, resumes))
    sentinels = [] if mode is SyncMode.LIMITED else await _sentinels(scope, taken, sentinel_every, among_taken=True)
    return _selection(mode, _batches(taken, batch_size), sentinels=sentinels)


async def _falling_due(
    claim: Claim, scope: Scope, batch_size: int, *, resumes: bool, sentinel_every: timedelta
) -> Selection:
    lacks_before = await ask_who_was_asked_before()
    rows = await database.fetch(FALLING_DUE, *scope.arguments, claim.run_id, resumes, lacks_before)
    taken = _ids(rows)
    sentinels = await _sentinels(scope, taken, sentinel_every, among_taken=False)
    flash_only = [*sentinels, *(row["competitor_id"] for row in rows if not row["is_due"])]
    batches = _batches([*taken, *sentinels], batch_size)
    return _selection(SyncMode.TIERS, batches, sentinels=sentinels, flash_only=flash_only)


async def _next_of_rotation(
    claim: Claim, scope: Scope, batch_size: int, *, resumes: bool, sentinel_every: timedelta
) -> Selection:
    """One batch: those not looked at for longest, and in each cycle nobody twice, whoever comes or goes meanwhile."""
    last = await database.fetchrow(ROTATION, claim.run_id)
    if resumes and last and last["is_this_run"]:
        again = _ids(await database.fetch(FAILED_IN_RUN, *scope.arguments, claim.run_id))
        batches = _batches(again, batch_size)
        return _selection(SyncMode.ROTATION, batches, number=last["batch_number"], of=last["total_batches"])
    left = await _not_yet_in_cycle(scope, last["cycle_began"] if last else None)
    number = last["batch_number"] + 1 if last and left else 0
    left = left or await _not_yet_in_cycle(scope, None)
    taken = left[:batch_size]
    sentinels = await _sentinels(scope, taken, sentinel_every, among_taken=True)
    return _selection(
        SyncMode.ROTATION, _batches(taken, batch_size), number=number, of=number + ceil(len(left) / batch_size),
        sentinels=sentinels,
    )


def _selection(
    mode: SyncMode, batches: Sequence[Sequence[UUID]], *, number: int = 0, of: int | None = None,
    sentinels: Sequence[UUID] = (), flash_only: Sequence[UUID] = (),
) -> Selection:
    return Selection(
        mode=mode, batches=batches, first_number=number, total_batches=len(batches) if of is None else of,
        flash_only=frozenset(flash_only), sentinels=frozenset(sentinels),
    )


async def _not_yet_in_cycle(scope: Scope, cycle_began: datetime | None) -> list[UUID]:
    """Without a cycle's begin: everybody."""
    return _ids(await database.fetch(NOT_YET_IN_CYCLE, *scope.arguments, cycle_began))


async def _sentinels(scope: Scope, taken: Sequence[UUID], every: timedelta, *, among_taken: bool) -> list[UUID]:
    """Another one each time: who did not play, or is gone at the platform, hides an event for one turn only.

    With due times it is somebody who is not due, asked about Flash CTFs alone, so that a run makes one call per person.
    """
    unless_within = every - min(GRACE, every / 2)
    return _ids(await database.fetch(SENTINEL, *scope.arguments, list(taken), unless_within, among_taken))


def _ids(rows: Sequence[asyncpg.Record]) -> list[UUID]:
    return [row["competitor_id"] for row in rows]


async def flash_ctf_events() -> list[flash_ctf.Event]:
    return [flash_ctf.Event(**row) for row in await database.fetch(EVENTS)]


async def ask_who_was_asked_before() -> datetime | None:
    now: datetime = await database.fetchval("select now()")
    return flash_ctf.ask_who_was_asked_before(await flash_ctf_events(), now)


def _batches(competitor_ids: Sequence[UUID], batch_size: int) -> list[Sequence[UUID]]:
    return [competitor_ids[start:start + batch_size] for start in range(0, len(competitor_ids), batch_size)]
