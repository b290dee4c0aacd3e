"""When an organization's season rests."""

from uuid import UUID

from app import database
from app.domain.active_days import Break


async def breaks(organization_id: UUID) -> tuple[Break, ...]:
    rows = await database.fetch(
        """select first_day, last_day, name, id from calendar_breaks
           where organization_id = $1 order by first_day, last_day, id""",
        organization_id,
    )
    return tuple(Break(*row) for row in rows)
