"""Somebody with a history: half a year of solves, read a moment ago, and a team large enough to compare with."""

import random
from uuid import UUID

from app import database
from tests.cast import Cast, make_competitor
from tests.league import ago, refresh, solve

CATEGORIES = ("Cryptography", "OSINT", "Forensics", "Web Exploitation")
SOLVES = 60


async def make_history(cast: Cast, name: str = "Ada Prime") -> UUID:
    """The same at every run but for the day it ends on. Five more are on the team."""
    competitor_id = await make_competitor(cast.coach_a, name, team_id=cast.team_a)
    await database.execute(
        "update competitors set metactf_username = 'aa10001', created_at = $2 where id = $1",
        competitor_id, ago(days=300),
    )
    chance = random.Random(7)
    for number in range(SOLVES):
        source = "odl" if number % 6 else "flash_ctf"
        points, category = 10 * chance.randrange(1, 30), chance.choice(CATEGORIES)
        await solve(competitor_id, points, ago(days=chance.random() * 200), category=category, source=source)
    await database.execute(
        """update game_platform_challenge_solves set challenge_title = 'Puzzle ' || challenge_id,
               raw_payload = jsonb_build_object('nist_nice_work_roles', jsonb_build_array('Analyst ' || category))"""
    )
    await database.execute(
        """update game_platform_stats s set odl_points = n.odl_points, odl_challenges = n.odl_challenges,
               flash_ctf_points = total_score - n.odl_points,
               monthly_ctf_challenges = challenges_completed - n.odl_challenges
           from (select sum(challenge_points) as odl_points, count(*) as odl_challenges
               from game_platform_challenge_solves where source = 'odl' and competitor_id = $1) n
           where s.competitor_id = $1""",
        competitor_id,
    )
    for number in range(5):
        mate = await make_competitor(cast.coach_a, f"Mate Number{number}", team_id=cast.team_a)
        await solve(mate, 100 * number, ago(days=number))
    await read_now()
    await refresh(cast.organization_id)
    return competitor_id


async def read_now() -> None:
    await database.execute(
        """update game_platform_sync_state set last_success_at = now(), last_result = 'success',
               last_flash_ctf_synced_at = now()"""
    )
