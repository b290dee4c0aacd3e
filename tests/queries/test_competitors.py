"""The competitors' list and card see what their reader may see, in a stable order, whoever asks."""

import random
from dataclasses import replace
from uuid import UUID, uuid4

import pytest

from app import database
from app.domain.competitor_list import MISSING, View
from app.domain.readers import Sight
from app.queries import competitors as queries
from app.queries.funnel import get_funnel
from tests.cast import Cast, make_cast, make_competitor
from tests.league import refresh
from tests.services.team_pushes import reader_of

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


@pytest.mark.parametrize("view", [
    View(), View(search="nunez1"), View(search="jo"), View(is_without_team=True), View(sort="stage"),
])
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
    reader = reader_of(cast.coach_b)
    assert (await queries.get_choices(reader, View(team_id=cast.team_a))).team is None
    assert (await queries.get_choices(reader, View(team_id=cast.team_b))).team == "Backdoor"
    card = await queries.get_card(Sight(coach_id=cast.coach_a.id), mine[0])
    assert card and card.coach == "Ada Alder" and card.has_account


async def test_the_archived_leave_the_list_and_keep_their_card(cast: Cast) -> None:
    someone = (await ids(View(), EVERYBODY))[0]
    await database.execute("update competitors set archived_at = now() where id = $1", someone)
    assert someone not in await ids(View(), EVERYBODY)
    card = await queries.get_card(EVERYBODY, someone)
    assert card and card.is_archived


async def test_what_is_missing_is_told_by_the_database_as_by_the_rule(cast: Cast) -> None:
    """Every combination of what a status is made of, twice a word of its own: for the list and for the filter."""
    await database.execute(
        """insert into competitors (organization_id, coach_id, first_name, last_name, email, division, release_signed,
               agreement_signed, data_consent, game_platform_id, metactf_user_status)
           select $1, coach, first, last, mail, division, release, agreement, consent,
               case when account is not null then gen_random_uuid()::text end, account
           from unnest(array[$2::uuid, null]) coach, unnest(array['', 'Ada']) first, unnest(array['', 'Alder']) last,
               unnest(array[null, '', 'a@example.org']) mail, unnest(array[null, 'college', 'high_school']) division,
               unnest(array[true, false]) release, unnest(array[true, false]) agreement,
               unnest(array[true, false]) consent, unnest(array[null, 'approved', 'denied', 'user_created']) account""",
        cast.organization_id, cast.coach_a.id,
    )
    by_rule: dict[str | None, set[UUID]] = {}
    for row in (await queries.get_page(View(), EVERYBODY, size=10_000)).rows:
        by_rule.setdefault(row.missing, set()).add(row.competitor_id)
    for name, word in MISSING.items():
        found = {row.competitor_id for row in (await queries.get_page(View(missing=name), EVERYBODY, size=10_000)).rows}
        assert found == by_rule.pop(word) and found, name
    assert set(by_rule) == {None}


@pytest.mark.parametrize("seed", range(8))
async def test_the_funnel_is_the_sum_of_its_rows(seed: int) -> None:
    chance = random.Random(seed)
    cast = await make_cast()
    for number in range(40):
        coach, team = chance.choice([(cast.coach_a, cast.team_a), (cast.coach_b, cast.team_b)])
        await make_competitor(
            coach, f"Nina Number{number}", status=chance.choice(["pending", "profile", "compliance", "complete"]),
            team_id=team if chance.random() < 0.5 else None, data_consent=chance.random() < 0.7,
            division=chance.choice(["high_school", "college"]),
        )
    sight = chance.choice([EVERYBODY, Sight(coach_id=cast.coach_a.id)])
    for view in (View(), View(division="college"), View(is_without_team=True, search="number1")):
        funnel = await get_funnel(view, sight)
        assert funnel.total == len(await ids(view, sight))
        for stage in funnel.stages:
            assert stage.count == len(await ids(replace(view, status=stage.status), sight))
            for one in stage.missing:
                narrowed = replace(view, status=stage.status, missing=one.name)
                assert one.count == len(await ids(narrowed, sight))
        for trouble in funnel.troubles:
            assert trouble.count == len(await ids(replace(view, trouble=trouble.name), sight)) > 0
