"""The platform is down for six hours; then one cycle of the schedules makes everything fresh again, without a hand."""

from uuid import UUID

from app import database
from app.jobs import runner
from app.jobs.tasks import TASKS
from app.services import job_runs, schedules, teams
from tests.cast import Person, make_competitor
from tests.clock import hours_go_by
from tests.faults.stage import coach, connected, platform, sandbox_process
from tests.services.platform import Platform
from tests.services.rosters import Rosters, as_coach, make_rosters

__all__ = ["coach", "connected", "platform", "sandbox_process"]

CYCLE_HOURS = 0.5
CYCLES_OF_THE_OUTAGE = 12
TICKS_PER_CYCLE = 6


async def tick(hours: float = CYCLE_HOURS) -> None:
    """So much later what is due starts, and what waits is done, as workers do it."""
    await hours_go_by(hours)
    await schedules.tick()
    for run in await job_runs.due_runs(TASKS, 20):
        await runner.run(run.run_id, "a worker")


async def test_after_six_hours_without_the_platform_one_cycle_makes_everything_fresh(
    connected: Platform, coach: Person
) -> None:
    await schedules.ensure_built_ins()
    rosters = await make_rosters(connected, coach)
    for account in rosters.accounts.values():
        await connected.solve(account)  # whoever plays is looked at more often than every six hours
    await tick()
    await connected.fail(kind="server_error")
    newcomer = await edit_during_the_outage(connected, rosters)
    for _ in range(CYCLES_OF_THE_OUTAGE):
        await tick()
    assert await rosters_there(connected) != await rosters_here()
    await connected.control.delete("/faults")
    for _ in range(TICKS_PER_CYCLE):
        await tick(CYCLE_HOURS / TICKS_PER_CYCLE)
    await assert_everything_is_fresh(connected, newcomer)
    assert await rosters_there(connected) == await rosters_here()


async def edit_during_the_outage(platform: Platform, rosters: Rosters) -> UUID:
    """A coach goes on working, the players go on playing, and somebody's papers arrive."""
    reader = as_coach(rosters.coach)
    await teams.add_member(reader, rosters.teams["Red"], rosters.people["free"])
    await teams.remove_member(reader, rosters.teams["Blue"], rosters.people["b1"])
    for name in ("r1", "b2"):
        await platform.solve(rosters.accounts[name])
    return await make_competitor(rosters.coach, "New Comer", team_id=rosters.teams["Blue"], status="compliance")


async def rosters_here() -> dict[str, str]:
    rows = await database.fetch(
        """select c.game_platform_id, coalesce(t.game_platform_id, t.id::text) as team from team_memberships m
           join competitors c on c.id = m.competitor_id join teams t on t.id = m.team_id"""
    )
    return {row["game_platform_id"]: row["team"] for row in rows}


async def rosters_there(platform: Platform) -> dict[str, str]:
    """By the side door, which is open while the platform is down."""
    rosters = await platform.hear("/rosters")
    return {member: team for team, told in rosters.items() for member in told["members"]}


async def assert_everything_is_fresh(platform: Platform, newcomer: UUID) -> None:
    assert await database.fetchval("select metactf_user_status from competitors where id = $1", newcomer) == "approved"
    stale = await database.fetchval(
        """select count(*) from game_platform_sync_state
           where last_success_at is null or last_success_at < now() - interval '31 minutes'"""
    )
    assert stale == 0
    truth = await platform.hear("/truth")
    points = await database.fetch(
        """select c.game_platform_id, coalesce(s.total_score, 0) as points from competitors c
           left join game_platform_stats s on s.competitor_id = c.id"""
    )
    assert {row["game_platform_id"]: row["points"] for row in points} == {
        row["game_platform_id"]: truth[row["game_platform_id"]]["total_points"] for row in points
    }
    assert await database.fetchval("select count(*) from outbox where state in ('waiting', 'parked')") == 0
