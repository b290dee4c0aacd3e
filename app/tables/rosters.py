"""Competitors, teams and who coaches them."""

from enum import StrEnum

from piccolo.columns import JSONB, UUID, Boolean, Integer, Varchar
from piccolo.constraints import Check, Unique
from piccolo.table import Table

from app.tables.accounts import Organization, User
from app.tables.columns import belongs_to, may_refer_to, now, one_of, optional_text, refers_to, text, uuid_key, when


class Division(StrEnum):
    MIDDLE_SCHOOL = "middle_school"
    HIGH_SCHOOL = "high_school"
    COLLEGE = "college"


class CompetitorStatus(StrEnum):
    PENDING = "pending"
    PROFILE = "profile"
    COMPLIANCE = "compliance"
    COMPLETE = "complete"


class Competitor(Table, tablename="competitors"):
    """A person on a coach's roster. `game_platform_id` is the `syned_user_id` that we send, or an adopted one.
    `stage_since` is the moment of the last change of `status`: the database keeps it, whoever writes the status."""

    id = uuid_key()
    organization_id = refers_to(Organization)
    coach_id = may_refer_to(User)
    user_id = may_refer_to(User)
    first_name = text()
    last_name = text()
    email = optional_text()
    grade = optional_text()
    division = Varchar(null=True, default=None)
    status = Varchar(null=False, default="pending")
    stage_since = now()
    release_signed = Boolean(null=False, default=False)
    agreement_signed = Boolean(null=False, default=False)
    data_consent = Boolean(null=False, default=False)
    school_id = optional_text()
    region_id = optional_text()
    game_platform_id = optional_text(unique=True)
    game_platform_synced_at = when()
    game_platform_sync_error = optional_text()
    game_platform_activity_score = Integer(null=False, default=0)
    onboarding_asked_at = when()
    onboarding_refused_at = when()
    metactf_user_id = optional_text()
    metactf_username = optional_text()
    metactf_user_status = optional_text()
    platform_asked_at = when()
    edited_fields = JSONB(null=False, default="[]")
    archived_at = when()
    created_at = now()
    updated_at = now()

    competitors_status_check = Check(one_of("status", CompetitorStatus))
    competitors_division_check = Check(one_of("division", Division))


class Team(Table, tablename="teams"):
    """`game_platform_id` is the `syned_team_id`; with `game_platform_synced_at` the platform has the team, and keeps
    the name, division and affiliation that it was first told. `closed_at`: being deleted, so nobody may join."""

    id = uuid_key()
    organization_id = refers_to(Organization)
    coach_id = refers_to(User)
    name = text()
    division = Varchar(null=False, default="high_school")
    affiliation = text()
    game_platform_id = optional_text(unique=True)
    game_platform_synced_at = when()
    game_platform_sync_error = optional_text()
    game_platform_name = optional_text()
    game_platform_division = optional_text()
    game_platform_affiliation = optional_text()
    metactf_team_id = optional_text()
    metactf_coach_id = optional_text()
    closed_at = when()
    archived_at = when()
    created_at = now()
    updated_at = now()

    teams_division_check = Check(one_of("division", Division))


class TeamMembership(Table, tablename="team_memberships"):
    """Who is on which team: one team at most, as at the Game Platform."""

    id = uuid_key()
    team_id = refers_to(Team)
    competitor_id = belongs_to(Competitor, unique=True)
    game_platform_synced_at = when()
    game_platform_sync_error = optional_text()
    created_at = now()


class TeamAssistant(Table, tablename="team_assistants"):
    """An assistant coach of a team: the same sight as its coach."""

    id = uuid_key()
    team_id = belongs_to(Team)
    user_id = belongs_to(User)
    created_at = now()

    team_assistants_user_key = Unique(["team_id", "user_id"])


class RosterChange(Table, tablename="roster_changes"):
    """One action on several competitors, and what came of it for each. The id is made by the form that asks for it,
    so that the same form sent twice changes nothing twice. `run_id`: the job that goes on with it."""

    id = uuid_key()
    user_id = belongs_to(User)
    action = text()
    run_id = UUID(null=True, default=None)
    outcomes = JSONB(null=False, default="[]")
    created_at = now()
