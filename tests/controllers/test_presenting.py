"""Handles instead of names: switched in the header, for one session, on every page at once."""

import pytest

from tests.cast import make_cast, make_competitor
from tests.clients import client_for

PAGES = ("/", "/leaderboard", "/competitors", "/teams", "/alerts", "/timeline")


@pytest.mark.parametrize("path", PAGES)
async def test_a_page_on_the_projector_names_no_competitor(path: str) -> None:
    cast = await make_cast()
    await make_competitor(cast.coach_a, "Nia Abara", team_id=cast.team_a)
    async with await client_for(cast.coach_a) as client:
        assert (await client.post("/presenting", data={"present": "on", "next": path})).headers["location"] == path
        answer = await client.get(path, follow_redirects=True)
        assert answer.status_code == 200 and "Nia" not in answer.text and "Abara" not in answer.text
        await client.post("/presenting", data={"present": "off"})
        assert 'value="on"' in (await client.get(path, follow_redirects=True)).text


async def test_it_is_this_session_that_presents() -> None:
    cast = await make_cast()
    await make_competitor(cast.coach_a, "Nia Abara", team_id=cast.team_a)
    async with await client_for(cast.coach_a) as projector, await client_for(cast.coach_a) as desk:
        await projector.post("/presenting", data={"present": "on"})
        assert "Abara" in (await desk.get("/competitors")).text


async def test_it_never_leads_to_another_site() -> None:
    cast = await make_cast()
    async with await client_for(cast.coach_a) as client:
        answer = await client.post("/presenting", data={"present": "on", "next": "//evil.example"})
        assert answer.headers["location"] == "/"
