"""The competitors' list and card see what their reader may see, in a stable order, whoever asks."""

from dataclasses import replace
from uuid import UUID, uuid4

import pytest

from app import database
from app.domain.competitor_list import View
from app.domain.readers import Sight
from app.queries import competitors as queries
from tests.cast import Cast, make_cast, make_competitor
from tests.league import refresh

EVERYBODY = Sight(sees_everyone=True)
NOBODY = Sight(coach_id=uuid4())
PEOPLE = 23


@pytest.fixture
async def cast() -> Cast:
    """Some are in the standings and some came after; names repeat."""
    cast = await make_cast()
    for number in range(PEOPLE):
        coach, team = (cast.coach_a, cast.team_a) if number % 3 else (cast.coach_b, cast.team_b)
        await make_competitor(coach, f"José Núñez{number % 4}", team_id=team if number % 2 else None)
        if number == 15:
            await refresh(cast.organization_id)
    return cast


async def ids(view: View, sight: Sight) -> list[UUID]:
    return [row.competitor_id for row in (await queries.get_page(view, sight, size=500)).rows]


@pytest.mark.parametrize("view", [View(), View(search="nunez1"), View(search="jo"), View(is_without_team=True)])
async def test_paging_shows_every_row_once_forwards_and_backwards(cast: Cast, view: View) -> None:
    whole = await ids(view, EVERYBODY)
    page = await queries.get_page(view, EVERYBODY, size=3)
    pages = [[row.competitor_id for row in page.rows]]
    while page.next:
        page = await queries.get_page(replace(view, cursor=page.next), EVERYBODY, size=3)
        pages.append([row.competitor_id for row in page.rows])
    assert [found for shown in pages for found in shown] == whole and len(set(whole)) == len(whole) > 3
    back = []
    while page.previous:
        page = await queries.get_page(replace(view, cursor=page.previous), EVERYBODY, size=3)
        back.append([row.competitor_id for row in page.rows])
    assert back == pages[-2::-1]


async def test_sight_comes_first(cast: Cast) -> None:
    mine, everybody = await ids(View(), Sight(coach_id=cast.coach_a.id)), await ids(View(), EVERYBODY)
    assert len(everybody) == PEOPLE and set(mine) < set(everybody)
    assert await ids(View(), NOBODY) == [] and await ids(View(team_id=cast.team_a), NOBODY) == []
    assistant = Sight(coach_id=uuid4(), assisted_team_ids=(cast.team_b,))
    assert await ids(View(), assistant) == await ids(View(team_id=cast.team_b), EVERYBODY)
    assert await queries.get_card(NOBODY, mine[0]) is None
    assert (await queries.get_teams(NOBODY, View(team_id=cast.team_a))).chosen is None
    card = await queries.get_card(Sight(coach_id=cast.coach_a.id), mine[0])
    assert card and card.coach == "Ada Alder" and card.has_account


async def test_the_archived_leave_the_list_and_keep_their_card(cast: Cast) -> None:
    someone = (await ids(View(), EVERYBODY))[0]
    await database.execute("update competitors set archived_at = now() where id = $1", someone)
    assert someone not in await ids(View(), EVERYBODY)
    card = await queries.get_card(EVERYBODY, someone)
    assert card and card.is_archived
