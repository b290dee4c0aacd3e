"""What is wrong with the installation, who was told of it, and how."""

from enum import StrEnum

from piccolo.columns import Array, Integer, Text, Timestamptz, Varchar
from piccolo.columns.defaults.timestamptz import TimestamptzNow
from piccolo.constraints import Check, Unique
from piccolo.table import Table

from app.tables.accounts import User
from app.tables.columns import (
    may_belong_to,
    may_refer_to,
    now,
    number_key,
    one_of,
    optional_text,
    text,
    uuid_key,
    when,
)


class Channel(StrEnum):
    MAIL = "mail"
    WEBHOOK = "webhook"


class Told(StrEnum):
    OPENED = "opened"
    FLAPPING = "flapping"
    RESOLVED = "resolved"
    TEST = "test"


class DeliveryState(StrEnum):
    WAITING = "waiting"
    SENT = "sent"
    FAILED = "failed"
    SUPPRESSED = "suppressed"


class Alarm(Table, tablename="alarms"):
    """Open while `resolved_at` is null. `openings`: how often within the hour its cause came back."""

    id = uuid_key()
    cause = Varchar(null=False)
    subject = text()
    reason = text()
    since = now()
    opened_at = now()
    resolved_at = when()
    openings = Integer(null=False, default=1)
    flapping_since = when()
    gone_at = when()


class AlarmLook(Table, tablename="alarm_looks"):
    """One row, by which processes agree who looks now. `worker_heard_at` outlives the workers that left."""

    id = Integer(primary_key=True, default=1)
    looked_at = now()
    worker_heard_at = now()


class AlarmDelivery(Table, tablename="alarm_deliveries"):
    """One message to one receiver: a person by mail, or the webhook. Sent later while `next_attempt_at` is ahead; while
    somebody sends it just now, too, so that a process which dies gives it back."""

    id = number_key()
    alarm_id = may_belong_to(Alarm)
    told = Varchar(null=False)
    opening = Integer(null=False, default=1)
    channel = Varchar(null=False)
    user_id = may_belong_to(User)
    receiver = text()
    state = Varchar(null=False, default="waiting")
    reason = optional_text()
    attempts = Integer(null=False, default=0)
    created_at = now()
    next_attempt_at = Timestamptz(null=False, default=TimestamptzNow())
    finished_at = when()

    alarm_deliveries_key = Unique(["alarm_id", "told", "opening", "channel", "receiver"])
    alarm_deliveries_told_check = Check(one_of("told", Told))
    alarm_deliveries_channel_check = Check(one_of("channel", Channel))
    alarm_deliveries_state_check = Check(one_of("state", DeliveryState))


class AlarmSettings(Table, tablename="alarm_settings"):
    """One row at most. `webhook_secret` is encrypted; `unmailed` are the admins who want no mail about alarms."""

    id = Integer(primary_key=True, default=1)
    webhook_url = text()
    webhook_secret = text()
    unmailed = Array(base_column=Text(), null=False, default=list)
    tested_at = when()
    changed_at = now()
    changed_by = may_refer_to(User)


class FailureReset(Table, tablename="failure_resets"):
    """From when on the failures of a kind count: somebody resumed it then."""

    kind = Varchar(primary_key=True)
    counted_from = now()


class ErrorReport(Table, tablename="error_reports"):
    """A failure that was reported outside, and when it was seen last: one event per episode of it."""

    signature = Varchar(length=64, primary_key=True)
    seen_at = now()
