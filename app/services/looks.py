"""Remembers when a reader last looked at an organization, so that the overview can tell what is new to them."""

from datetime import datetime
from uuid import UUID

from app import database
from app.domain.readers import Reader
from app.security import audit

# How the reader's people stand now goes along, because nobody else keeps it.
REMEMBER = """
    insert into looks as k (user_id, organization_id, seen_at, competitor_ids, ranks)
    select $1, $2, least($3::timestamptz, now()), coalesce(array_agg(s.competitor_id order by s.competitor_id), '{{}}'),
        coalesce(array_agg(s.rank order by s.competitor_id), '{{}}')
    from standings s join competitors c on c.id = s.competitor_id
        left join team_memberships m on m.competitor_id = c.id
    where s.organization_id = $2 and c.archived_at is null and {sight}
    on conflict (user_id, organization_id) do update set seen_at = greatest(k.seen_at, excluded.seen_at),
        competitor_ids = excluded.competitor_ids, ranks = excluded.ranks
    returning seen_at
"""


async def mark_seen(reader: Reader, organization_id: UUID, until: datetime) -> None:
    """`until` is what the page showed: whatever came after it is still new. Never back, and never ahead of now."""
    sight, values = reader.sight.condition("c.coach_id", "m.team_id", 4)
    async with database.transaction():
        seen_at = await database.fetchval(
            REMEMBER.format(sight=sight), reader.user_id, organization_id, until, *values
        )
        await audit.record(
            "overview_seen", actor=reader, subject_type="user", subject_id=reader.user_id,
            after={"seen_at": seen_at}, organization_id=organization_id,
        )
