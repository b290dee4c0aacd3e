"""The overview and the rows behind its numbers in a browser: silent, accessible, on a phone, and without a script."""

import re
from collections.abc import AsyncIterator
from typing import Literal

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, BrowserContext, Page, expect

from app import database
from tests.browser.conftest import sign_in
from tests.cast import Cast, make_cast, make_competitor
from tests.league import ago, refresh, solve

WIDTH = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.fixture
async def cast() -> Cast:
    cast = await make_cast()
    await database.execute(
        "insert into game_platform_flash_ctfs (event_id, name, started_at) values ('flash', 'November Flash CTF', $1)",
        ago(days=10),
    )
    for number in range(12):
        person = await make_competitor(cast.coach_a, f"Player {number}", team_id=cast.team_a if number % 3 else None)
        for days in range(number):
            await solve(person, 50 * number, ago(days=days))
        await solve(person, 90, ago(days=10), source="flash_ctf")
        await database.execute(
            """insert into game_platform_flash_ctf_events (competitor_id, syned_user_id, event_id, name,
                   challenges_solved, score, started_at)
               values ($1::uuid, $1::uuid::text, 'flash', 'November Flash CTF', 1, 90, $2)""", person, ago(days=10),
        )
    await database.execute("update game_platform_sync_state set last_success_at = now()")
    await refresh(cast.organization_id)
    return cast


@pytest.fixture
async def coach(context: BrowserContext, tab: Page, cast: Cast) -> Page:
    await sign_in(context, cast.coach_a)
    return tab


@pytest.fixture
async def without_scripts(browser: Browser, site: str, cast: Cast) -> AsyncIterator[Page]:
    context = await browser.new_context(base_url=site, java_script_enabled=False)
    await sign_in(context, cast.coach_a)
    yield await context.new_page()
    await context.close()


@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_the_pages_are_accessible_and_fit_a_phone(coach: Page, theme: Literal["light", "dark"]) -> None:
    await coach.emulate_media(color_scheme=theme)
    await coach.set_viewport_size({"width": 360, "height": 740})
    for path in ("/", "/numbers/solved", "/numbers/enrolled"):
        await coach.goto(path)
        assert await coach.evaluate(WIDTH) == 0, path
        found = (await Axe().run(coach)).response["violations"]
        assert [(rule["id"], node["html"][:200]) for rule in found for node in rule["nodes"]] == [], path


async def test_a_filter_changes_everything_and_keeps_its_focus(coach: Page) -> None:
    await coach.goto("/")
    solved = coach.get_by_role("region", name="Total Challenges Solved").locator(".kpi-value")
    await expect(solved).to_have_text("78")
    await coach.locator("#filter-window").focus()
    await coach.locator("#filter-window").select_option("7")
    await expect(solved).to_have_text("56")
    await expect(coach).to_have_url(re.compile(r"/\?window=7$"))
    await expect(coach.locator("#filter-window")).to_be_focused()
    await expect(coach.locator("#announcements")).to_have_text("Overview of 7 days shown")


async def test_a_number_leads_to_its_rows_without_a_script(without_scripts: Page) -> None:
    tab = without_scripts
    await tab.goto("/?window=7")
    await tab.get_by_role("link", name="Total Challenges Solved").click()
    await expect(tab.locator("#number .kpi-value")).to_have_text("56")
    parts = await tab.locator("#rows tbody td:nth-child(4)").all_inner_texts()
    assert sum(map(int, parts)) == 56
    await tab.get_by_role("link", name="Overview").first.click()
    await tab.get_by_role("button", name="Mark as seen").click()
    await expect(tab.get_by_text("Nothing is new since you last looked")).to_be_visible()
