"""/charts/monthly-ctf: points of the reader's own people, by event and by minute."""

import csv
import html
import io
import json
import re
from datetime import UTC, datetime, timedelta
from uuid import UUID

import httpx
import pytest

from app import database
from tests.cast import Cast, Person, make_cast, make_competitor
from tests.clients import client_for, stranger

PATH = "/charts/monthly-ctf"
PARTIAL = {"HX-Request": "true", "HX-Request-Type": "partial"}
OCTOBER, NOVEMBER = datetime(2026, 10, 2, 18, tzinfo=UTC), datetime(2026, 11, 6, 18, tzinfo=UTC)


@pytest.fixture
async def cast() -> Cast:
    """A coach's one player improves, the other coach's has more."""
    cast = await make_cast()
    ada = await make_competitor(cast.coach_a, "Ada Prime", team_id=cast.team_a)
    bea = await make_competitor(cast.coach_b, "Bea Secret", team_id=cast.team_b, division="college")
    await make_competitor(cast.coach_a, "Aron Zero")
    for name, started_at in (("October", OCTOBER), ("November", NOVEMBER)):
        await database.execute(
            "insert into game_platform_flash_ctfs (event_id, name, started_at) values ($1, $1, $2)", name, started_at
        )
    await play(ada, "October", OCTOBER, {10: 100})
    await play(ada, "November", NOVEMBER, {3: 100, 20: 150})
    await play(bea, "November", NOVEMBER, {1: 1000})
    return cast


async def play(competitor_id: UUID, event_id: str, started_at: datetime, points: dict[int, int]) -> None:
    await database.execute(
        """insert into game_platform_flash_ctf_events (competitor_id, syned_user_id, event_id, name, challenges_solved,
               score, max_points, started_at)
           values ($1::uuid, $1::uuid::text, $2, $2, $3, $4, 2000, $5)""",
        competitor_id, event_id, len(points), sum(points.values()), started_at,
    )
    for minute, worth in points.items():
        await database.execute(
            """insert into game_platform_challenge_solves (competitor_id, syned_user_id, challenge_solve_id,
                   challenge_id, challenge_points, solved_at, source, event_id)
               values ($1::uuid, $1::uuid::text, $2::int::text, 'c', $3, $4, 'flash_ctf', $5)""",
            competitor_id, minute, worth, started_at + timedelta(minutes=minute, seconds=50), event_id,
        )


async def get(person: Person, query: str = "", headers: dict[str, str] | None = None) -> httpx.Response:
    async with await client_for(person) as client:
        response = await client.get(f"{PATH}{query}", headers=headers)
    assert response.status_code == 200
    return response


async def rows(person: Person, query: str) -> list[list[str]]:
    response = await get(person, f"{query}&format=csv")
    return list(csv.reader(io.StringIO(response.text.removeprefix("\ufeff"))))


async def test_absolute_is_the_points_of_each_event(cast: Cast) -> None:
    assert await rows(cast.coach_a, "?chart=absolute") == [
        ["Flash CTF", "Points", "People with a solve", "Best score"],
        ["October, 2 Oct 2026", "100", "1", "100"], ["November, 6 Nov 2026", "250", "1", "250"],
    ]
    assert [row[1] for row in await rows(cast.admin, "?chart=absolute")] == ["Points", "100", "1250"]


async def test_pace_is_cumulative_by_minute(cast: Cast) -> None:
    found = await rows(cast.coach_a, "?chart=pace")
    assert found[0] == ["Minute", "November, 6 Nov 2026", "October, 2 Oct 2026"]
    by_minute = {row[0]: row[1:] for row in found[1:]}
    assert by_minute["2"] == ["0", "0"] and by_minute["4"] == ["100", "0"] and by_minute["20"] == ["250", "100"]


async def test_a_coach_sees_nobody_elses_points(cast: Cast) -> None:
    for query in ("", "?chart=absolute", "?format=json", "?division=college", f"?team={cast.team_b}"):
        text = (await get(cast.coach_a, query)).text
        assert not re.search(r"\b1,?(?:000|250)\b", text.partition("<main")[2] or text)
    assert "1,250 points by 2 people" in (await get(cast.admin, "?chart=absolute")).text


async def test_the_caption_is_the_finding_and_the_page_says_how_old_it_is(cast: Cast) -> None:
    await database.execute("update game_platform_sync_state set last_success_at = now() - interval '9 hours'")
    text = html.unescape((await get(cast.coach_a)).text)
    assert "November: 250 points after 20 minutes, 150 more than October had by then." in text
    assert "Late:" in text and "data from" in text


async def test_filters_and_the_end_of_the_window_choose(cast: Cast) -> None:
    assert "Nobody shown has taken part" in (await get(cast.coach_a, "?division=college")).text
    until_october = await rows(cast.coach_a, "?chart=absolute&from=2026-10-01&to=2026-10-31")
    assert [row[0] for row in until_october[1:]] == ["October, 2 Oct 2026"]


async def test_a_fragment_is_the_panel_with_the_addresses_of_its_page(cast: Cast) -> None:
    text = (await get(cast.coach_a, "?chart=absolute&at=overview", PARTIAL)).text
    assert text.lstrip().startswith('<div id="monthly-ctf"')
    assert 'href="/?chart=absolute"' in text and 'hx-push-url="/"' in text
    assert "<html" in (await get(cast.coach_a)).text


async def test_json_is_what_is_drawn(cast: Cast) -> None:
    response = await get(cast.coach_a, "?format=json")
    assert response.headers["content-type"] == "application/json"
    newest = json.loads(response.text)["data"][0]
    assert (newest["x"], newest["y"]) == ([0, 3, 20], [0, 100, 250])


async def test_bad_values_are_named_and_left_out(cast: Cast) -> None:
    text = html.unescape((await get(cast.coach_a, "?chart=pie&window=9&team=zzz")).text)
    assert "Part of the address was not understood." in text and "“chart” can be pace, absolute" in text


async def test_nobody_has_played_yet() -> None:
    cast = await make_cast()
    text = (await get(cast.coach_a)).text
    assert "Nobody shown has taken part in a Flash CTF." in text and "chart-canvas" not in text


async def test_players_and_strangers_are_refused(cast: Cast) -> None:
    async with await client_for(cast.player) as player, stranger() as nobody:
        assert (await player.get(PATH)).status_code == 403
        assert (await nobody.get(PATH)).headers["location"].startswith("/login")
        assert (await nobody.get(PATH, headers=PARTIAL)).headers["hx-redirect"].startswith("/login")
