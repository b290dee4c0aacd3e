"""Who did what, whose data went where, and what happened: written in the transaction of the change itself."""

from piccolo.columns import JSONB, UUID, Array, Text, Varchar
from piccolo.constraints import Unique
from piccolo.table import Table

from app.tables.accounts import Organization, User
from app.tables.columns import (
    belongs_to,
    json_object,
    may_belong_to,
    may_refer_to,
    now,
    number_key,
    optional_text,
    text,
)
from app.tables.rosters import Competitor, Team


class AuditEntry(Table, tablename="audit_log"):
    """Ids without foreign keys: the entry outlives what it speaks of."""

    id = number_key()
    at = now()
    actor_id = UUID(null=True, default=None)
    actor = text()
    acting_as_id = UUID(null=True, default=None)
    organization_id = UUID(null=True, default=None)
    action = Varchar(null=False)
    subject_type = text()
    subject_id = text()
    before = JSONB(null=True, default=None)
    after = JSONB(null=True, default=None)
    address = optional_text()


class Disclosure(Table, tablename="disclosure_log"):
    """One person's data shown or sent to somebody: a push to a vendor, an export, a view of the page."""

    id = number_key()
    at = now()
    competitor_id = UUID(null=False)
    purpose = Varchar(null=False)
    recipient = text()
    user_id = UUID(null=True, default=None)
    fields = Array(base_column=Text(), null=False, default=list)


class ActivityEvent(Table, tablename="activity_events"):
    id = number_key()
    at = now()
    organization_id = belongs_to(Organization)
    kind = Varchar(null=False)
    competitor_id = may_belong_to(Competitor)
    team_id = may_refer_to(Team)
    user_id = may_refer_to(User)
    run_id = UUID(null=True, default=None)
    details = json_object()

    activity_events_run_key = Unique(["run_id", "kind", "competitor_id"])
