"""When the installation itself needs somebody: facts in, findings out. The same limits stand behind /health/*.

Facts are counts, kinds and vendors; nobody is named.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from app.domain.job_words import kind_title, vendor_title
from app.domain.schedules import MISSED_SECONDS

WORKER_SILENCE = timedelta(seconds=60)
SCHEDULE_GRACE = timedelta(seconds=MISSED_SECONDS)
OLDEST_DUE = timedelta(minutes=5)
LATE_LOOK = timedelta(minutes=10)
"""Two ticks: a look this much past its promise was not only waiting for its turn."""
FAILURES_IN_A_ROW = 5
TRANSACTION_AGE = timedelta(minutes=10)
CONNECTIONS_SHARE = 0.9
DISK_BYTES = 1024**3
TOKEN_WARNING = timedelta(days=30)

PASSING = frozenset({
    "VendorError", "DiskFullError", "ReadOnlySQLTransactionError", "TooManyConnectionsError", "CannotConnectNowError",
    "ConnectionDoesNotExistError", "InterfaceError", "AdminShutdownError", "CrashShutdownError",
    "ConnectionRefusedError", "ConnectionResetError", "TimeoutError",
})
"""Failures that end by themselves once the vendor or the database is back: no reason to stop for good."""


class Cause(StrEnum):
    FRESHNESS = "freshness"
    WORKER = "worker"
    QUEUE = "queue"
    SCHEDULE = "schedule"
    VENDOR = "vendor"
    REPEATED_FAILURE = "repeated_failure"
    DISK = "disk"
    DATABASE = "database"
    TOKEN = "token"  # noqa: S105


@dataclass(frozen=True, slots=True)
class Words:
    title: str
    step: str
    path: str


CAUSES: dict[Cause, Words] = {
    Cause.WORKER: Words("No worker is heard", "Start one: bin/sideline worker", "/admin/jobs"),
    Cause.FRESHNESS: Words("Scores are late", "See what holds the sync up", "/admin/sync"),
    Cause.QUEUE: Words("Work waits too long", "See what waits, or start another worker", "/admin/jobs?state=queued"),
    Cause.SCHEDULE: Words("A schedule was missed", "See whether its expression can be read", "/admin/schedules"),
    Cause.VENDOR: Words("A vendor does not answer as it should", "See the vendor's own words", "/admin/sync"),
    Cause.REPEATED_FAILURE: Words(
        "Work keeps failing", "Read its last error, mend the cause, then resume", "/admin/alarms"
    ),
    Cause.DISK: Words("The disk is nearly full", "Make room where the database is kept", "/admin/alarms"),
    Cause.DATABASE: Words("The database is in trouble", "Look at the database server", "/admin/alarms"),
    Cause.TOKEN: Words("A token ends soon", "Ask the vendor for a new one and set it", "/admin/sync"),
}


@dataclass(frozen=True, slots=True)
class LateTier:
    """`late`: how many people were looked at too long ago; `since`: when the first of these promises was broken."""

    tier: str
    late: int
    since: datetime


@dataclass(frozen=True, slots=True)
class Overdue:
    name: str
    next_run_at: datetime


@dataclass(frozen=True, slots=True)
class FailingVendor:
    vendor: str
    reason: str
    message: str
    since: datetime


@dataclass(frozen=True, slots=True)
class Streak:
    """Runs of a kind that failed one after the other; `is_stopped` until somebody resumes it or a run succeeds."""

    kind: str
    failures: int
    since: datetime
    error_class: str
    is_stopped: bool = False


@dataclass(frozen=True, slots=True)
class EndingToken:
    vendor: str
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class DatabaseState:
    connections: int = 0
    max_connections: int = 0
    oldest_transaction_at: datetime | None = None
    is_read_only: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """As the database's clock sees them. `worker_heard_at`: by anybody who ever looked, also of workers that left."""

    now: datetime
    worker_heard_at: datetime
    late_tiers: tuple[LateTier, ...] = ()
    due: int = 0
    oldest_due_at: datetime | None = None
    schedules: tuple[Overdue, ...] = ()
    vendors: tuple[FailingVendor, ...] = ()
    streaks: tuple[Streak, ...] = ()
    free_disk_bytes: int | None = None
    database: DatabaseState = field(default_factory=DatabaseState)
    tokens: tuple[EndingToken, ...] = ()


@dataclass(frozen=True, slots=True)
class Finding:
    """`subject` tells apart what has the same cause; empty where there is only one."""

    cause: Cause
    subject: str
    since: datetime
    reason: str


def findings(facts: Facts) -> tuple[Finding, ...]:
    return tuple(
        finding
        for rule in (_worker, _queue, _schedules, _freshness, _vendors, _failures, _disk, _database, _tokens)
        for finding in rule(facts)
    )


def hidden_causes(found: tuple[Finding, ...]) -> frozenset[Cause]:
    """What cannot be judged now: without a worker everything waits, and saying so ten times helps nobody."""
    if any(finding.cause is Cause.WORKER for finding in found):
        return frozenset({Cause.QUEUE, Cause.SCHEDULE})
    return frozenset()


def is_worker_silent(now: datetime, heard_at: datetime) -> bool:
    return now - heard_at > WORKER_SILENCE


def _worker(facts: Facts) -> Iterator[Finding]:
    if is_worker_silent(facts.now, facts.worker_heard_at):
        yield Finding(Cause.WORKER, "", facts.worker_heard_at, "Nothing that is due starts until a worker runs.")


def _queue(facts: Facts) -> Iterator[Finding]:
    if facts.oldest_due_at and facts.now - facts.oldest_due_at > OLDEST_DUE:
        yield Finding(Cause.QUEUE, "", facts.oldest_due_at, f"{_count(facts.due, 'run')} due and not started.")


def _schedules(facts: Facts) -> Iterator[Finding]:
    for schedule in facts.schedules:
        if facts.now - schedule.next_run_at > SCHEDULE_GRACE:
            yield Finding(
                Cause.SCHEDULE, schedule.name, schedule.next_run_at, f"{kind_title(schedule.name)} should have started."
            )


def _freshness(facts: Facts) -> Iterator[Finding]:
    for tier in facts.late_tiers:
        people = "1 person" if tier.late == 1 else f"{tier.late} people"
        yield Finding(
            Cause.FRESHNESS, tier.tier, tier.since,
            f"{people} of the tier {tier.tier} were last looked at longer ago than promised.",
        )


def _vendors(facts: Facts) -> Iterator[Finding]:
    for vendor in facts.vendors:
        what = "needs action" if vendor.reason in ("unauthorized", "invalid") else "keeps failing"
        reason = f"{vendor_title(vendor.vendor)} {what}: {vendor.message}"
        yield Finding(Cause.VENDOR, vendor.vendor, vendor.since, reason)


def _failures(facts: Facts) -> Iterator[Finding]:
    for streak in facts.streaks:
        if streak.is_stopped or streak.failures >= FAILURES_IN_A_ROW:
            yield Finding(Cause.REPEATED_FAILURE, streak.kind, streak.since, failure_reason(streak))


def failure_reason(streak: Streak) -> str:
    return (
        f"{kind_title(streak.kind)} failed {max(streak.failures, FAILURES_IN_A_ROW)} times in a row "
        f"({streak.error_class or 'unknown error'}). It does not start by itself until somebody resumes it."
    )


def _disk(facts: Facts) -> Iterator[Finding]:
    if facts.free_disk_bytes is not None and facts.free_disk_bytes < DISK_BYTES:
        free = facts.free_disk_bytes // 1024**2
        yield Finding(Cause.DISK, "", facts.now, f"{free} MB are free where the database is kept.")


def _database(facts: Facts) -> Iterator[Finding]:
    state = facts.database
    if state.is_read_only:
        yield Finding(Cause.DATABASE, "read_only", facts.now, "It takes no changes: it is read-only or a standby.")
    if state.max_connections and state.connections >= CONNECTIONS_SHARE * state.max_connections:
        yield Finding(
            Cause.DATABASE, "connections", facts.now,
            f"{state.connections} of {state.max_connections} connections are in use.",
        )
    if state.oldest_transaction_at and facts.now - state.oldest_transaction_at > TRANSACTION_AGE:
        yield Finding(
            Cause.DATABASE, "transaction", state.oldest_transaction_at,
            "A transaction is open for long; it keeps tables from being cleaned up.",
        )


def _tokens(facts: Facts) -> Iterator[Finding]:
    for token in facts.tokens:
        if token.ends_at - facts.now <= TOKEN_WARNING:
            verb = "ended" if token.ends_at <= facts.now else "ends"
            yield Finding(
                Cause.TOKEN, token.vendor, token.ends_at - TOKEN_WARNING,
                f"The token of the {vendor_title(token.vendor)} {verb} on {token.ends_at:%Y-%m-%d}.",
            )


def _count(number: int, noun: str) -> str:
    return f"{number} {noun} is" if number == 1 else f"{number} {noun}s are"

