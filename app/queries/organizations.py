"""Organizations and what is set for them, as their admins see them."""

from dataclasses import dataclass
from uuid import UUID

import asyncpg

from app import database
from app.domain.readers import Reader


@dataclass(frozen=True, slots=True)
class Organization:
    organization_id: UUID
    name: str
    time_zone: str
    school_year_starts_month: int
    second_factor_required: bool
    onboarding_status: str
    automatic_onboarding: bool
    active_look_minutes: int
    moderate_look_minutes: int
    idle_look_minutes: int
    syncs_per_hour: int
    sync_pause_minutes: int
    additions_at_once: int
    password_mails_per_hour: int
    exports_per_hour: int
    competitors: int


_SELECT = """
    select o.id as organization_id, o.name, o.time_zone, o.school_year_starts_month, o.second_factor_required,
        o.onboarding_status, o.automatic_onboarding, o.active_look_minutes, o.moderate_look_minutes,
        o.idle_look_minutes, o.syncs_per_hour, o.sync_pause_minutes, o.additions_at_once, o.password_mails_per_hour,
        o.exports_per_hour,
        (select count(*) from competitors c where c.organization_id = o.id and c.archived_at is null) as competitors
    from organizations o where o.id = any($1::uuid[])
"""


async def list_organizations(reader: Reader) -> tuple[Organization, ...]:
    rows = await database.fetch(f"{_SELECT} order by o.name, o.id", list(reader.organization_ids))
    return tuple(_organization(row) for row in rows)


async def get_organization(reader: Reader, organization_id: UUID) -> Organization | None:
    """None also where it is not the reader's."""
    row = await database.fetchrow(f"{_SELECT} and o.id = $2", list(reader.organization_ids), organization_id)
    return None if row is None else _organization(row)


async def get_promises() -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The tightest and the loosest of all organizations, in minutes by tier."""
    tiers = ("active_look_minutes", "moderate_look_minutes", "idle_look_minutes")
    columns = [f"{each}({tier})" for each in ("min", "max") for tier in tiers]
    row = await database.fetchrow(f"select {', '.join(columns)} from organizations having count(*) > 0")  # noqa: S608
    found = tuple(row) if row else (30, 120, 480) * 2
    return found[:3], found[3:]


def _organization(row: asyncpg.Record) -> Organization:
    return Organization(**row)
