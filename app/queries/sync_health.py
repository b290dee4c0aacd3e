"""How the sync with the Game Platform is doing: its batches, what they broke, how old the looks are, who is put aside,
and what the figures suggest. Counts and ids; for the operators."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from app import database
from app.domain.sync_tiers import MODERATE_SCORE, Tier
from app.domain.sync_tuning import Advice, Figures, advise

LATE = "10 minutes"
"""Two ticks: a look this much past its due time was not only waiting for its turn."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    run_id: UUID
    mode: str
    batch_number: int
    total_batches: int
    batch_size: int
    total: int
    synced: int
    skipped: int
    failed: int
    waiting: int
    new_solves: int
    rows_written: int
    api_calls: int
    calls_by_endpoint: Mapping[str, int]
    errors_by_kind: Mapping[str, int]
    broken_invariants: tuple[str, ...]
    cursor_before: datetime | None
    cursor_after: datetime | None
    started_at: datetime
    finished_at: datetime | None

    @property
    def duration_seconds(self) -> float | None:
        return (self.finished_at - self.started_at).total_seconds() if self.finished_at else None


@dataclass(frozen=True, slots=True)
class Freshness:
    """Of one tier: how many people, and how long ago they were looked at. `never` have not been looked at yet."""

    tier: Tier
    people: int
    never: int
    median_minutes: float | None
    p95_minutes: float | None
    oldest_minutes: float | None


@dataclass(frozen=True, slots=True)
class PutAside:
    """`attempts`: how often in a row; `retry_at`: null where it comes with the next answer anyway."""

    id: int
    kind: str
    competitor_id: UUID | None
    reason: str
    attempts: int
    first_seen_at: datetime
    last_seen_at: datetime
    retry_at: datetime | None


async def recent_batches(*, limit: int = 100, broken_only: bool = False) -> tuple[Batch, ...]:
    """Newest first."""
    columns = ", ".join(Batch.__dataclass_fields__)
    rows = await database.fetch(
        f"""select {columns} from game_platform_sync_runs
            where not $2 or broken_invariants <> '[]'
            order by finished_at desc, id desc limit $1""",  # noqa: S608
        limit, broken_only,
    )
    return tuple(_batch(dict(row)) for row in rows)


def _batch(row: dict[str, object]) -> Batch:
    decoded = {name: json.loads(str(row[name])) for name in ("calls_by_endpoint", "errors_by_kind")}
    broken = tuple(json.loads(str(row["broken_invariants"])))
    return Batch(**{**row, **decoded, "broken_invariants": broken})


async def freshness() -> tuple[Freshness, ...]:
    """Per tier, as everybody stands now; who waits for the platform's approval has no scores to be fresh."""
    rows = await database.fetch(
        """with looks as (
               select extract(epoch from now() - s.last_success_at) / 60.0 as minutes,
                   case when s.active_until > now() then 'active'
                        when c.game_platform_activity_score >= $1 then 'moderate' else 'idle' end as tier
               from game_platform_sync_state s join competitors c on c.id = s.competitor_id
               where c.archived_at is null and c.metactf_user_status = 'approved'
           )
           select tier, count(*)::int as people, (count(*) filter (where minutes is null))::int as never,
               percentile_cont(0.5) within group (order by minutes) as median_minutes,
               percentile_cont(0.95) within group (order by minutes) as p95_minutes,
               max(minutes)::float8 as oldest_minutes
           from looks group by tier""",
        MODERATE_SCORE,
    )
    by_tier = {row["tier"]: tuple(row)[1:] for row in rows}
    return tuple(Freshness(tier, *by_tier.get(tier, (0, 0, None, None, None))) for tier in Tier)


async def put_aside(*, limit: int = 100) -> tuple[PutAside, ...]:
    """Records and people that cannot be read, latest first."""
    rows = await database.fetch(
        """select id, kind, competitor_id, reason, seen_count as attempts, first_seen_at, last_seen_at, retry_at
           from quarantine where vendor = 'game_platform' and resolved_at is null
           order by last_seen_at desc limit $1""",
        limit,
    )
    return tuple(PutAside(**row) for row in rows)


async def tuning_advice(*, days: int = 7) -> tuple[Advice, ...]:
    """Nothing is changed by it."""
    row = await database.fetchrow(
        """with batches as (
               select * from game_platform_sync_runs
               where finished_at > now() - make_interval(days => $1) and mode <> 'limited'
           ), calls as (
               select count(*) as calls, count(*) filter (where outcome not in ('ok', 'not_found')) as failed
               from vendor_calls where vendor = 'game_platform' and started_at > now() - make_interval(days => $1)
           ), people as (
               select count(*) as people,
                   count(*) filter (where s.due_at < now() - $2::text::interval and s.retry_at is null) as overdue
               from game_platform_sync_state s join competitors c on c.id = s.competitor_id
               where c.archived_at is null
           )
           select count(*) as batches, count(*) filter (where synced = 0) as empty_batches,
               coalesce((array_agg(batch_size order by id desc))[1], 1) as batch_size,
               min(calls.calls) as calls, min(calls.failed) as failed_calls, min(people) as people,
               min(overdue) as overdue
           from calls cross join people left join batches on true""",
        days, LATE,
    )
    return advise(Figures(**row)) if row and row["batches"] else ()
