"""Switches that an admin sets at run time."""

from piccolo.columns import Boolean, Varchar
from piccolo.constraints import Unique
from piccolo.table import Table

from app.tables.accounts import Organization, User
from app.tables.columns import may_belong_to, may_refer_to, now, uuid_key


class FeatureFlag(Table, tablename="feature_flags"):
    """Everywhere where `organization_id` is null, else for that organization only."""

    id = uuid_key()
    name = Varchar(null=False)
    organization_id = may_belong_to(Organization)
    enabled = Boolean(null=False)
    changed_by = may_refer_to(User)
    changed_at = now()

    feature_flags_name_key = Unique(["name", "organization_id"], nulls_distinct=False)
