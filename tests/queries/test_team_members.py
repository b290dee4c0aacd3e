"""A team's members with their numbers, what they cover, and the same sums as on the team's tile."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app import database
from app.domain.readers import Sight
from app.domain.scopes import Scope
from app.domain.team_list import View
from app.queries import team_members, team_tiles
from tests.cast import Cast, make_cast, make_competitor
from tests.league import ago, solve
from tests.queries.test_team_matrix import frame_of

EVERYBODY = Sight(sees_everyone=True)
NOBODY = Sight(coach_id=uuid4())


@pytest.fixture
async def cast() -> Cast:
    return await make_cast()


async def test_each_member_has_the_window_the_one_before_and_what_they_cover(cast: Cast) -> None:
    ada = await make_competitor(cast.coach_a, "Ada Prime", team_id=cast.team_a)
    await make_competitor(cast.coach_a, "Zoe Zero", team_id=cast.team_a)
    gone = await make_competitor(cast.coach_a, "Long Gone", team_id=cast.team_a)
    await database.execute("update competitors set archived_at = now() where id = $1", gone)
    await solve(ada, 100, ago(days=1))
    await solve(ada, 300, ago(days=2), category="Forensics")
    await solve(ada, 50, ago(days=10))
    await solve(ada, 70, ago(days=40))
    span = await team_members.span(cast.organization_id, Scope(window="7"))
    first, second = await team_members.get_members(EVERYBODY, cast.team_a, span)
    assert (first.name, first.points, first.gain, first.gain_before, first.solves, first.days) == (
        "Ada Prime", 520, 400, 50, 2, 2,
    )
    assert first.is_active and first.covers == {"Cryptography": 2, "Forensics": 1}
    assert (second.points, second.is_active, second.last_active_at, second.covers) == (0, False, None, {})
    assert await team_members.get_members(NOBODY, cast.team_a, span) == ()


async def test_opening_the_platform_is_activity_too(cast: Cast) -> None:
    ada = await make_competitor(cast.coach_a, "Ada Prime", team_id=cast.team_a)
    await database.execute(
        "update game_platform_sync_state set last_remote_accessed_at = $2 where competitor_id = $1", ada, ago(days=3)
    )
    for window, is_active in (("7", True), ("30", True)):
        span = await team_members.span(cast.organization_id, Scope(window=window))
        [member] = await team_members.get_members(EVERYBODY, cast.team_a, span)
        assert member.is_active is is_active
    long_ago = Scope(window="custom", first_day=datetime(2026, 1, 1, tzinfo=UTC).date(), last_day=ago(days=9).date())
    [member] = await team_members.get_members(
        EVERYBODY, cast.team_a, await team_members.span(cast.organization_id, long_ago)
    )
    assert not member.is_active


async def test_a_tile_says_the_same_as_its_members_together(cast: Cast) -> None:
    for number in range(3):
        person = await make_competitor(cast.coach_a, f"Ada {number}", team_id=cast.team_a)
        for days in (1, 5, 20, 40, 59, 100):
            await solve(person, 10 * days + number, ago(days=days), category=("OSINT", "Social")[number % 2])
    await database.execute("update game_platform_sync_state set last_success_at = now() - interval '9 hours'")
    frame = await frame_of(cast.coach_a)
    page = await team_tiles.get_page(View(), frame)
    [tile] = page.tiles
    members = await team_members.get_members(EVERYBODY, cast.team_a, team_tiles.span_of(frame))
    assert tile.numbers == team_members.added_up(members)
    assert {cell.category: cell.members for cell in tile.cells if cell.members} == {"OSINT": 2, "Social": 1}
    assert page.age.is_late and page.matrix.rows[0].cells == tile.cells


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    solves=st.lists(st.tuples(st.integers(0, 2), st.integers(0, 70), st.integers(1, 500)), max_size=15),
    window=st.sampled_from(["7", "14", "30"]),
)
async def test_for_any_solves_members_and_tile_are_what_was_solved(
    cast: Cast, solves: list[tuple[int, int, int]], window: str
) -> None:
    await database.execute("delete from competitors")
    people = [await make_competitor(cast.coach_a, f"Ada {number}", team_id=cast.team_a) for number in range(3)]
    for who, days, points in solves:
        await solve(people[who], points, ago(days=days))
    frame = await frame_of(cast.coach_a, scope=Scope(window=window))
    first = frame.window.first_day
    ages = [((first - ago(days=days).date()).days, points) for _, days, points in solves]
    [tile] = (await team_tiles.get_page(View(scope=frame.scope), frame)).tiles
    assert tile.numbers.points == sum(points for _, points in ages) and tile.numbers.challenges == len(solves)
    assert tile.numbers.gain == sum(points for age, points in ages if age <= 0)
    assert tile.numbers.gain_before == sum(points for age, points in ages if 0 < age <= int(window))
    members = await team_members.get_members(EVERYBODY, cast.team_a, team_tiles.span_of(frame))
    assert tile.numbers == team_members.added_up(members)
