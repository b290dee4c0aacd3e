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
    competitors: int


_SELECT = """
    select o.id as organization_id, o.name, o.time_zone, o.school_year_starts_month, o.second_factor_required,
        o.onboarding_status, o.automatic_onboarding,
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


def _organization(row: asyncpg.Record) -> Organization:
    return Organization(**row)
