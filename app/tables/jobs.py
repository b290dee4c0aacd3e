"""The ledger of runs and the schedules: what is due is derived from here, never from the queue."""

from enum import StrEnum
from typing import Any

from piccolo.columns import (
    JSONB,
    UUID,
    BigInt,
    Boolean,
    Date,
    DoublePrecision,
    ForeignKey,
    Integer,
    Timestamptz,
    Varchar,
)
from piccolo.columns.base import OnDelete
from piccolo.columns.defaults.timestamptz import TimestamptzNow
from piccolo.constraints import Check, Unique
from piccolo.table import Table

from app.tables.accounts import User
from app.tables.columns import (
    belongs_to,
    json_object,
    may_refer_to,
    now,
    number_key,
    one_of,
    optional_text,
    text,
    uuid_key,
    when,
)


class RunState(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Trigger(StrEnum):
    SCHEDULE = "schedule"
    SCHEDULER = "scheduler"
    USER = "user"
    COMMAND = "command"
    FOLLOW_UP = "follow_up"


AUTOMATIC = frozenset({Trigger.SCHEDULE, Trigger.FOLLOW_UP})
"""What starts by itself."""


class JobSchedule(Table, tablename="job_schedules"):
    """`is_changed`: a person's word stands against the built-in default. `version` grows with each change."""

    id = uuid_key()
    name = Varchar(null=False, unique=True)
    kind = Varchar(null=False)
    payload = json_object()
    cron = Varchar(null=False)
    zone = Varchar(null=False, default="UTC")
    enabled = Boolean(null=False, default=True)
    is_built_in = Boolean(null=False, default=False)
    is_changed = Boolean(null=False, default=False)
    changed_by = may_refer_to(User)
    changed_at = when()
    version = Integer(null=False, default=0)
    pause_reason = text()
    paused_by = may_refer_to(User)
    paused_at = when()
    last_run_at = when()
    next_run_at = Timestamptz(null=False, default=TimestamptzNow())
    created_at = now()


class JobRun(Table, tablename="job_runs"):
    """One run, for good. `key` is kind and payload: at most one run per key is queued or running."""

    id = uuid_key()
    kind = Varchar(null=False)
    key = Varchar(null=False)
    payload = json_object()
    trigger = Varchar(null=False, default="command")
    triggered_by = may_refer_to(User)
    schedule_id = may_refer_to(JobSchedule)
    slot_at = when()
    retry_of: ForeignKey[Any] = ForeignKey("self", null=True, default=None, on_delete=OnDelete.set_null)
    state = Varchar(null=False, default="queued")
    attempts = Integer(null=False, default=0)
    max_attempts = Integer(null=False, default=3)
    queued_at = now()
    next_attempt_at = now()
    started_at = when()
    finished_at = when()
    lease_until = when()
    fence = BigInt(null=False, default=0)
    worker = optional_text()
    result = JSONB(null=True, default=None)
    error_class = optional_text()
    error_text = optional_text()
    traceback = optional_text()

    job_runs_state_check = Check(one_of("state", RunState))
    job_runs_trigger_check = Check(one_of("trigger", Trigger))
    job_runs_slot_key = Unique(["schedule_id", "slot_at"])


class JobAttempt(Table, tablename="job_attempts"):
    """An attempt that did not succeed: the run's row keeps only the last one's error."""

    id = number_key()
    run_id = belongs_to(JobRun)
    attempt = Integer(null=False)
    started_at = when()
    ended_at = now()
    worker = optional_text()
    error_class = text()
    error_text = text()
    traceback = optional_text()


class JobCount(Table, tablename="job_counts"):
    """Runs that were deleted, by the day in UTC on which they ended, kind and end. `seconds` is how long they took."""

    id = number_key()
    day = Date(null=False, default=None)
    kind = Varchar(null=False)
    state = Varchar(null=False)
    runs = BigInt(null=False, default=0)
    seconds = DoublePrecision(null=False, default=0.0)

    job_counts_day_kind_state_key = Unique(["day", "kind", "state"])


class Pause(Table, tablename="pauses"):
    """What waits, since when and why. `is_automatic`: after repeated failure; holds back what starts by itself."""

    id = uuid_key()
    scope = Varchar(null=False)
    name = text()
    reason = text()
    is_automatic = Boolean(null=False, default=False)
    paused_by = may_refer_to(User)
    paused_at = now()

    pauses_scope_check = Check("scope in ('all', 'vendor', 'kind')")
    pauses_scope_name_key = Unique(["scope", "name", "is_automatic"])


class Worker(Table, tablename="workers"):
    """A worker process and when it was last heard."""

    id = UUID(primary_key=True, default=None)
    name = text()
    started_at = now()
    last_heard_at = now()
