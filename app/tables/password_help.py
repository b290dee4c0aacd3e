"""Who asked the Game Platform to send whom a mail for a new password, and what came of it."""

from enum import StrEnum

from piccolo.columns import Varchar
from piccolo.constraints import Check
from piccolo.table import Table

from app.tables.accounts import User
from app.tables.columns import belongs_to, may_refer_to, now, one_of, optional_text, uuid_key, when
from app.tables.rosters import Competitor


class PasswordHelpState(StrEnum):
    ASKED = "asked"
    SENT = "sent"
    REFUSED = "refused"
    UNCERTAIN = "uncertain"
    FAILED = "failed"
    NOT_OFFERED = "not_offered"


class PasswordHelpRequest(Table, tablename="password_help_requests"):
    id = uuid_key()
    competitor_id = belongs_to(Competitor)
    asked_by = may_refer_to(User)
    asked_at = now()
    state = Varchar(null=False, default="asked")
    message = optional_text()
    answered_at = when()

    password_help_requests_state_check = Check(one_of("state", PasswordHelpState))
