"""What a person sees of their own account."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from app import database
from app.domain.browsers import browser_name
from app.domain.readers import Reader


@dataclass(frozen=True, slots=True)
class AccountSettings:
    """An empty time zone means that of the organization."""

    name: str
    email: str
    time_zone: str
    theme: str
    has_second_factor: bool
    recovery_codes_left: int


@dataclass(frozen=True, slots=True)
class OwnSession:
    session_id: UUID
    browser: str
    address: str
    created_at: datetime
    last_seen_at: datetime
    is_this_one: bool


@dataclass(frozen=True, slots=True)
class Requirement:
    """Whether an organization makes its admins have a second factor."""

    organization_id: UUID
    organization: str
    is_required: bool


async def account(reader: Reader) -> AccountSettings:
    row = await database.fetchrow(
        """select coalesce(email, '') as email, coalesce(time_zone, '') as time_zone, theme,
               totp_confirmed_at is not null as has_second_factor,
               (select count(*) from recovery_codes c where c.user_id = u.id and c.used_at is null) as codes_left
           from users u where id = $1""",
        reader.user_id,
    )
    assert row
    return AccountSettings(
        reader.name, row["email"], row["time_zone"], row["theme"], row["has_second_factor"], row["codes_left"]
    )


async def sessions(reader: Reader, idle_timeout: timedelta) -> tuple[OwnSession, ...]:
    """Those that still work, the latest first."""
    rows = await database.fetch(
        """select id, user_agent, address, created_at, last_seen_at from sessions
           where user_id = $1 and second_factor_passed and expires_at > now() and last_seen_at > now() - $2::interval
           order by id <> $3, last_seen_at desc limit 100""",
        reader.user_id, idle_timeout, reader.session_id,
    )
    return tuple(
        OwnSession(
            row["id"], browser_name(row["user_agent"]), row["address"], row["created_at"], row["last_seen_at"],
            row["id"] == reader.session_id,
        )
        for row in rows
    )


async def requirements(reader: Reader) -> tuple[Requirement, ...]:
    """An admin's organizations; nobody else is asked."""
    if not reader.is_admin:
        return ()
    rows = await database.fetch(
        "select id, name, second_factor_required from organizations where id = any($1::uuid[]) order by name, id",
        list(reader.organization_ids),
    )
    return tuple(Requirement(row["id"], row["name"], row["second_factor_required"]) for row in rows)
