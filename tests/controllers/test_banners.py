"""What stands on every page: that work is paused, for whom it matters; and the operators' pages, for admins."""

import pytest

from app import database
from app.domain.pauses import Scope
from app.services import pauses
from tests.cast import Cast, Person, make_cast
from tests.clients import client_for, stranger
from tests.readers import reader_for


@pytest.fixture
async def cast() -> Cast:
    return await make_cast()


async def home_of(person: Person, page: str = "/leaderboard") -> str:
    async with await client_for(person) as browser:
        return str((await browser.get(page)).text)


async def test_everybody_hears_that_the_sync_is_paused_and_admins_hear_by_whom(cast: Cast) -> None:
    await pauses.pause(Scope.VENDOR, "game_platform", reason="moving <house>", actor=await reader_for(cast.admin))
    for_coach, for_admin = await home_of(cast.coach_a), await home_of(cast.admin)
    for page in (for_coach, for_admin):
        assert "Work with the Game Platform is paused" in page
        assert "moving &lt;house&gt;" in page
    name = await database.fetchval("select display_name from users where id = $1", cast.admin.id)
    assert f"by {name}" in for_admin and f"by {name}" not in for_coach
    assert 'href="/admin/sync#pauses"' in for_admin and "/admin/sync" not in for_coach


async def test_a_paused_kind_is_told_to_admins_alone(cast: Cast) -> None:
    await pauses.pause(Scope.KIND, "job_cleanup", reason="", actor=await reader_for(cast.admin))
    assert "Cleanup is paused" in await home_of(cast.admin)
    assert "is paused" not in await home_of(cast.coach_a)


async def test_a_stop_after_failures_says_so(cast: Cast) -> None:
    await pauses.pause(Scope.KIND, "job_cleanup", reason="failed 5 times", actor=None, is_automatic=True)
    assert "Cleanup stopped by itself" in await home_of(cast.admin)


async def test_strangers_hear_nothing(cast: Cast) -> None:
    await pauses.pause(Scope.ALL, reason="maintenance", actor=await reader_for(cast.admin))
    async with stranger() as browser:
        assert "paused" not in (await browser.get("/login")).text


async def test_the_operators_pages_lead_to_each_other(cast: Cast) -> None:
    page = await home_of(cast.admin, "/admin/drift")
    assert 'aria-label="Admin"' in page
    assert '<a href="/admin/drift" aria-current="page">' in page
    assert 'aria-label="Admin"' not in await home_of(cast.admin)
