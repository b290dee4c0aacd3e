"""The first page: five numbers that are the readers' own, the best ten, and panels that fail alone."""

import re

import asyncpg
import httpx
import pytest

from app import database
from app.controllers import panels
from tests.cast import Cast, Person, make_cast, make_competitor
from tests.clients import client_for, stranger
from tests.league import ago, refresh, solve
from tests.statements import count_statements

PARTIAL = {"HX-Request": "true", "HX-Request-Type": "partial"}


@pytest.fixture
async def cast() -> Cast:
    """Of coach A two play and one is not on a team; coach B's one has more than all of them."""
    cast = await make_cast()
    ann = await make_competitor(cast.coach_a, "Ann Own", team_id=cast.team_a)
    al = await make_competitor(cast.coach_a, "Al Steady", team_id=cast.team_a)
    await make_competitor(cast.coach_a, "Avery Teamless", status="profile")
    bea = await make_competitor(cast.coach_b, "Bea Secret", team_id=cast.team_b)
    for person, points, days in ((ann, 100, 1), (ann, 200, 2), (al, 50, 40), (bea, 900, 3)):
        await solve(person, points, ago(days=days))
    await refresh(cast.organization_id)
    return cast


async def get(person: Person, path: str = "/", headers: dict[str, str] | None = None) -> httpx.Response:
    async with await client_for(person) as client:
        return await client.get(path, headers=headers)


def card(response: httpx.Response, title: str) -> tuple[str, str]:
    """The number and what it is compared with."""
    found = re.search(rf'<section class="card kpi[^"]*" aria-label="{title}">.*?</section>', response.text, re.DOTALL)
    assert found, title
    value = re.search(r'kpi-value">([^<]*)(?:<span class="unit">([^<]*))?', found[0])
    delta = re.search(r'kpi-delta">(.*?)</p>', found[0], re.DOTALL)
    assert value and delta
    return value[1] + (value[2] or ""), " ".join(re.sub(r"<[^>]*>", " ", delta[1]).split())


def number(response: httpx.Response, title: str) -> str:
    return card(response, title)[0]


async def test_a_coach_reads_the_numbers_of_their_own_people(cast: Cast) -> None:
    answer = await get(cast.coach_a)
    assert answer.status_code == 200
    assert number(answer, "Active on Platform") == "1"
    assert number(answer, "Registered Competitors") == "3"
    assert number(answer, "Team Enrollment") == "67%"
    assert number(answer, "Total Challenges Solved") == "2"
    assert number(answer, "Monthly CTF Participation") == "n/a"


async def test_an_admin_reads_everybodys(cast: Cast) -> None:
    answer = await get(cast.admin)
    assert [number(answer, title) for title in ("Active on Platform", "Total Challenges Solved")] == ["2", "3"]
    assert number(await get(cast.admin, f"/?coach={cast.coach_b.id}"), "Total Challenges Solved") == "1"


async def test_a_number_is_compared_with_the_window_before(cast: Cast) -> None:
    assert "1 more vs previous 30 days" in card(await get(cast.coach_a), "Total Challenges Solved")[1]
    assert "n/a" in card(await get(cast.coach_a, "/?window=7"), "Total Challenges Solved")[1]
    assert "unchanged" in card(await get(cast.coach_a), "Active on Platform")[1]


async def test_a_window_of_ones_own_ends_where_it_says(cast: Cast) -> None:
    first, last = ago(days=45).date(), ago(days=35).date()
    answer = await get(cast.coach_a, f"/?window=custom&from={first}&to={last}")
    assert number(answer, "Total Challenges Solved") == "1"
    assert number(answer, "Registered Competitors") == "0"


async def test_participation_is_that_of_the_latest_flash_ctf(cast: Cast) -> None:
    for event, days, people in (("older", 20, ["Ann"]), ("newest", 5, ["Ann", "Al"])):
        await database.execute(
            "insert into game_platform_flash_ctfs (event_id, name, started_at) values ($1, $1, $2)", event,
            ago(days=days),
        )
        await database.execute(
            """insert into game_platform_flash_ctf_events (competitor_id, syned_user_id, event_id, challenges_solved)
               select id, id::text, $1, 2 from competitors where first_name = any($2)""", event, people,
        )
    assert number(await get(cast.coach_a), "Monthly CTF Participation") == "100%"
    earlier = f"/?window=custom&from={ago(days=25).date()}&to={ago(days=10).date()}"
    assert number(await get(cast.coach_a, earlier), "Monthly CTF Participation") == "50%"
    assert "50 points more" in card(await get(cast.coach_a, "/?window=7"), "Monthly CTF Participation")[1]


async def test_whoever_is_archived_no_longer_counts_and_did_before(cast: Cast) -> None:
    await database.execute("update competitors set created_at = $1", ago(days=60))
    await database.execute("update competitors set archived_at = $1 where first_name = 'Ann'", ago(days=2))
    answer = await get(cast.coach_a)
    assert card(answer, "Registered Competitors")[0] == "2"
    assert "1 fewer" in card(answer, "Registered Competitors")[1]
    assert number(answer, "Total Challenges Solved") == "0"


async def test_who_waits_for_the_platform_or_was_denied_is_counted_per_coach(cast: Cast) -> None:
    assert 'id="waiting"' not in (await get(cast.admin)).text
    await database.execute(
        """update competitors set metactf_user_status = case when last_name = 'Own' then 'denied'
               else 'pending_approval' end where last_name in ('Own', 'Steady', 'Secret')"""
    )
    own = (await get(cast.coach_a)).text
    assert own.count("1 waiting for approval") == 1 and own.count("1 denied") == 1
    everybodys = (await get(cast.admin)).text
    assert everybodys.count("1 waiting for approval") == 2
    assert "1 waiting for approval" not in (await get(cast.admin, f"/?coach={cast.coach_a.id}&team={cast.team_b}")).text


async def test_the_best_stand_with_their_rank_among_everybody(cast: Cast) -> None:
    answer = await get(cast.coach_a)
    leaders = answer.text[answer.text.index('id="leaders"'):]
    assert re.search(r'<td class="number">2</td><th scope="row"><a[^>]*>Ann Own', leaders)
    assert "All 3 on the leaderboard" in leaders and "Bea Secret" not in answer.text
    assert "Bea Secret" in (await get(cast.admin)).text


@pytest.mark.parametrize("query", ["", "?coach={coach_b}", "?team={team_b}", "?organization={coach_b}"])
@pytest.mark.parametrize("headers", [{}, PARTIAL], ids=["page", "fragment"])
async def test_nothing_of_another_coach_is_ever_seen(cast: Cast, query: str, headers: dict[str, str]) -> None:
    query = query.format(coach_b=cast.coach_b.id, team_b=cast.team_b)
    answer = await get(cast.coach_a, f"/{query}", headers)
    assert answer.status_code == 200 and number(answer, "Total Challenges Solved") == "2"
    assert "Bea Secret" not in answer.text and "Backdoor" not in answer.text
    assert ("Part of the address was not understood" in answer.text) == bool(query)


async def test_a_projector_shows_handles(cast: Cast) -> None:
    await database.execute("update competitors set metactf_username = 'owl' where first_name = 'Ann'")
    async with await client_for(cast.coach_a) as client:
        await client.post("/presenting", data={"present": "on"})
        answer = await client.get("/")
    assert "owl" in answer.text and "Ann Own" not in answer.text


async def test_every_number_has_its_age_and_late_ones_say_so(cast: Cast) -> None:
    await database.execute("update game_platform_sync_state set last_success_at = now() - interval '9 hours'")
    answer = await get(cast.coach_a)
    assert answer.text.count('<p class="kpi-delta">') == 5
    cards = answer.text[answer.text.index('id="cards-heading"'):answer.text.index('id="leaders-heading"')]
    assert cards.count('class="quiet as-of"') == 5
    assert cards.count("Late:") == 3


async def test_one_panel_that_fails_leaves_the_others(cast: Cast) -> None:
    await database.execute("alter table game_platform_flash_ctfs rename to game_platform_flash_ctfs_away")
    try:
        answer = await get(cast.coach_a)
    finally:
        await database.execute("alter table game_platform_flash_ctfs_away rename to game_platform_flash_ctfs")
    assert answer.status_code == 200
    assert "The five numbers could not be read." in answer.text and "Ann Own" in answer.text


async def test_a_panel_that_takes_too_long_is_left_out(
    cast: Cast, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(panels, "DEADLINE_SECONDS", 0.5)
    other = await asyncpg.connect(database_url)
    try:
        async with other.transaction():
            await other.execute("lock table looks")
            answer = await get(cast.coach_a)
    finally:
        await other.close()
    assert "What is new since you last looked could not be read." in answer.text
    assert number(answer, "Total Challenges Solved") == "2"


async def test_an_empty_roster_says_what_would_be_here() -> None:
    cast = await make_cast()
    answer = await get(cast.coach_a)
    assert number(answer, "Registered Competitors") == "0" and number(answer, "Team Enrollment") == "n/a"
    assert "No competitors yet." in answer.text
    await make_competitor(cast.coach_a, "New Nell")
    assert "No standings yet." in (await get(cast.coach_a)).text
    assert "Nobody matches these filters." in (await get(cast.coach_a, "/?division=college")).text


async def test_whoever_belongs_to_no_organization_is_told_so(cast: Cast) -> None:
    await database.execute("delete from organization_members where user_id = $1", cast.coach_a.id)
    answer = await get(cast.coach_a)
    assert answer.status_code == 200 and "You belong to no organization yet." in answer.text


async def test_players_go_to_their_settings_and_strangers_to_the_sign_in(cast: Cast) -> None:
    answer = await get(cast.player)
    assert (answer.status_code, answer.headers["location"]) == (303, "/settings")
    async with stranger() as client:
        answer = await client.get("/")
        assert answer.status_code == 303 and answer.headers["location"].startswith("/login")
        answer = await client.get("/", headers=PARTIAL)
    assert answer.headers["hx-redirect"].startswith("/login")


@pytest.mark.parametrize(
    "query", ["window=8", "from=x", "team=1", "division=a&division=b", "window=custom&to=2100-12-31"]
)
async def test_bad_values_are_named_and_the_rest_is_shown(cast: Cast, query: str) -> None:
    answer = await get(cast.coach_a, f"/?{query}")
    assert answer.status_code == 200
    assert ("Part of the address was not understood" in answer.text) == ("2100" not in query)


async def test_the_page_takes_the_same_few_queries_at_every_size(cast: Cast) -> None:
    async with await client_for(cast.coach_a) as client:
        few = await count_statements(client, "/")
        for index in range(30):
            await make_competitor(cast.coach_a, f"More {index}", team_id=cast.team_a)
        await refresh(cast.organization_id)
        assert await count_statements(client, "/") == few
