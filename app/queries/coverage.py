"""Who has solved what at medium or above: at least the median points of the category's known challenges."""

from collections import defaultdict
from collections.abc import Sequence
from uuid import UUID

from app import database
from app.domain.readers import Sight
from app.queries.keyset import Arguments

Counts = dict[str, int]

# The categories of every organization, and from how many points on a challenge of theirs is medium or above.
THRESHOLDS = """
    select organization_id, category, percentile_cont(0.5) within group (order by points) as points
    from known_challenges group by organization_id, category
"""


async def thresholds(organization_id: UUID) -> dict[str, float]:
    """By category; one of which nobody has solved anything yet has none."""
    rows = await database.fetch(f"select * from ({THRESHOLDS}) t where organization_id = $1", organization_id)  # noqa: S608
    return {row["category"]: row["points"] for row in rows}


async def of_competitors(sight: Sight, competitor_ids: Sequence[UUID]) -> dict[UUID, Counts]:
    """How many challenges each has solved at medium or above, by category. Whoever has none is not in it."""
    arguments = Arguments()
    return await _counts(f"c.id = any({arguments.add(list(competitor_ids))}::uuid[])", sight, arguments)


async def of_teams(sight: Sight, team_ids: Sequence[UUID]) -> dict[UUID, Counts]:
    """The same for everybody on these teams."""
    arguments = Arguments()
    return await _counts(f"m.team_id = any({arguments.add(list(team_ids))}::uuid[])", sight, arguments)


async def _counts(people: str, sight: Sight, arguments: Arguments) -> dict[UUID, Counts]:
    rows = await database.fetch(
        f"""with medium as materialized ({THRESHOLDS})
            select c.id, medium.category, count(*)::int as solves
            from competitors c left join team_memberships m on m.competitor_id = c.id
                join game_platform_challenge_solves v on v.competitor_id = c.id
                join medium on medium.organization_id = c.organization_id
                    and medium.category = coalesce(nullif(v.category, ''), 'Other')
                    and v.challenge_points >= medium.points
            where {people} and {arguments.sight(sight, "c.coach_id", "m.team_id")}
            group by c.id, medium.category""",  # noqa: S608
        *arguments.values,
    )
    found: dict[UUID, Counts] = defaultdict(dict)
    for row in rows:
        found[row["id"]][row["category"]] = row["solves"]
    return dict(found)
