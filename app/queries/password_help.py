"""The last password mail that was asked for somebody, for the card."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from app import database
from app.domain.readers import Sight


@dataclass(frozen=True, slots=True)
class LastMail:
    """`message` is empty while the platform is being asked."""

    state: str
    message: str
    asked_at: datetime


async def last_mail(sight: Sight, competitor_id: UUID) -> LastMail | None:
    condition, arguments = sight.condition("c.coach_id", "m.team_id", 2)
    row = await database.fetchrow(
        f"""select r.state, coalesce(r.message, '') as message, r.asked_at
            from password_help_requests r join competitors c on c.id = r.competitor_id
                left join team_memberships m on m.competitor_id = c.id
            where r.competitor_id = $1 and {condition} order by r.asked_at desc limit 1""",  # noqa: S608
        competitor_id, *arguments,
    )
    return None if row is None else LastMail(**row)
