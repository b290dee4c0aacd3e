"""Whatever both sides look like, a reconcile, a click on every row and a drain end with both sides equal."""

from uuid import UUID

import pytest_asyncio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app import database
from app.services.reconcile import accept_theirs, push_ours
from tests.cast import Person
from tests.services.platform import Platform
from tests.services.rosters import Rosters, as_coach, drain, look, make_rosters

PEOPLE = ("r1", "r2", "b1", "b2", "free")
TEAMS = st.sampled_from([None, "Red", "Blue"])
WORLDS = st.fixed_dictionaries({name: st.tuples(TEAMS, TEAMS, st.booleans()) for name in PEOPLE})

World = dict[str, tuple[str | None, str | None, bool]]


@pytest_asyncio.fixture
async def rosters(platform: Platform, coach: Person) -> Rosters:
    return await make_rosters(platform, coach)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(world=WORLDS)
async def test_every_difference_is_a_row_and_after_the_clicks_there_is_none(
    rosters: Rosters, platform: Platform, world: World
) -> None:
    """The people stay from one world to the next; only their teams change."""
    for name, (here, there, _) in world.items():
        await rosters.put_here(name, here)
        await rosters.put_there(name, there)
    different = {name for name, (here, there, _) in world.items() if here != there}
    assert (await look(platform)).drift == len(different)
    rows = await database.fetch("select id, competitor_id from drift where state = 'open'")
    names = {competitor_id: name for name, competitor_id in rosters.people.items()}
    assert {names[row["competitor_id"]] for row in rows} == different
    for row in rows:
        await _click(rosters, row["id"], is_push=world[names[row["competitor_id"]]][2])
    await drain(platform)
    assert (await look(platform)).drift == 0
    wanted = {
        rosters.accounts[name]: str(rosters.teams[team])
        for name, (here, there, is_push) in world.items() if (team := here if is_push else there)
    }
    assert await rosters.here() == wanted == await rosters.there()


async def _click(rosters: Rosters, row_id: UUID, *, is_push: bool) -> None:
    reader = as_coach(rosters.coach)
    await (push_ours if is_push else accept_theirs)(reader, row_id)
