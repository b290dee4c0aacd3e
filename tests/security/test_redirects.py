"""A session that ended in the middle of work: pages lead to the sign-in and back, fragments never show it."""

import pytest

from app import database
from app.security.redirects import local_path
from tests.cast import make_cast
from tests.clients import client_for, stranger

HTMX = {"HX-Request": "true", "HX-Request-Type": "partial"}


@pytest.mark.parametrize("path", ["/", "/leaderboard?q=a%20b&x=//y", "/teams/1#x"])
def test_paths_of_this_site_are_kept(path: str) -> None:
    assert local_path(path) == path


@pytest.mark.parametrize(
    "path",
    [
        None, "", "leaderboard", "//evil.example", "/\\evil.example", "\\\\evil.example", "https://evil.example",
        "javascript:alert(1)", "/\n/evil.example", "/\t/evil.example", "/a\0", " /", "/" + "a" * 2000,
    ],
)
def test_everything_else_is_dropped(path: str | None) -> None:
    assert local_path(path) is None


async def test_a_page_leads_to_the_sign_in_and_back() -> None:
    async with stranger() as browser:
        answer = await browser.get("/settings?done=password")
    assert answer.status_code == 303
    assert answer.headers["location"] == "/login?next=/settings%3Fdone%3Dpassword"


@pytest.mark.parametrize(
    ("current", "target"),
    [
        ("http://127.0.0.1:8000/leaderboard?division=college", "/login?next=/leaderboard%3Fdivision%3Dcollege"),
        ("http://evil.example//evil.example/", "/login"),
        ("http://[broken", "/login"),
        ("javascript:alert(1)", "/login"),
    ],
)
async def test_an_ended_session_moves_the_whole_page_not_a_cell(current: str, target: str) -> None:
    cast = await make_cast()
    async with await client_for(cast.coach_a) as browser:
        await database.execute("update sessions set expires_at = now()")
        for answer in (
            await browser.get("/settings", headers={**HTMX, "HX-Current-URL": current}),
            await browser.post("/settings/preferences", headers={**HTMX, "HX-Current-URL": current}),
        ):
            assert answer.status_code == 204 and answer.headers["hx-redirect"] == target and not answer.content
