"""What all processes share about one vendor: its limiter, its breaker and the ledger of its calls, in PostgreSQL.

Each statement stands alone on its own connection: a vendor call never belongs into a transaction.
"""

import hashlib
import math
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from app import database
from app.integrations.errors import ErrorKind, VendorError
from app.integrations.http import Reservation

WINDOW_MICROSECONDS = 60_000_000
OPENS_AFTER = 5
PROBE_SECONDS = 60.0
FRESH_SECONDS = 1.0


def token_key(vendor: str, token: str) -> str:
    """Names a token without telling it."""
    return hashlib.sha256(f"{vendor}{token}".encode()).hexdigest()[:16]


class VendorLimiter:
    """A queue per token for all processes: no 60 seconds hold more than `per_minute` calls."""

    def __init__(self, *, vendor: str, token: str, per_minute: int, run_id: UUID | None) -> None:
        self._vendor = vendor
        self._token_key = token_key(vendor, token)
        self._run_id = run_id
        self._burst = max(1, per_minute // 20)
        self._spacing = timedelta(microseconds=math.ceil(WINDOW_MICROSECONDS / max(1, per_minute - self._burst)))

    async def reserve(self, kind: str, *, patience_seconds: float) -> Reservation:
        _refuse_inside_transaction()
        row = await database.fetchrow(
            "select call_id, wait_seconds from reserve_vendor_call($1, $2, $3, $4, $5, $6, $7)",
            self._vendor, self._token_key, kind, self._run_id, self._spacing, self._burst,
            timedelta(seconds=patience_seconds),
        )
        if row is None:
            raise RuntimeError("reserve_vendor_call answered nothing")
        return Reservation(call_id=row["call_id"], wait_seconds=max(row["wait_seconds"], 0.0))


class VendorLedger:
    async def finish(
        self, call_id: int, *, status: int | None, outcome: str, duration_seconds: float, bytes_received: int
    ) -> None:
        _refuse_inside_transaction()
        await database.execute(
            "update vendor_calls set status = $2, outcome = $3, duration_ms = $4, bytes_received = $5 where id = $1",
            call_id, status, outcome, round(duration_seconds * 1000), bytes_received,
        )


@dataclass(frozen=True, slots=True)
class _State:
    """The vendor's row as it was read a moment ago; `until` is its retry time on this process's clock."""

    failures: int
    opened_at: datetime | None
    until: float | None
    reason: str
    message: str

    @property
    def is_healthy(self) -> bool:
        return not self.failures and self.opened_at is None and self.until is None

    @property
    def wait_seconds(self) -> float:
        return max(0.0, (self.until or 0.0) - time.monotonic())


HEALTHY = _State(failures=0, opened_at=None, until=None, reason="", message="")


class VendorBreaker:
    """Leaves a vendor alone that fails. Written only on failure and recovery, read at most once a second.

    Five outages in a row or one refused token open it; then one call a minute, of all processes, may probe.
    """

    def __init__(self, *, vendor: str) -> None:
        self._vendor = vendor
        self._state = HEALTHY
        self._read_at = float("-inf")
        self._is_probing = False

    async def allow(self) -> float:
        _refuse_inside_transaction()
        state = await self._current()
        if state.opened_at is None:
            return state.wait_seconds
        if not state.wait_seconds and await self._claim_probe():
            return 0.0
        raise self._left_alone(await self._current())

    async def failed(self, error: VendorError) -> None:
        self._is_probing = False
        match error.kind:
            case ErrorKind.RATE_LIMITED:
                await self._hold_off(error)
            case ErrorKind.UNAUTHORIZED:
                await self._count(error, opens_after=1)
            case _:
                await self._count(error, opens_after=OPENS_AFTER)
        self._forget()

    async def succeeded(self) -> None:
        if (await self._current()).is_healthy:
            return
        await database.execute(RECOVER, self._vendor, self._is_probing)
        self._is_probing = False
        self._forget()

    async def _current(self) -> _State:
        if time.monotonic() - self._read_at > FRESH_SECONDS:
            row = await database.fetchrow(READ, self._vendor)
            self._read_at = time.monotonic()
            self._state = HEALTHY if row is None else _State(
                failures=row["consecutive_failures"], opened_at=row["opened_at"], reason=row["reason"],
                message=row["message"],
                until=None if row["wait_seconds"] is None else self._read_at + row["wait_seconds"],
            )
        return self._state

    def _forget(self) -> None:
        self._read_at = float("-inf")

    async def _claim_probe(self) -> bool:
        claimed = await database.fetchval(CLAIM_PROBE, self._vendor, PROBE_SECONDS)
        self._is_probing = self._is_probing or claimed is not None
        self._forget()
        return claimed is not None

    async def _count(self, error: VendorError, *, opens_after: int) -> None:
        pause = max(PROBE_SECONDS, error.retry_after_seconds or 0.0)
        await database.execute(COUNT, self._vendor, opens_after, pause, error.kind, error.message)

    async def _hold_off(self, error: VendorError) -> None:
        await database.execute(HOLD_OFF, self._vendor, error.retry_after_seconds or 1.0, error.kind, error.message)

    def _left_alone(self, state: _State) -> VendorError:
        kind = ErrorKind.UNAUTHORIZED if state.reason == ErrorKind.UNAUTHORIZED else ErrorKind.UNAVAILABLE
        since = f"{state.opened_at:%Y-%m-%d %H:%M} UTC" if state.opened_at else "a moment ago"
        message = f"not asked since {since}, because it kept failing: {state.message}"
        return VendorError(kind, message, retry_after_seconds=state.wait_seconds, permanent=True)


READ = """
select consecutive_failures, opened_at, reason, message,
       extract(epoch from retry_at - clock_timestamp())::float8 as wait_seconds
from vendor_breakers where vendor = $1
"""

CLAIM_PROBE = """
update vendor_breakers set retry_at = clock_timestamp() + make_interval(secs => $2)
where vendor = $1 and opened_at is not null and retry_at <= clock_timestamp() returning vendor
"""

COUNT = """
insert into vendor_breakers as b (vendor, consecutive_failures, failing_since, opened_at, retry_at, reason, message)
values ($1, 1, clock_timestamp(), case when $2 <= 1 then clock_timestamp() end,
        case when $2 <= 1 then clock_timestamp() + make_interval(secs => $3) end, $4, $5)
on conflict (vendor) do update set
    consecutive_failures = b.consecutive_failures + 1,
    failing_since = coalesce(b.failing_since, clock_timestamp()),
    opened_at = case when b.opened_at is not null or b.consecutive_failures + 1 >= $2
                then coalesce(b.opened_at, clock_timestamp()) end,
    retry_at = case when b.opened_at is not null or b.consecutive_failures + 1 >= $2
               then clock_timestamp() + make_interval(secs => $3) else b.retry_at end,
    reason = $4, message = $5
"""

# A vendor that says "too many" is up: it closes an open breaker, and everybody waits as long as it asks.
HOLD_OFF = """
insert into vendor_breakers as b (vendor, consecutive_failures, failing_since, retry_at, reason, message)
values ($1, 0, clock_timestamp(), clock_timestamp() + make_interval(secs => $2), $3, $4)
on conflict (vendor) do update set
    consecutive_failures = 0, opened_at = null, failing_since = coalesce(b.failing_since, clock_timestamp()),
    retry_at = greatest(case when b.opened_at is null then b.retry_at end, excluded.retry_at),
    reason = $3, message = $4
"""

# A call that left before the trouble may come home after it: only a probe closes an open breaker,
# and nothing shortens the wait that a vendor asked for.
RECOVER = """
update vendor_breakers
set consecutive_failures = 0, failing_since = null, opened_at = null, retry_at = null, reason = '', message = ''
where vendor = $1 and (consecutive_failures > 0 or opened_at is not null or retry_at is not null)
    and case when opened_at is not null then $2 else coalesce(retry_at, '-infinity') <= clock_timestamp() end
"""


def _refuse_inside_transaction() -> None:
    if database.DB.current_transaction.get() is not None:
        raise RuntimeError("a vendor call inside a transaction: fetch outside, store inside")
