"""From the coaches' roster files to scores: the whole league over real HTTP, compared with the platform's truth."""

from typing import Any

from app import database
from app.services import onboarding, score_ingestion
from app.services.roster_import import import_roster
from tests.cast import make_organization
from tests.services.platform import Platform, claim_run


async def hire(coaches: list[dict[str, str]]) -> None:
    organization_id = await make_organization()
    for coach in coaches:
        await database.execute(
            """with coach as (
                   insert into users (email, first_name, last_name, display_name, role)
                   values ($2, $3, $4, $3, 'coach') returning id
               ) insert into organization_members (organization_id, user_id) select $1, id from coach""",
            organization_id, coach["email"], coach["first_name"], coach["last_name"],
        )


async def test_a_league_is_imported_onboarded_and_read_as_the_platform_has_it(platform: Platform) -> None:
    await platform.tell("/reset", {"league": True})
    league = await platform.hear("/league")
    await hire(league["coaches"])
    for email, text in league["rosters"].items():
        report = await import_roster(text.encode(), coach_email=email, dry_run=False, actor=None, actor_label="test")
        assert report.errors == () and report.created > 0
        again = await import_roster(text.encode(), coach_email=email, dry_run=False, actor=None, actor_label="test")
        assert again.unchanged == again.rows == report.rows
    claim = await claim_run("game_platform_onboarding")
    async with platform.client(claim) as client:
        counts = (await onboarding.onboard(claim, client)).as_counts()
        assert counts["failed"] == 0 and counts["added"] > 50
        result = await score_ingestion.sync(claim, client, batch_size=50)
    assert result.failed == 0
    await assert_equal_to_truth(await platform.hear("/truth"))


async def assert_equal_to_truth(truth: dict[str, dict[str, Any]]) -> None:
    rows = await database.fetch(
        """select c.game_platform_id, coalesce(t.total_score, 0) as points, count(s.id) as solves
           from competitors c left join game_platform_stats t on t.competitor_id = c.id
           left join game_platform_challenge_solves s on s.competitor_id = c.id
           where c.metactf_user_status = 'approved' group by 1, 2"""
    )
    assert len(rows) > 50
    for row in rows:
        told = truth[row["game_platform_id"]]
        contests = told["flash_ctfs"]
        points = told["total_points"] + sum(contest["points_earned"] for contest in contests)
        solves = told["total_challenges_solved"] + sum(contest["challenges_solved"] for contest in contests)
        assert (row["points"], row["solves"]) == (points, solves)
