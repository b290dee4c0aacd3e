"""Where a vendor and our tables disagree: a row per difference, from the first look that saw it until it is settled."""

from enum import StrEnum

from piccolo.columns import Varchar
from piccolo.constraints import Check
from piccolo.table import Table

from app.tables.accounts import Organization
from app.tables.columns import may_belong_to, now, one_of, optional_text, text, uuid_key, when
from app.tables.rosters import Competitor


class DriftState(StrEnum):
    OPEN = "open"
    IGNORED = "ignored"
    RESOLVED = "resolved"


class Drift(Table, tablename="drift"):
    """At most one row per vendor, subject and field is not resolved.

    Teams are written by the id that the vendor knows them by. `ours`, `theirs` and `agreed` are null for "nothing
    there"; without `agreed_at` nobody knows what was agreed. An ignored row without a date stays so until it changes.
    """

    id = uuid_key()
    vendor = Varchar(null=False, default="game_platform")
    organization_id = may_belong_to(Organization)
    competitor_id = may_belong_to(Competitor)
    subject_type = Varchar(null=False)
    subject_id = text()
    field = Varchar(null=False)
    ours = optional_text()
    theirs = optional_text()
    agreed = optional_text()
    agreed_at = when()
    since = now()
    state = Varchar(null=False, default="open")
    ignored_until = when()
    reason = text()
    resolved_at = when()

    drift_state_check = Check(one_of("state", DriftState))
