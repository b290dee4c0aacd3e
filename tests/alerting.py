"""People with accounts that stand well or not, and one evaluation of the alerts."""

from uuid import UUID

from app import database
from app.services import alerts
from app.services.alerts import Evaluated
from tests.cast import Person, make_competitor
from tests.services.platform import claim_run

DAY = 86_400


async def make_player(
    coach: Person, name: str, *, team_id: UUID | None = None, accessed_days: float | None = 1,
    solved_days: float | None = 1, looked_hours: float = 1,
) -> UUID:
    """Somebody with an approved account of 60 days, who was there and solved something so many days ago."""
    competitor_id = await make_competitor(coach, name, team_id=team_id)
    await database.execute(
        """update competitors set game_platform_synced_at = now() - interval '60 days',
               created_at = now() - interval '90 days' where id = $1""",
        competitor_id,
    )
    await database.execute(
        """update game_platform_sync_state set last_success_at = now() - make_interval(secs => $2),
               last_remote_accessed_at = now() - make_interval(secs => $3) where competitor_id = $1""",
        competitor_id, looked_hours * 3600, None if accessed_days is None else accessed_days * DAY,
    )
    await database.execute(
        """insert into game_platform_stats (competitor_id, last_solved_at)
           values ($1, now() - make_interval(secs => $2))""",
        competitor_id, None if solved_days is None else solved_days * DAY,
    )
    return competitor_id


async def play(competitor_id: UUID, *, days: float = 0) -> None:
    await database.execute(
        "update game_platform_stats set last_solved_at = now() - make_interval(secs => $2) where competitor_id = $1",
        competitor_id, days * DAY,
    )
    await database.execute(
        """update game_platform_sync_state set last_remote_accessed_at = now() - make_interval(secs => $2)
           where competitor_id = $1""",
        competitor_id, days * DAY,
    )


async def evaluate() -> Evaluated:
    return await alerts.evaluate(await claim_run("alerts_evaluate"))


async def alert_of(competitor_id: UUID, rule: str) -> dict[str, object]:
    row = await database.fetchrow("select * from alerts where competitor_id = $1 and rule = $2", competitor_id, rule)
    assert row, f"no alert {rule}"
    return dict(row)
