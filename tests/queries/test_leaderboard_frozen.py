"""The leaderboard as it stood: what had been solved and stored by then, whatever came in later."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest_asyncio

from app import database
from app.domain.leaderboard import Sort, View
from app.queries import leaderboard as queries
from tests.cast import Cast, make_cast, make_competitor
from tests.league import ago, refresh, solve
from tests.readers import reader_for

Shown = list[tuple[int, str, int, int, int]]


@pytest_asyncio.fixture
async def cast() -> Cast:
    """Ada led two weeks ago with 300 to Bo's 100; today Bo leads with 600."""
    cast = await make_cast()
    ada = await make_competitor(cast.coach_a, "Ada Alder", team_id=cast.team_a)
    bo = await make_competitor(cast.coach_a, "Bo Birch", team_id=cast.team_a)
    await database.execute("update competitors set created_at = now() - interval '90 days'")
    for competitor_id, points, days in ((ada, 300, 30), (bo, 100, 20), (bo, 500, 3)):
        await solve(competitor_id, points, ago(days=days), category="OSINT" if points == 100 else "Forensics")
    await database.execute("update game_platform_challenge_solves set ingested_at = solved_at + interval '1 hour'")
    await refresh(cast.organization_id)
    return cast


def as_of(days: int) -> str:
    return (datetime.now(UTC) - timedelta(days=days)).isoformat()


async def shown(cast: Cast, view: View) -> Shown:
    reader = await reader_for(cast.coach_a)
    league = await queries.get_league(view, reader, cast.organization_id)
    view, _ = queries.understood(view, league, reader)
    page = await queries.get_page(view, reader.sight, league)
    return [(row.rank, row.first_name, row.points, row.change, row.steps_up) for row in page.rows]


async def test_the_past_has_its_own_ranks_and_says_what_happened_since(cast: Cast) -> None:
    assert await shown(cast, View(as_of=as_of(14))) == [(1, "Ada", 300, 0, -1), (2, "Bo", 100, 500, 1)]
    assert await shown(cast, View(as_of=as_of(25))) == [(1, "Ada", 300, 0, -1), (2, "Bo", 0, 600, 1)]


async def test_as_of_now_is_the_live_list(cast: Cast) -> None:
    live = await shown(cast, View())
    assert live == await shown(cast, View(as_of=as_of(-1)))
    just_now = await shown(cast, View(as_of=as_of(0)))
    assert [row[:3] for row in just_now] == [row[:3] for row in live]


async def test_a_solve_that_is_stored_later_does_not_change_the_past(cast: Cast) -> None:
    before = await shown(cast, View(as_of=as_of(14)))
    bo: UUID = await database.fetchval("select id from competitors where first_name = 'Bo'")
    await solve(bo, 1000, ago(days=60))
    await refresh(cast.organization_id)
    after = await shown(cast, View(as_of=as_of(14)))
    assert [row[:3] for row in after] == [row[:3] for row in before]


async def test_whoever_was_added_later_is_not_there_yet(cast: Cast) -> None:
    await make_competitor(cast.coach_a, "Nia New")
    await refresh(cast.organization_id)
    assert "Nia" in [row[1] for row in await shown(cast, View())]
    assert "Nia" not in [row[1] for row in await shown(cast, View(as_of=as_of(14)))]


async def test_filters_and_orders_hold_for_the_past(cast: Cast) -> None:
    past = View(as_of=as_of(14))
    assert [row[1] for row in await shown(cast, replace(past, search="birch"))] == ["Bo"]
    assert [row[:3] for row in await shown(cast, replace(past, category="OSINT"))] == [(1, "Bo", 100), (2, "Ada", 0)]
    by_change = replace(past, sort=Sort.CHANGE, is_descending=True)
    assert [row[1] for row in await shown(cast, by_change)] == ["Bo", "Ada"]
    reader = await reader_for(cast.coach_b)
    league = await queries.get_league(past, reader, cast.organization_id)
    assert (await queries.get_page(past, reader.sight, league)).rows == ()


async def test_pages_of_the_past_go_on_where_they_ended(cast: Cast) -> None:
    view, reader = View(as_of=as_of(14)), await reader_for(cast.coach_a)
    league = await queries.get_league(view, reader, cast.organization_id)
    first = await queries.get_page(view, reader.sight, league, size=1)
    second = await queries.get_page(replace(view, cursor=first.next), reader.sight, league, size=1)
    assert [page.rows[0].first_name for page in (first, second)] == ["Ada", "Bo"] and second.next is None
