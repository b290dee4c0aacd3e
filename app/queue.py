"""The kinds of work, their policies, and how work is asked for.

The ledger holds what is to be done; SAQ only wakes a worker. A lost wake-up loses nothing: workers look at the ledger
themselves.
"""

import asyncio
import contextlib
import hashlib
import json
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Any
from uuid import UUID

import structlog
from litestar.serialization import decode_json, encode_json
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StrictBool,
    StrictInt,
    ValidationError,
    field_validator,
)
from pydantic_core.core_schema import ValidationInfo
from saq import Queue

from app import database
from app.domain.pauses import pause_of
from app.features import Feature, FeatureOff, is_enabled_anywhere
from app.services import job_runs
from app.services.job_runs import DueRun
from app.services.pauses import read_pauses
from app.settings import get_settings
from app.tables.jobs import AUTOMATIC, RunState, Trigger

log = structlog.get_logger(__name__)

QUEUE_NAME = "sideline"
WAKE_UP_SECONDS = 5
"""A wake-up that led to nothing is repeated after this time."""


class UnknownKind(Exception):
    def __init__(self, kind: str) -> None:
        super().__init__(f"There is no job kind {kind!r}. Kinds are: {', '.join(sorted(JOB_KINDS))}")


class BadPayload(Exception):
    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}")
        self.field = field
        self.message = message


@dataclass(frozen=True, slots=True)
class Policy:
    """`retry_seconds` doubles with each attempt; the wait is a random part of it."""

    timeout_seconds: int
    attempts: int = 3
    retry_seconds: int = 300
    wake_up_ttl_seconds: int = 60

    def wake_up(self) -> dict[str, Any]:
        """SAQ's own options for a wake-up. Attempts and waiting are the ledger's; its timeout is only a last resort."""
        return {
            "timeout": self.timeout_seconds + 30, "retries": 1, "retry_delay": 0, "retry_backoff": False,
            "heartbeat": 0, "ttl": self.wake_up_ttl_seconds,
        }


class Payload(BaseModel):
    """No fields; kinds that take some add them. Unknown fields are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    def canonical(self) -> dict[str, Any]:
        """The same wish written the same way: defaults left out, ids sorted."""
        return self.model_dump(mode="json", exclude_defaults=True)


def _sorted(ids: tuple[UUID, ...] | None) -> tuple[UUID, ...] | None:
    return None if ids is None else tuple(sorted(set(ids)))


CompetitorIds = Annotated[
    tuple[UUID, ...] | None, Field(min_length=1, max_length=10_000), AfterValidator(_sorted)
]


class GamePlatformSyncPayload(Payload):
    dry_run: StrictBool = False
    coach_id: UUID | None = None
    competitor_ids: CompetitorIds = None
    full: StrictBool = False


class GamePlatformTotalsSweepPayload(Payload):
    batch_size: StrictInt = Field(100, ge=1, le=1000)
    competitor_ids: CompetitorIds = None


class GamePlatformOnboardingPayload(Payload):
    competitor_ids: CompetitorIds = None
    coach_id: UUID | None = None

    @field_validator("coach_id")
    @classmethod
    def _is_the_only_limit(cls, value: UUID | None, info: ValidationInfo) -> UUID | None:
        if value and info.data.get("competitor_ids"):
            raise ValueError("should not stand beside competitor_ids")
        return value


class GamePlatformRosterReconcilePayload(Payload):
    team_id: UUID | None = None


class GamePlatformPasswordHelpPayload(Payload):
    request_id: UUID


@dataclass(frozen=True, slots=True)
class JobKind:
    name: str
    policy: Policy
    payload: type[Payload] = Payload
    feature: Feature | None = None

    @property
    def vendor(self) -> str | None:
        return self.feature.vendor.value if self.feature else None


JOB_KINDS: dict[str, JobKind] = {
    kind.name: kind
    for kind in (
        JobKind("game_platform_sync", Policy(timeout_seconds=1800), GamePlatformSyncPayload, Feature.SCORE_INGESTION),
        JobKind(
            "game_platform_totals_sweep", Policy(timeout_seconds=1800), GamePlatformTotalsSweepPayload,
            Feature.SCORE_INGESTION,
        ),
        JobKind(
            "game_platform_onboarding", Policy(timeout_seconds=1800), GamePlatformOnboardingPayload, Feature.ONBOARDING
        ),
        JobKind("outbox_drain", Policy(timeout_seconds=1800, retry_seconds=5), feature=Feature.ROSTER_SYNC),
        JobKind(
            "game_platform_roster_reconcile", Policy(timeout_seconds=1800), GamePlatformRosterReconcilePayload,
            Feature.ROSTER_SYNC,
        ),
        JobKind(
            "game_platform_password_help", Policy(timeout_seconds=120), GamePlatformPasswordHelpPayload,
            Feature.PASSWORD_HELP,
        ),
        JobKind("alerts_evaluate", Policy(timeout_seconds=900)),
        JobKind("notifications", Policy(timeout_seconds=900)),
        JobKind("job_cleanup", Policy(timeout_seconds=900)),
    )
}


@dataclass(frozen=True, slots=True)
class Enqueued:
    """`is_paused`: the kind waits until somebody resumes it."""

    run_id: UUID
    is_new: bool
    state: RunState = RunState.QUEUED
    is_paused: bool = False


async def enqueue(
    kind: str, payload: dict[str, Any] | None = None, *, trigger: Trigger, triggered_by: UUID | None = None,
    schedule_id: UUID | None = None,
) -> Enqueued:
    """Asks for work; the same work that is queued or running already is the answer too.

    Raises UnknownKind, FeatureOff or BadPayload. Inside a transaction nobody is woken: a worker finds the run by itself
    soon after the commit.
    """
    job = find_kind(kind)
    if job.feature and not await is_enabled_anywhere(job.feature):
        raise FeatureOff(job.feature)
    wish = parse_payload(job, payload or {}).canonical()
    added = await job_runs.add(
        kind, run_key(kind, wish), wish, max_attempts=job.policy.attempts, trigger=trigger, triggered_by=triggered_by,
        schedule_id=schedule_id,
    )
    is_sooner = not added.is_new and await job_runs.hasten(added.run_id)
    if (added.is_new or is_sooner) and database.DB.current_transaction.get() is None:
        wake_soon([DueRun(added.run_id, kind, fence=0)])
    is_paused = pause_of(await read_pauses(), kind, job.vendor, is_asked_for=trigger not in AUTOMATIC) is not None
    return Enqueued(added.run_id, added.is_new, added.state, is_paused and added.state is RunState.QUEUED)


@dataclass(frozen=True, slots=True)
class OpenKinds:
    """The kinds whose runs may start now; those of `asked_for` only where a person or a program asked for them."""

    all: tuple[str, ...]
    asked_for: tuple[str, ...]


async def open_kinds(names: Iterable[str]) -> OpenKinds:
    pauses = await read_pauses()
    asked_for = [name for name in names if pause_of(pauses, name, find_kind(name).vendor) is None]
    held = {
        name for name in asked_for if pause_of(pauses, name, find_kind(name).vendor, is_asked_for=False) is not None
    }
    return OpenKinds(tuple(name for name in asked_for if name not in held), tuple(sorted(held)))


def find_kind(name: str) -> JobKind:
    try:
        return JOB_KINDS[name]
    except KeyError:
        raise UnknownKind(name) from None


def parse_payload(kind: JobKind, payload: dict[str, Any]) -> Payload:
    """Raises BadPayload for the first field that is wrong."""
    try:
        return kind.payload.model_validate(payload)
    except ValidationError as error:
        problem = error.errors(include_url=False, include_input=False)[0]
        field = ".".join(str(part) for part in problem["loc"]) or "payload"
        message = "is not a field of this kind" if problem["type"] == "extra_forbidden" else problem["msg"]
        raise BadPayload(field, message.removeprefix("Value error, ")) from None


def run_key(kind: str, payload: dict[str, Any]) -> str:
    if not payload:
        return kind
    return f"{kind}:{hashlib.sha256(json.dumps(payload, sort_keys=True).encode()).hexdigest()}"


_queues: dict[str, Queue] = {}
_waking: set[asyncio.Task[None]] = set()


def make_queue(url: str, *, max_size: int = 4) -> Queue:
    sizes = {} if url.startswith("redis") else {"min_size": 1, "max_size": max_size}
    return Queue.from_url(url, name=QUEUE_NAME, dump=encode_json, load=decode_json, **sizes)


def queue_url() -> str:
    settings = get_settings()
    url = settings.queue_url or settings.database_url
    assert url
    return url


async def prepare_queue(url: str) -> None:
    """Makes SAQ's tables, once, before any process of ours uses them. Does nothing for Redis."""
    if url.startswith("redis"):
        return
    queue = make_queue(url)
    try:
        await queue.connect()
        await queue.count("queued")
    finally:
        await queue.disconnect()


def wake_soon(runs: Iterable[DueRun]) -> None:
    """Wakes beside the caller, whose answer never waits for the queue's store."""
    task = asyncio.create_task(wake(list(runs)))
    _waking.add(task)
    task.add_done_callback(_waking.discard)


async def wake(runs: Iterable[DueRun]) -> None:
    """Wakes a worker for each run. Never fails and never waits long: the ledger has the runs anyway."""
    try:
        async with asyncio.timeout(2):
            queue = await _connected_queue()
            for run in runs:
                await wake_with(queue, run)
    except Exception as error:
        log.warning("no worker was woken", error_class=type(error).__name__)


async def wake_with(queue: Queue, run: DueRun) -> None:
    """One wake-up per waiting and few seconds: more would only ask the same again."""
    key = f"{run.run_id}:{run.fence}:{int(time.time()) // WAKE_UP_SECONDS}"
    await queue.enqueue("run_job", key=key, run_id=str(run.run_id), **find_kind(run.kind).policy.wake_up())


async def _connected_queue() -> Queue:
    url = queue_url()
    if url not in _queues:
        _queues[url] = make_queue(url)
    await _queues[url].connect()
    return _queues[url]


async def close_queue() -> None:
    """Closes what `enqueue` opened; for the end of a process. A queue that is away has nothing to close."""
    if _waking:
        await asyncio.wait(_waking)
    while _queues:
        _, queue = _queues.popitem()
        with contextlib.suppress(Exception):
            await queue.disconnect()
