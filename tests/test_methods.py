"""HEAD, and the methods that an address does not take."""

import pytest

from tests.cast import make_cast
from tests.clients import client_for, stranger


@pytest.mark.parametrize("path", ["/login", "/robots.txt", "/health/live", "/static/css/tokens.css", "/", "/nowhere"])
async def test_head_answers_like_get_without_the_body(path: str) -> None:
    async with stranger() as client:
        got, asked = await client.get(path), await client.head(path)
    assert asked.status_code == got.status_code and asked.content == b""
    for name in ("content-type", "content-length", "cache-control", "content-security-policy", "location"):
        assert asked.headers.get(name) == got.headers.get(name), name


async def test_head_of_a_page_is_for_those_who_may_see_it() -> None:
    cast = await make_cast()
    async with stranger() as nobody, await client_for(cast.coach_a) as coach, await client_for(cast.player) as player:
        answers = [(await client.head("/leaderboard")).status_code for client in (nobody, coach, player)]
    assert answers == [303, 200, 403]


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/logout", "OPTIONS, POST"),
        ("HEAD", "/logout", "OPTIONS, POST"),
        ("DELETE", "/settings", "GET, HEAD, OPTIONS"),
        ("PUT", "/login", "GET, HEAD, OPTIONS, POST"),
        ("GET", "/settings/sessions/6d0c1c5e-57a3-4f0b-9d0f-6c3f3c7a1f11/end", "OPTIONS, POST"),
        ("POST", "/health/live", "GET, HEAD, OPTIONS"),
        ("GET", "/api/jobs/run", "OPTIONS, POST"),
    ],
)
async def test_an_address_says_which_methods_it_takes(method: str, path: str, allowed: str) -> None:
    async with stranger() as client:
        answer = await client.request(method, path)
    assert (answer.status_code, answer.headers["allow"]) == (405, allowed)


async def test_a_page_that_refuses_a_method_still_knows_its_reader() -> None:
    """As after a form that was refused: its address is no page, and somebody loads it again."""
    cast = await make_cast()
    async with await client_for(cast.coach_a) as client:
        answer = await client.get("/settings/password")
    assert answer.status_code == 405
    assert "Ada Alder" in answer.text and "Go to the start" in answer.text and "Try again" not in answer.text
