"""Search from every page, over what the reader may see."""

import pytest
import pytest_asyncio

from tests.cast import Cast, make_cast, make_competitor, make_team
from tests.clients import client_for, stranger
from tests.league import refresh


@pytest_asyncio.fixture
async def cast() -> Cast:
    cast = await make_cast()
    await make_competitor(cast.coach_a, "Zoë Alder", team_id=cast.team_a)
    await make_competitor(cast.coach_b, "Zoe Birch", team_id=cast.team_b)
    await refresh(cast.organization_id)
    return cast


async def test_the_beginning_of_a_word_finds_a_competitor_whatever_its_marks(cast: Cast) -> None:
    async with await client_for(cast.coach_a) as client:
        answer = await client.get("/search", params={"q": "zoe"})
    assert "Zoë Alder" in answer.text and "Birch" not in answer.text


async def test_an_admin_finds_everybody_and_runs(cast: Cast) -> None:
    async with await client_for(cast.admin) as client:
        found = (await client.get("/search?q=zo")).text
        assert "Zoë Alder" in found and "Zoe Birch" in found
        assert (await client.get("/search?q=job_cleanup")).status_code == 200


async def test_somebody_elses_team_is_not_found(cast: Cast) -> None:
    async with await client_for(cast.coach_a) as client:
        own, foreign = (await client.get("/search?q=fire")).text, (await client.get("/search?q=back")).text
    assert str(cast.team_a) in own and "Nothing found" in foreign


@pytest.mark.parametrize("text", ["equipe", "ÉQUIPE", "breakers", "code-breakers", "code-b equ"])
async def test_a_team_is_found_whatever_its_marks_and_hyphens(cast: Cast, text: str) -> None:
    team_id = await make_team(cast.coach_a, "Équipe Code-Breakers")
    async with await client_for(cast.coach_a) as client:
        assert str(team_id) in (await client.get("/search", params={"q": text})).text


async def test_nothing_typed_and_nothing_found_say_what_to_do(cast: Cast) -> None:
    async with await client_for(cast.coach_a) as client:
        assert "Type a name" in (await client.get("/search")).text
        assert "Nothing found" in (await client.get("/search?q=%25_'")).text
        assert "Nothing found" in (await client.get("/search?q=xyzzy")).text


async def test_a_stranger_signs_in_first_and_a_player_is_refused(cast: Cast) -> None:
    async with stranger() as client:
        assert "/login" in (await client.get("/search?q=zoe")).headers["location"]
    async with await client_for(cast.player) as client:
        assert (await client.get("/search?q=zoe")).status_code == 403
