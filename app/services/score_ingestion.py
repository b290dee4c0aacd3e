"""Scores from the Game Platform into our tables, batch by batch.

Fetch outside, store inside: a batch is read from the vendor without a transaction, then its rows, cursors, totals,
events and counts commit together or not at all. While one batch is stored the next one is read.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, fields
from datetime import datetime
from uuid import UUID

from app import database
from app.integrations.errors import ErrorKind, VendorError
from app.integrations.game_platform.client import GamePlatformClient
from app.services import job_runs, score_reading, score_store
from app.services.job_runs import Claim
from app.services.score_fetch import Fetcher, load_subjects
from app.services.score_reading import Reading
from app.services.score_store import Stored

CONCURRENCY = 8
AWAY = frozenset({ErrorKind.UNAVAILABLE, ErrorKind.RATE_LIMITED})

# A run that is taken up again goes on after whom an earlier attempt of it has looked at.
DUE = """
    select s.competitor_id
    from game_platform_sync_state s
    join competitors c on c.id = s.competitor_id
    join job_runs r on r.id = $4
    where c.archived_at is null
        and ($1::uuid[] is null or c.id = any($1)) and ($2::uuid is null or c.coach_id = $2)
        and ($6::uuid[] is null or c.organization_id = any($6))
        and ($3 or s.due_at <= now())
        and not ($5 and coalesce(s.last_attempt_at >= r.queued_at and s.last_result <> 'failure', false))
    order by s.due_at, s.competitor_id
"""

DONE_BEFORE = """
    select coalesce(sum(synced), 0) as synced, coalesce(sum(skipped), 0) as skipped,
        coalesce(sum(waiting), 0) as waiting, coalesce(sum(api_calls), 0) as api_calls,
        coalesce(sum(new_solves), 0) as new_solves
    from game_platform_sync_runs where run_id = $1
"""

ADD_BATCH = """
    insert into game_platform_sync_runs (run_id, batch_number, batch_size, total_batches, cursor_before, cursor_after,
        total, synced, skipped, failed, waiting, api_calls, new_solves, rows_written, finished_at)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, clock_timestamp())
"""

FLAGGED = """
    select s.competitor_id from game_platform_sync_state s join competitors c on c.id = s.competitor_id
    where s.needs_totals_refresh and c.archived_at is null and ($1::uuid[] is null or c.id = any($1))
        and ($3::uuid[] is null or c.organization_id = any($3))
    order by s.last_attempt_at nulls first, s.competitor_id limit $2
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncResult:
    """`total` = synced + skipped + failed; who waits for approval is skipped and counted in `waiting`."""

    synced: int = 0
    skipped: int = 0
    failed: int = 0
    waiting: int = 0
    api_calls: int = 0
    new_solves: int = 0

    def __add__(self, other: "SyncResult") -> "SyncResult":
        return SyncResult(**{f.name: getattr(self, f.name) + getattr(other, f.name) for f in fields(self)})

    @property
    def total(self) -> int:
        return self.synced + self.skipped + self.failed

    def as_counts(self) -> dict[str, int]:
        return {"total": self.total, **{f.name: getattr(self, f.name) for f in fields(self)}}


@dataclass(frozen=True, slots=True)
class SweepResult:
    refreshed: int = 0
    failed: int = 0
    api_calls: int = 0

    def as_counts(self) -> dict[str, int]:
        return {
            "total": self.refreshed + self.failed, "refreshed": self.refreshed, "failed": self.failed,
            "api_calls": self.api_calls,
        }


async def sync(
    claim: Claim, client: GamePlatformClient, *, batch_size: int, concurrency: int = CONCURRENCY,
    competitor_ids: Sequence[UUID] | None = None, coach_id: UUID | None = None,
    organization_ids: Sequence[UUID] | None = None, full: bool = False, dry_run: bool = False,
) -> SyncResult:
    """Raises VendorError when the token is refused, or when the platform was away for everybody who was asked for."""
    is_limited = competitor_ids is not None or coach_id is not None
    resumes = claim.fence > 1 and not (full or dry_run)
    due = await database.fetch(
        DUE, competitor_ids, coach_id, is_limited or full, claim.run_id, resumes, organization_ids
    )
    before = await _done_before(claim) if resumes else SyncResult()
    work = _Sync(claim, Fetcher(client, concurrency=concurrency, insist=is_limited), full=full, dry_run=dry_run)
    result = await work.run([row["competitor_id"] for row in due], batch_size)
    if error := work.fetcher.refused or (None if work.is_answered else work.away):
        raise error
    return before + result


async def sweep_totals(
    claim: Claim, client: GamePlatformClient, *, batch_size: int = 100, competitor_ids: Sequence[UUID] | None = None,
    organization_ids: Sequence[UUID] | None = None,
) -> SweepResult:
    """Looks again at those whose totals could not be had with their solves."""
    flagged = await database.fetch(FLAGGED, competitor_ids, batch_size, organization_ids)
    fetcher = Fetcher(client, concurrency=CONCURRENCY)
    readings = await _read(fetcher, [row["competitor_id"] for row in flagged], full=False)
    if readings:
        async with database.transaction():
            await job_runs.keep(claim)
            await score_store.store(claim, readings)
    if fetcher.refused:
        raise fetcher.refused
    failed = sum(reading.look.error is not None for reading in readings)
    return SweepResult(len(readings) - failed, failed, sum(reading.look.calls for reading in readings))


async def _read(fetcher: Fetcher, competitor_ids: Sequence[UUID], *, full: bool) -> list[Reading]:
    """A look at each, and a full one at those whose count disagrees with the vendor's."""
    readings = await score_reading.read(await fetcher.look(await load_subjects(competitor_ids), full=full))
    disagreeing = {r.look.subject.competitor_id: r for r in readings if r.must_reread and r.look.error is None}
    if not disagreeing:
        return readings
    again = await fetcher.look([reading.look.subject for reading in disagreeing.values()], full=True)
    looks = [score_reading.reread(disagreeing[look.subject.competitor_id], look) for look in again]
    reread = {reading.look.subject.competitor_id: reading for reading in await score_reading.read(looks)}
    return [reread.get(reading.look.subject.competitor_id, reading) for reading in readings]


async def _done_before(claim: Claim) -> SyncResult:
    """What earlier attempts of this run have stored. Whom they failed to read is read again now."""
    row = await database.fetchrow(DONE_BEFORE, claim.run_id)
    return SyncResult(**row) if row else SyncResult()


class _Sync:
    """The batches of one run."""

    def __init__(self, claim: Claim, fetcher: Fetcher, *, full: bool, dry_run: bool) -> None:
        self.claim = claim
        self.fetcher = fetcher
        self.full = full
        self.dry_run = dry_run
        self.away: VendorError | None = None
        self.is_answered = False

    async def run(self, competitor_ids: Sequence[UUID], batch_size: int) -> SyncResult:
        batches = [competitor_ids[start:start + batch_size] for start in range(0, len(competitor_ids), batch_size)]
        result = SyncResult()
        number = 0
        async with aclosing(self._read_ahead(batches)) as all_readings:
            async for readings in all_readings:
                if readings:
                    result += await self._store(readings, number, batch_size, len(batches))
                number += 1
        return result

    async def _read_ahead(self, batches: Sequence[Sequence[UUID]]) -> AsyncGenerator[list[Reading], None]:
        """Each batch's readings; the next batch is being read meanwhile, never more than that one."""
        ahead = self._start_reading(batches[0]) if batches else None
        try:
            for following in (*batches[1:], None):
                if ahead is None:
                    return
                readings = await ahead
                ahead = self._start_reading(following) if following is not None else None
                yield readings
        finally:
            if ahead is not None:
                ahead.cancel()
                await asyncio.wait([ahead])

    def _start_reading(self, batch: Sequence[UUID]) -> asyncio.Task[list[Reading]]:
        return asyncio.create_task(_read(self.fetcher, batch, full=self.full))

    async def _store(self, readings: Sequence[Reading], number: int, batch_size: int, batches: int) -> SyncResult:
        async with database.transaction():
            await job_runs.keep(self.claim)
            stored = _would_store(readings) if self.dry_run else await score_store.store(self.claim, readings)
            result = self._count(readings, stored)
            await database.execute(
                ADD_BATCH, self.claim.run_id, number, batch_size, batches, *_cursors(readings), result.total,
                result.synced, result.skipped, result.failed, result.waiting, result.api_calls, result.new_solves,
                stored.rows,
            )
        return result

    def _count(self, readings: Sequence[Reading], stored: Stored) -> SyncResult:
        result = SyncResult(new_solves=stored.new_solves.total())
        for reading in readings:
            result += self._outcome(reading, is_changed=reading.look.subject.competitor_id in stored.changed)
        return result

    def _outcome(self, reading: Reading, *, is_changed: bool) -> SyncResult:
        look = reading.look
        if look.error is not None:
            if look.error.kind in AWAY:
                self.away = look.error
            return SyncResult(failed=1, api_calls=look.calls)
        self.is_answered = self.is_answered or look.calls > 0
        if is_changed:
            return SyncResult(synced=1, api_calls=look.calls)
        return SyncResult(skipped=1, waiting=int(look.is_waiting), api_calls=look.calls)


def _would_store(readings: Sequence[Reading]) -> Stored:
    new_solves = Counter(row.competitor_id for reading in readings for row in reading.fresh)
    return Stored(new_solves, set(new_solves), 0)


def _cursors(readings: Sequence[Reading]) -> tuple[datetime | None, datetime | None]:
    """The oldest cursor that the batch started from, and the newest one that it reached."""
    before = [reading.look.subject.cursor for reading in readings if reading.look.subject.cursor]
    after = [reading.cursor for reading in readings if reading.cursor]
    return min(before, default=None), max(after, default=None)
