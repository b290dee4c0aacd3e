"""Where the vendor's totals are not what the stored solves add up to."""

from collections.abc import Sequence
from uuid import UUID

from app import database
from app.domain.drift import TOTALS_FIELDS, Comparison, Difference, Subject
from app.services import drift_rows

# Whoever could not be read to the end is not compared.
TOTALS = """
    select c.id, c.organization_id, t.challenges_completed as challenges, t.total_score as points,
        s.challenges as stored_challenges, s.points as stored_points
    from competitors c
    join game_platform_stats t on t.competitor_id = c.id
    join game_platform_sync_state y on y.competitor_id = c.id
    cross join lateral (
        select count(*) as challenges, coalesce(sum(challenge_points), 0) as points
        from game_platform_challenge_solves where competitor_id = c.id
    ) s
    where c.id = any($1::uuid[]) and c.archived_at is null and y.last_result = 'success' and not y.needs_totals_refresh
"""

SUSPECTED = """
    select s.competitor_id from game_platform_sync_state s join competitors c on c.id = s.competitor_id
    where s.recounted_total is not null and ($1::uuid[] is null or c.organization_id = any($1))
    union
    select d.competitor_id from drift d
    where d.state <> 'resolved' and d.field = any($2) and ($1::uuid[] is null or d.organization_id = any($1))
"""


async def note(competitor_ids: Sequence[UUID]) -> None:
    """In the transaction that stored their scores."""
    comparison = Comparison()
    await compare(comparison, competitor_ids)
    await drift_rows.store(comparison, await drift_rows.unresolved())


async def suspected(organization_ids: Sequence[UUID] | None) -> list[UUID]:
    """Whose totals a full read could not explain, or did not agree before."""
    return [row["competitor_id"] for row in await database.fetch(SUSPECTED, organization_ids, list(TOTALS_FIELDS))]


async def compare(comparison: Comparison, competitor_ids: Sequence[UUID]) -> None:
    for row in await database.fetch(TOTALS, list(competitor_ids)):
        for field in TOTALS_FIELDS:
            comparison.put(Difference(
                Subject.COMPETITOR, str(row["id"]), field, str(row[f"stored_{field}"]), str(row[field]), row["id"],
                row["organization_id"],
            ))
