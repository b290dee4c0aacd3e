"""One row of `game_platform_sync_runs` per batch: what was asked, what came of it, and which invariants it broke."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import structlog

from app import database
from app.domain.score_cursor import from_unix
from app.domain.sync_invariants import CursorFacts, broken_cursors, everybody_changed
from app.services.job_runs import Claim
from app.services.score_fetch import Look
from app.services.score_reading import Reading
from app.services.score_store import Stored
from app.tables.scores import SyncMode

log = structlog.get_logger(__name__)

ADD_BATCH = """
    insert into game_platform_sync_runs (run_id, mode, batch_number, batch_size, total_batches, cursor_before,
        cursor_after, total, synced, skipped, failed, waiting, api_calls, new_solves, rows_written, calls_by_endpoint,
        errors_by_kind, broken_invariants, started_at, finished_at)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16::jsonb, $17::jsonb, $18::jsonb, $19,
        clock_timestamp())
"""
COUNTS = ("total", "synced", "skipped", "failed", "waiting", "api_calls", "new_solves")


@dataclass(slots=True)
class Suspicion:
    """How many incremental looks of a run had something new: a run in which all had is more likely wrong than lucky."""

    looked_at: int = 0
    changed: int = 0

    def note(self, look: Look, *, is_changed: bool) -> None:
        if look.odl is not None and not look.was_full:
            self.looked_at += 1
            self.changed += is_changed


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    mode: SyncMode
    number: int
    size: int
    of: int
    suspicion: Suspicion = field(default_factory=Suspicion)

    @property
    def ends_run(self) -> bool:
        return self.mode is SyncMode.ROTATION or self.number + 1 >= self.of


async def add(
    claim: Claim, readings: Sequence[Reading], stored: Stored, counts: Mapping[str, int], batch: Batch
) -> None:
    """In the caller's transaction, with what it tells of."""
    broken = _broken(readings, stored, batch)
    if broken:
        log.warning("a sync broke its invariants", broken=broken)
    looks = [reading.look for reading in readings]
    await database.execute(
        ADD_BATCH, claim.run_id, batch.mode.value, batch.number, batch.size, batch.of, *_cursors(readings),
        *(counts[name] for name in COUNTS), stored.rows, json.dumps(sum((look.calls for look in looks), Counter())),
        json.dumps(Counter(look.error.kind.value for look in looks if look.error)), json.dumps(broken),
        min(look.subject.loaded_at for look in looks),
    )


def _broken(readings: Sequence[Reading], stored: Stored, batch: Batch) -> list[str]:
    broken = broken_cursors(_facts(reading, stored) for reading in readings)
    suspect = everybody_changed(looked_at=batch.suspicion.looked_at, changed=batch.suspicion.changed)
    return [*broken, suspect] if suspect and batch.ends_run else broken


def _facts(reading: Reading, stored: Stored) -> CursorFacts:
    """The cursor as it is stored now; nothing is stored by a dry run."""
    look = reading.look
    return CursorFacts(
        before=look.subject.cursor, newest=_newest(look), has_failed=look.error is not None and look.odl is None,
        after=stored.cursors.get(look.subject.competitor_id, look.subject.cursor),
    )


def _newest(look: Look) -> datetime | None:
    if look.odl is None:
        return None
    solved = [from_unix(solve.timestamp_unix) for solve in look.odl.challenge_solves]
    return max((*solved, *([look.odl.last_accessed_at] if look.odl.last_accessed_at else [])), default=None)


def _cursors(readings: Sequence[Reading]) -> tuple[datetime | None, datetime | None]:
    """The oldest cursor that the batch started from, and the newest one that it reached."""
    before = [reading.look.subject.cursor for reading in readings if reading.look.subject.cursor]
    after = [reading.cursor for reading in readings if reading.cursor]
    return min(before, default=None), max(after, default=None)
