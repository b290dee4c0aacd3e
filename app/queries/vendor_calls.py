"""Calls per vendor, minute and kind, and which vendor is failing since when."""

from dataclasses import dataclass
from datetime import datetime

from app import database


@dataclass(frozen=True, slots=True)
class MinuteOfCalls:
    vendor: str
    minute: datetime
    kind: str
    calls: int
    failed: int
    average_milliseconds: int | None


@dataclass(frozen=True, slots=True)
class BreakerState:
    vendor: str
    consecutive_failures: int
    failing_since: datetime | None
    opened_at: datetime | None
    retry_at: datetime | None
    reason: str
    message: str

    @property
    def is_open(self) -> bool:
        return self.opened_at is not None


async def calls_per_minute(*, since: datetime, vendor: str | None = None) -> tuple[MinuteOfCalls, ...]:
    """Newest minute first. A call that was cut off has no outcome and counts as neither."""
    rows = await database.fetch(
        """select vendor, date_trunc('minute', started_at) as minute, kind, count(*)::int as calls,
               (count(*) filter (where outcome <> 'ok'))::int as failed, avg(duration_ms)::int as average_milliseconds
           from vendor_calls where started_at >= $1 and ($2::text is null or vendor = $2)
           group by 1, 2, 3 order by 2 desc, 1, 3""",
        since, vendor,
    )
    return tuple(MinuteOfCalls(**row) for row in rows)


async def breaker_states() -> tuple[BreakerState, ...]:
    rows = await database.fetch(
        """select vendor, consecutive_failures, failing_since, opened_at, retry_at, reason, message
           from vendor_breakers order by vendor"""
    )
    return tuple(BreakerState(**row) for row in rows)
