"""What a coach should act on, who was told of it, and the filtered lists that people keep and watch."""

from enum import StrEnum

from piccolo.columns import JSONB, UUID, Boolean, Integer, SmallInt, Timestamptz, Varchar
from piccolo.columns.defaults.timestamptz import TimestamptzNow
from piccolo.constraints import Check, Unique
from piccolo.table import Table

from app.tables.accounts import Organization, User
from app.tables.columns import (
    belongs_to,
    json_object,
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
from app.tables.rosters import Competitor, Team


class AlertState(StrEnum):
    """`unknown`: our data has become too old to say whether the cause is still there."""

    OPEN = "open"
    UNKNOWN = "unknown"
    RESOLVED = "resolved"


class MailState(StrEnum):
    """How a notice stands with mail. `sending` outlives only a worker that died in the middle of it."""

    WAITING = "waiting"
    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"
    SUPPRESSED = "suppressed"


class MailTime(StrEnum):
    OFF = "off"
    DAILY = "daily"
    SOON = "soon"


class Alert(Table, tablename="alerts"):
    """One episode of one rule about one subject: at most one of them is not resolved.

    `subject` tells episodes of the same person apart (an event, a difference); without competitor and team the alert
    is about the organization. `since`: when the cause began; `opened_at`: when it was seen. A cause that comes back
    soon opens the same row again and counts in `openings`.
    """

    id = uuid_key()
    organization_id = belongs_to(Organization)
    rule = Varchar(null=False)
    subject = text()
    competitor_id = may_belong_to(Competitor)
    team_id = may_belong_to(Team)
    reason = text()
    state = Varchar(null=False, default="open")
    since = Timestamptz(null=False, default=TimestamptzNow())
    opened_at = now()
    data_from = when()
    resolved_at = when()
    openings = Integer(null=False, default=1)
    flapping_since = when()
    owner_id = may_refer_to(User)
    snoozed_until = when()

    alerts_state_check = Check(one_of("state", AlertState))


class AlertEvent(Table, tablename="alert_events"):
    """What happened to an alert, and who did it where somebody did."""

    id = number_key()
    alert_id = belongs_to(Alert)
    at = now()
    kind = Varchar(null=False)
    user_id = may_refer_to(User)
    until = when()


class SavedView(Table, tablename="saved_views"):
    """A list with its filters under a name. A watched one tells its owner of rows that enter or leave it; `counted_at`:
    when its rows were looked at last with a change."""

    id = uuid_key()
    user_id = belongs_to(User)
    name = text()
    path = text()
    query = text()
    is_watched = Boolean(null=False, default=False)
    counted_at = when()
    created_at = now()

    saved_views_name_key = Unique(["user_id", "name"])


class SavedViewRow(Table, tablename="saved_view_rows"):
    """Who stood in a watched view when it was looked at last."""

    id = number_key()
    saved_view_id = belongs_to(SavedView)
    competitor_id = belongs_to(Competitor)

    saved_view_rows_key = Unique(["saved_view_id", "competitor_id"])


class Notification(Table, tablename="notifications"):
    """One person told of one thing, once: `key` says which. Whatever mail comes of it is logged here too."""

    id = number_key()
    user_id = belongs_to(User)
    at = now()
    kind = Varchar(null=False)
    key = text()
    alert_id = may_belong_to(Alert)
    saved_view_id = may_belong_to(SavedView)
    competitor_id = may_belong_to(Competitor)
    details = json_object()
    read_at = when()
    mail_state = Varchar(null=False, default="waiting")
    mail_reason = optional_text()
    mail_run_id = UUID(null=True, default=None)
    mail_attempts = Integer(null=False, default=0)
    mailed_at = when()

    notifications_key = Unique(["user_id", "key"])
    notifications_mail_state_check = Check(one_of("mail_state", MailState))


class NotificationPreference(Table, tablename="notification_preferences"):
    """Whoever has no row has these defaults. Hours are of the reader's own day."""

    user_id = belongs_to(User, primary_key=True)
    mail = Varchar(null=False, default="daily")
    daily_hour = SmallInt(null=False, default=7)
    quiet_from_hour = SmallInt(null=False, default=20)
    quiet_until_hour = SmallInt(null=False, default=7)
    muted = JSONB(null=False, default="[]")
    test_mail_at = when()

    notification_preferences_mail_check = Check(one_of("mail", MailTime))
