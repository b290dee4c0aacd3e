"""What admins have set at the switches, by whom and when."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from app import database


@dataclass(frozen=True, slots=True)
class Setting:
    """Without an organization it is for all. `changed_by` is empty where it was set on the command line."""

    name: str
    organization_id: UUID | None
    organization: str
    enabled: bool
    changed_by: str
    changed_at: datetime


async def list_settings() -> tuple[Setting, ...]:
    rows = await database.fetch(
        """select f.name, f.organization_id, coalesce(o.name, '') as organization, f.enabled,
               coalesce(u.display_name, '') as changed_by, f.changed_at
           from feature_flags f
           left join organizations o on o.id = f.organization_id
           left join users u on u.id = f.changed_by
           order by f.name, o.name, f.organization_id"""
    )
    return tuple(Setting(**row) for row in rows)


async def list_organizations() -> list[tuple[UUID, str]]:
    rows = await database.fetch("select id, name from organizations order by name, id")
    return [(row["id"], row["name"]) for row in rows]
