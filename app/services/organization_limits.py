"""How much the people of an organization may ask for, as it is set now."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from app import database


@dataclass(frozen=True, slots=True)
class Limits:
    """Named as the columns are."""

    syncs_per_hour: int
    sync_pause_minutes: int
    password_mails_per_hour: int


async def of(organization_id: UUID) -> Limits:
    columns = ", ".join(Limits.__dataclass_fields__)
    row = await database.fetchrow(f"select {columns} from organizations where id = $1", organization_id)  # noqa: S608
    assert row
    return Limits(**row)


async def exports_per_hour(organization_ids: Sequence[UUID]) -> int:
    """Of somebody in several organizations: the largest."""
    most = await database.fetchval(
        "select max(exports_per_hour) from organizations where id = any($1::uuid[])", list(organization_ids)
    )
    return int(most or 0)
