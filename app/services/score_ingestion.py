"""Scores from the Game Platform into our tables, batch by batch.

Fetch outside, store inside: a batch is read from the vendor without a transaction, then its rows, cursors, totals,
events and counts commit together or not at all. While one batch is stored the next two are read.
"""

import asyncio
from collections import Counter, deque
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, fields
from itertools import islice
from uuid import UUID

from app import database
from app.domain import sync_tiers
from app.domain.sync_tiers import Ceilings
from app.integrations.errors import VendorError
from app.integrations.game_platform.client import GamePlatformClient
from app.services import job_runs, score_reading, score_store, sync_selection, sync_telemetry
from app.services.job_runs import Claim
from app.services.score_fetch import Fetcher, load_subjects
from app.services.score_reading import Reading
from app.services.score_store import Stored
from app.services.sync_selection import Scope, Selection
from app.services.sync_stamps import AWAY
from app.services.sync_telemetry import Batch, Suspicion
from app.tables.scores import SyncMode

CONCURRENCY = 8
READ_AT_ONCE = 2
DONE_BEFORE = """
    select coalesce(sum(synced), 0) as synced, coalesce(sum(skipped), 0) as skipped,
        coalesce(sum(waiting), 0) as waiting, coalesce(sum(api_calls), 0) as api_calls,
        coalesce(sum(new_solves), 0) as new_solves
    from game_platform_sync_runs where run_id = $1
"""

FLAGGED = """
    select s.competitor_id from game_platform_sync_state s join competitors c on c.id = s.competitor_id
    where c.archived_at is null and case when $1::uuid[] is null then s.needs_totals_refresh else c.id = any($1) end
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
    mode: SyncMode = SyncMode.TIERS, ceilings: Ceilings = sync_tiers.DEFAULT, feed_path: str | None = None,
) -> SyncResult:
    """Raises VendorError when the token is refused, or when the platform was away for everybody who was asked for.

    `mode` is how a run without a limit chooses its people; a limit or `full` takes everybody in scope. With a feed for
    everybody there is nothing to choose.
    """
    scope = Scope(competitor_ids=competitor_ids, coach_id=coach_id, organization_ids=organization_ids)
    if scope.is_limited or full:
        mode = SyncMode.LIMITED
    elif feed_path:
        mode = SyncMode.ALL
    resumes = claim.fence > 1 and not (full or dry_run)
    selection = await sync_selection.select(
        claim, scope, mode=mode, batch_size=batch_size, resumes=resumes, sentinel_every=ceilings.active
    )
    before = await _done_before(claim) if resumes else SyncResult()
    fetcher = Fetcher(
        client, concurrency=concurrency, insist=scope.is_limited, flash_only=selection.flash_only,
        sentinels=selection.sentinels,
    )
    if feed_path and mode is SyncMode.ALL:
        await fetcher.open_feed(feed_path)
    work = _Sync(claim, fetcher, selection, batch_size=batch_size, ceilings=ceilings, full=full, dry_run=dry_run)
    result = await work.run()
    if error := fetcher.refused or (None if work.is_answered else work.away):
        raise error
    return before + result


async def sweep_totals(
    claim: Claim, client: GamePlatformClient, *, batch_size: int = 100, competitor_ids: Sequence[UUID] | None = None,
    organization_ids: Sequence[UUID] | None = None, ceilings: Ceilings = sync_tiers.DEFAULT,
) -> SweepResult:
    """Asks for the totals of those whose last look could not bring them, or of whom it is told."""
    flagged = await database.fetch(FLAGGED, competitor_ids, batch_size, organization_ids)
    fetcher = Fetcher(client, concurrency=CONCURRENCY, insist=competitor_ids is not None)
    readings = await _read(fetcher, [row["competitor_id"] for row in flagged], full=False)
    if readings:
        async with database.transaction():
            await job_runs.keep(claim)
            await score_store.store(claim, readings, ceilings)
    if fetcher.refused:
        raise fetcher.refused
    failed = sum(reading.look.error is not None for reading in readings)
    return SweepResult(len(readings) - failed, failed, sum(reading.look.calls.total() for reading in readings))


async def _read(fetcher: Fetcher, competitor_ids: Sequence[UUID], *, full: bool) -> list[Reading]:
    """A look at each, and a full one at those whose count disagrees with the vendor's."""
    readings = await score_reading.read(await fetcher.look(await load_subjects(competitor_ids), full=full))
    disagreeing = [reading.look for reading in readings if reading.must_reread and reading.look.error is None]
    if not disagreeing:
        return readings
    again = await score_reading.read(await fetcher.look_again(disagreeing))
    reread = {reading.look.subject.competitor_id: reading for reading in again}
    return [reread.get(reading.look.subject.competitor_id, reading) for reading in readings]


async def _done_before(claim: Claim) -> SyncResult:
    """What earlier attempts of this run have stored. Whom they failed to read is read again now."""
    row = await database.fetchrow(DONE_BEFORE, claim.run_id)
    return SyncResult(**row) if row else SyncResult()


class _Sync:
    """The batches of one run."""

    def __init__(
        self, claim: Claim, fetcher: Fetcher, selection: Selection, *, batch_size: int, ceilings: Ceilings,
        full: bool, dry_run: bool,
    ) -> None:
        self.claim = claim
        self.fetcher = fetcher
        self.selection = selection
        self.batch_size = batch_size
        self.ceilings = ceilings
        self.full = full
        self.dry_run = dry_run
        self.away: VendorError | None = None
        self.is_answered = False
        self.suspicion = Suspicion()

    async def run(self) -> SyncResult:
        result = SyncResult()
        number = self.selection.first_number
        async with aclosing(self._read_ahead(self.selection.batches)) as all_readings:
            async for readings in all_readings:
                if readings:
                    result += await self._store(readings, number)
                number += 1
        return result

    async def _read_ahead(self, batches: Sequence[Sequence[UUID]]) -> AsyncGenerator[list[Reading], None]:
        """Each batch's readings in order. The next one is begun before this one ends: no slot at the vendor is idle."""
        coming = iter(batches)
        reading = deque(self._start_reading(batch) for batch in islice(coming, READ_AT_ONCE))
        try:
            while reading:
                readings = await reading[0]
                reading.popleft()
                reading.extend(self._start_reading(batch) for batch in islice(coming, 1))
                yield readings
        finally:
            for task in reading:
                task.cancel()
            if reading:
                await asyncio.wait(reading)

    def _start_reading(self, batch: Sequence[UUID]) -> asyncio.Task[list[Reading]]:
        return asyncio.create_task(_read(self.fetcher, batch, full=self.full))

    async def _store(self, readings: Sequence[Reading], number: int) -> SyncResult:
        async with database.transaction():
            await job_runs.keep(self.claim)
            stored = _would_store(readings) if self.dry_run else await self._write(readings)
            result = self._count(readings, stored)
            await sync_telemetry.add(self.claim, readings, stored, result.as_counts(), Batch(
                mode=self.selection.mode, number=number, size=self.batch_size, of=self.selection.total_batches,
                suspicion=self.suspicion,
            ))
        return result

    async def _write(self, readings: Sequence[Reading]) -> Stored:
        return await score_store.store(self.claim, readings, self.ceilings)

    def _count(self, readings: Sequence[Reading], stored: Stored) -> SyncResult:
        result = SyncResult(new_solves=stored.new_solves.total())
        for reading in readings:
            is_changed = reading.look.subject.competitor_id in stored.changed
            self.suspicion.note(reading.look, is_changed=is_changed)
            result += self._outcome(reading, is_changed=is_changed)
        return result

    def _outcome(self, reading: Reading, *, is_changed: bool) -> SyncResult:
        look, api_calls = reading.look, reading.look.calls.total()
        if look.error is not None:
            if look.error.kind in AWAY:
                self.away = look.error
            return SyncResult(failed=1, api_calls=api_calls)
        self.is_answered = self.is_answered or look.calls.total() > 0
        if is_changed:
            return SyncResult(synced=1, api_calls=api_calls)
        return SyncResult(skipped=1, waiting=int(look.is_waiting), api_calls=api_calls)


def _would_store(readings: Sequence[Reading]) -> Stored:
    new_solves = Counter(row.competitor_id for reading in readings for row in reading.fresh)
    return Stored(new_solves, set(new_solves), 0)
