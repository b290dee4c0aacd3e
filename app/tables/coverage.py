"""Which challenges an organization knows: what "medium or above" is measured by."""

from piccolo.columns import Integer, Text
from piccolo.constraints import Unique
from piccolo.table import Table

from app.tables.accounts import Organization
from app.tables.columns import belongs_to, number_key, text


class KnownChallenge(Table, tablename="known_challenges"):
    """A challenge that somebody of the organization has solved, and what it was worth then.

    Written by a trigger in the transaction that stores the first solve of it. `event_id` is '' for on-demand practice.
    """

    id = number_key()
    organization_id = belongs_to(Organization)
    event_id = text()
    challenge_id = Text(null=False)
    category = text("Other")
    points = Integer(null=False, default=0)

    known_challenges_key = Unique(["organization_id", "event_id", "challenge_id"])
