"""Changes of ours that a vendor has yet to hear of. A row says what to bring in line, never what to send."""

from enum import StrEnum

from piccolo.columns import UUID, BigInt, Integer, Timestamptz, Varchar
from piccolo.columns.defaults.timestamptz import TimestamptzNow
from piccolo.constraints import Check
from piccolo.table import Table

from app.tables.accounts import Organization, User
from app.tables.columns import belongs_to, may_refer_to, now, number_key, one_of, optional_text, when


class PushKind(StrEnum):
    """What `subject_id` is: a coach's user, a team, the competitor whose team it is about, a team that goes."""

    COACH = "coach"
    TEAM = "team"
    MEMBERSHIP = "membership"
    TEAM_DELETION = "team_deletion"


class OutboxState(StrEnum):
    """A parked row waits for a person: `reason` has the vendor's words."""

    WAITING = "waiting"
    SENT = "sent"
    PARKED = "parked"
    DISCARDED = "discarded"


class Outbox(Table, tablename="outbox"):
    """One row per kind and subject is waiting or parked; asking again raises `asked` and makes it due.

    `platform_id` names a subject that is gone from our tables. `held_for` is the person whose approval a row waits
    for. `run_id` and `fence` are the claim of the run that sends it just now: it holds as long as that run's lease.
    """

    id = number_key()
    organization_id = belongs_to(Organization)
    kind = Varchar(null=False)
    subject_id = UUID(null=False)
    platform_id = optional_text()
    actor_id = may_refer_to(User)
    state = Varchar(null=False, default="waiting")
    reason = optional_text()
    asked = Integer(null=False, default=1)
    attempts = Integer(null=False, default=0)
    next_attempt_at = Timestamptz(null=False, default=TimestamptzNow())
    held_for = UUID(null=True, default=None)
    run_id = UUID(null=True, default=None)
    fence = BigInt(null=True, default=None)
    created_at = now()
    asked_at = now()
    finished_at = when()

    outbox_kind_check = Check(one_of("kind", PushKind))
    outbox_state_check = Check(one_of("state", OutboxState))
