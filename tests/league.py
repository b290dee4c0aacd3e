"""A small league with scores, written straight into the tables, and its standings computed."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from app import database
from app.services import standings


def ago(*, days: float = 0, hours: float = 0) -> datetime:
    return datetime.now(UTC) - timedelta(days=days, hours=hours)


async def solve(
    competitor_id: UUID, points: int, at: datetime, *, category: str = "Cryptography", source: str = "odl"
) -> None:
    """One more stored solve, and totals that agree with it. A challenge is known by its category and points."""
    await database.execute(
        """insert into game_platform_challenge_solves (competitor_id, syned_user_id, challenge_solve_id, challenge_id,
               category, challenge_points, solved_at, source, event_id)
           values ($1::uuid, $1::uuid::text, gen_random_uuid()::text, $2, $3, $4, $5, $6, $7)""",
        competitor_id, f"{category} {points}", category, points, at, source, "" if source == "odl" else "flash",
    )
    await database.execute(
        """insert into game_platform_stats (competitor_id, challenges_completed, total_score, last_solved_at)
           select competitor_id, count(*), sum(challenge_points), max(solved_at)
           from game_platform_challenge_solves where competitor_id = $1 group by 1
           on conflict (competitor_id) do update set challenges_completed = excluded.challenges_completed,
               total_score = excluded.total_score, last_solved_at = excluded.last_solved_at""",
        competitor_id,
    )


async def refresh(organization_id: UUID) -> None:
    async with database.transaction():
        await standings.mark_stale(organization_id)
    assert await standings.refresh_stale() == 1


async def standing(competitor_id: UUID, columns: str = "rank") -> tuple[object, ...]:
    row = await database.fetchrow(f"select {columns} from standings where competitor_id = $1", competitor_id)
    assert row, "no standing"
    return tuple(row)
