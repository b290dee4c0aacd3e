"""Coverage: the median of the known challenges, and who has solved at least that."""

import asyncio
from statistics import median

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app import database
from app.domain.readers import Sight
from app.queries import coverage
from tests.cast import Cast, make_cast, make_competitor, make_organization, make_user
from tests.league import ago, solve

EVERYBODY = Sight(sees_everyone=True)


@pytest.fixture
async def cast() -> Cast:
    return await make_cast()


async def test_medium_begins_at_the_median_of_the_challenges_that_somebody_has_solved(cast: Cast) -> None:
    ada = await make_competitor(cast.coach_a, "Ada Prime", team_id=cast.team_a)
    bea = await make_competitor(cast.coach_b, "Bea Prime", team_id=cast.team_b)
    for points in (100, 100, 300):
        await solve(ada, points, ago(days=1))
    for points in (100, 200, 400):
        await solve(bea, points, ago(days=1))
    await solve(ada, 50, ago(days=1), category="Forensics", source="flash_ctf")
    assert await coverage.thresholds(cast.organization_id) == {"Cryptography": 250, "Forensics": 50}
    assert await coverage.of_competitors(EVERYBODY, [ada, bea]) == {
        ada: {"Cryptography": 1, "Forensics": 1}, bea: {"Cryptography": 1},
    }


async def test_nobody_is_counted_whom_the_reader_may_not_see(cast: Cast) -> None:
    ada = await make_competitor(cast.coach_a, "Ada Prime", team_id=cast.team_a)
    bea = await make_competitor(cast.coach_b, "Bea Prime", team_id=cast.team_b)
    await solve(ada, 100, ago(days=1))
    await solve(bea, 100, ago(days=1))
    mine = Sight(coach_id=cast.coach_a.id)
    assert set(await coverage.of_competitors(mine, [ada, bea])) == {ada}
    assert set(await coverage.of_teams(mine, [cast.team_a, cast.team_b])) == {ada}
    assisting = Sight(coach_id=cast.coach_a.id, assisted_team_ids=(cast.team_b,))
    assert set(await coverage.of_teams(assisting, [cast.team_a, cast.team_b])) == {ada, bea}


async def test_each_organization_is_measured_by_its_own_challenges(cast: Cast) -> None:
    other = await make_organization("Southern League")
    stranger = await make_competitor(await make_user(other, "coach", "Cora Cedar"), "Cyd Prime")
    ada = await make_competitor(cast.coach_a, "Ada Prime")
    await solve(ada, 100, ago(days=1))
    await solve(stranger, 500, ago(days=1))
    assert (await coverage.thresholds(cast.organization_id), await coverage.thresholds(other)) == (
        {"Cryptography": 100}, {"Cryptography": 500},
    )
    assert set(await coverage.of_competitors(EVERYBODY, [ada, stranger])) == {ada, stranger}


async def test_a_category_without_a_name_is_other_and_no_solve_is_no_row(cast: Cast) -> None:
    ada = await make_competitor(cast.coach_a, "Ada Prime")
    await solve(ada, 100, ago(days=1), category="")
    assert await coverage.of_competitors(EVERYBODY, [ada]) == {ada: {"Other": 1}}
    assert await coverage.of_competitors(EVERYBODY, []) == {}


async def test_two_who_bring_the_same_new_challenges_at_once_bring_each_of_them_once(cast: Cast) -> None:
    people = [await make_competitor(cast.coach_a, f"Ada {number}") for number in range(4)]

    async def bring(turn: int) -> None:
        async with database.transaction():
            for points in sorted((100, 200, 300), reverse=bool(turn % 2)):
                await solve(people[turn], points, ago(days=1))

    await asyncio.gather(*(bring(turn) for turn in range(4)))
    assert await database.fetchval("select count(*) from known_challenges") == 3


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(worths=st.lists(st.integers(1, 1000), min_size=1, max_size=12))
async def test_the_counts_are_the_solves_of_at_least_the_median(cast: Cast, worths: list[int]) -> None:
    await database.execute("truncate known_challenges")
    ada = await make_competitor(cast.coach_a, "Ada Prime")
    for points in worths:
        await solve(ada, points, ago(days=1))
    medium = median(set(worths))
    assert await coverage.thresholds(cast.organization_id) == {"Cryptography": medium}
    assert await coverage.of_competitors(EVERYBODY, [ada]) == {
        ada: {"Cryptography": sum(points >= medium for points in worths)}
    }
