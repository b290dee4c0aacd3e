"""People who sign in or are known to a vendor, their organizations, and how they prove who they are."""

from enum import StrEnum

from piccolo.columns import BigInt, Boolean, Integer, SmallInt, Varchar
from piccolo.constraints import Check, Unique
from piccolo.table import Table

from app.tables.columns import (
    belongs_to,
    now,
    number_key,
    one_of,
    optional_text,
    text,
    uuid_key,
    when,
)


class Role(StrEnum):
    ADMIN = "admin"
    COACH = "coach"
    PLAYER = "player"


class Membership(StrEnum):
    MEMBER = "member"
    ORGANIZER = "organizer"


class Theme(StrEnum):
    SYSTEM = "system"
    LIGHT = "light"
    DARK = "dark"


class OnboardingStatus(StrEnum):
    """From which status on an organization's competitors may be added to the Game Platform."""

    COMPLIANCE = "compliance"
    PROFILE = "profile"


class LinkPurpose(StrEnum):
    SET_PASSWORD = "set_password"  # noqa: S105 (the name of a purpose)


class Organization(Table, tablename="organizations"):
    id = uuid_key()
    name = text()
    time_zone = Varchar(null=False, default="UTC")
    school_year_starts_month = Integer(null=False, default=8)
    second_factor_required = Boolean(null=False, default=False)
    onboarding_status = Varchar(null=False, default="compliance")
    automatic_onboarding = Boolean(null=False, default=True)
    active_look_minutes = SmallInt(null=False, default=30)
    moderate_look_minutes = SmallInt(null=False, default=120)
    idle_look_minutes = SmallInt(null=False, default=480)
    syncs_per_hour = SmallInt(null=False, default=10)
    sync_pause_minutes = SmallInt(null=False, default=5)
    additions_at_once = SmallInt(null=False, default=200)
    password_mails_per_hour = SmallInt(null=False, default=20)
    exports_per_hour = SmallInt(null=False, default=600)
    created_at = now()

    organizations_name_key = Unique(["name"])
    organizations_onboarding_status_check = Check(one_of("onboarding_status", OnboardingStatus))
    organizations_promises_check = Check(
        "active_look_minutes between 5 and 30 and moderate_look_minutes between active_look_minutes and 120"
        " and idle_look_minutes between moderate_look_minutes and 480"
    )
    organizations_limits_check = Check(
        "syncs_per_hour between 1 and 100 and sync_pause_minutes between 1 and 60"
        " and additions_at_once between 1 and 200 and password_mails_per_hour between 1 and 100"
        " and exports_per_hour between 10 and 1200"
    )


class User(Table, tablename="users"):
    """Somebody who signs in, or a placeholder for somebody a vendor or a roster named."""

    id = uuid_key()
    email = optional_text()
    username = optional_text()
    display_name = text()
    first_name = text()
    last_name = text()
    role = Varchar(null=False, default="player")
    is_placeholder = Boolean(null=False, default=False)
    password_hash = optional_text(secret=True)
    totp_secret = optional_text(secret=True)
    totp_confirmed_at = when()
    totp_last_step = BigInt(null=False, default=0)
    time_zone = Varchar(null=True, default=None)
    theme = Varchar(null=False, default="system")
    disabled_at = when()
    created_at = now()
    discord_id = optional_text()
    startgg_gamer_tag = optional_text()
    racetime_id = optional_text()
    game_platform_id = optional_text(unique=True)
    metactf_user_id = optional_text()
    metactf_user_status = optional_text()
    game_platform_synced_at = when()
    game_platform_sync_error = optional_text()

    users_role_check = Check(one_of("role", Role))
    users_theme_check = Check(one_of("theme", Theme))
    users_discord_id_key = Unique(["discord_id"])


class OrganizationMember(Table, tablename="organization_members"):
    id = uuid_key()
    organization_id = belongs_to(Organization)
    user_id = belongs_to(User)
    role = Varchar(null=False, default="member")
    created_at = now()

    organization_members_user_key = Unique(["organization_id", "user_id"])
    organization_members_role_check = Check(one_of("role", Membership))


class Session(Table, tablename="sessions"):
    """One browser that signed in. Only the token's SHA-256 is kept."""

    id = uuid_key()
    token_hash = Varchar(length=64, null=False, unique=True)
    user_id = belongs_to(User)
    created_at = now()
    last_seen_at = now()
    expires_at = now()
    second_factor_passed = Boolean(null=False, default=False)
    is_presenting = Boolean(null=False, default=False)
    address = text()
    user_agent = text()


class OneTimeLink(Table, tablename="one_time_links"):
    """A link that sets a password once. Only the token's SHA-256 is kept."""

    token_hash = Varchar(length=64, primary_key=True)
    user_id = belongs_to(User)
    purpose = Varchar(null=False, default="set_password")
    created_at = now()
    expires_at = now()
    used_at = when()


class RecoveryCode(Table, tablename="recovery_codes"):
    id = uuid_key()
    user_id = belongs_to(User)
    code_hash = Varchar(length=64, null=False)
    used_at = when()


class SignInAttempt(Table, tablename="sign_in_attempts"):
    """What throttling counts: rows, so that every process and every restart sees the same."""

    id = number_key()
    at = now()
    subject = Varchar(length=64, null=False)
    address = Varchar(length=64, null=False)
    kind = Varchar(null=False, default="password")
    succeeded = Boolean(null=False, default=False)
