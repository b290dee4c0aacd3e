"""The start address leads everybody to their own first page."""

import pytest

from tests.cast import make_cast
from tests.clients import client_for, stranger


@pytest.mark.parametrize(
    ("who", "target"), [("admin", "/leaderboard"), ("coach_a", "/leaderboard"), ("player", "/settings")]
)
async def test_everybody_starts_at_their_own_page(who: str, target: str) -> None:
    cast = await make_cast()
    async with await client_for(getattr(cast, who)) as client:
        answer = await client.get("/")
    assert (answer.status_code, answer.headers["location"]) == (303, target)


async def test_a_stranger_starts_at_the_sign_in() -> None:
    async with stranger() as client:
        answer = await client.get("/")
    assert (answer.status_code, answer.headers["location"]) == (303, "/login")


async def test_a_page_that_does_not_exist_still_knows_its_reader() -> None:
    cast = await make_cast()
    async with await client_for(cast.coach_a) as client:
        answer = await client.get("/nowhere")
    assert answer.status_code == 404
    assert "Ada Alder" in answer.text and 'href="/leaderboard"' in answer.text
    assert "/admin/components" not in answer.text
