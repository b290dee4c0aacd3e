"""When somebody last looked at their overview, and how their people stood then."""

from piccolo.columns import UUID, Array, Integer
from piccolo.constraints import Unique
from piccolo.table import Table

from app.tables.accounts import Organization, User
from app.tables.columns import belongs_to, now, number_key


class Look(Table, tablename="looks"):
    """`ranks` are those of `competitor_ids`, in the same order."""

    id = number_key()
    user_id = belongs_to(User)
    organization_id = belongs_to(Organization)
    seen_at = now()
    competitor_ids = Array(base_column=UUID(), null=False, default=list)
    ranks = Array(base_column=Integer(), null=False, default=list)

    looks_user_key = Unique(["user_id", "organization_id"])
