"""The timeline and the monthly CTF chart in a browser: silent, accessible, on a phone, and without a script."""

import re
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Literal

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, BrowserContext, Page, expect

from app import database
from tests.browser.conftest import sign_in
from tests.cast import Cast, make_cast, make_competitor
from tests.league import ago, solve

WIDTH = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.fixture
async def cast() -> Cast:
    cast = await make_cast()
    for number in range(7):
        competitor_id = await make_competitor(cast.coach_a, f"Player {number}", team_id=cast.team_a)
        for hours in range(number, 90, 13):
            await solve(competitor_id, 50 + number, ago(hours=hours), category="Forensics")
        started_at = ago(days=20)
        await database.execute(
            """insert into game_platform_flash_ctfs (event_id, name, started_at)
               values ('flash', 'November Flash CTF', $1) on conflict do nothing""",
            started_at,
        )
        await database.execute(
            """insert into game_platform_flash_ctf_events (competitor_id, syned_user_id, event_id, name,
                   challenges_solved, score, started_at)
               values ($1::uuid, $1::uuid::text, 'flash', 'November Flash CTF', 1, 90, $2)""",
            competitor_id, started_at,
        )
        await solve(competitor_id, 90, started_at + timedelta(minutes=number), source="flash_ctf")
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
@pytest.mark.parametrize("path", ["/timeline", "/timeline?full=yes", "/charts/monthly-ctf?chart=absolute"])
async def test_the_pages_are_accessible_and_fit_a_phone(
    coach: Page, theme: Literal["light", "dark"], path: str
) -> None:
    await coach.emulate_media(color_scheme=theme)
    await coach.set_viewport_size({"width": 360, "height": 740})
    await coach.goto(path)
    await expect(coach.locator(".main-svg").first).to_be_visible()
    assert await coach.evaluate(WIDTH) == 0
    found = (await Axe().run(coach)).response["violations"]
    assert [(rule["id"], node["html"][:200]) for rule in found for node in rule["nodes"]] == []


async def test_a_kind_is_chosen_without_leaving_the_page(coach: Page) -> None:
    await coach.goto("/timeline")
    await coach.locator("#filter-kind").focus()
    await coach.locator("#filter-kind").select_option("flash_ctfs")
    await expect(coach.locator(".happened")).to_have_count(1)
    await expect(coach).to_have_url(re.compile(r"/timeline\?kind=flash_ctfs"))
    await expect(coach.locator(".main-svg").first).to_be_visible()
    await expect(coach.locator("#filter-kind")).to_be_focused()


async def test_the_other_chart_is_one_click_away_and_has_an_address(coach: Page) -> None:
    await coach.goto("/charts/monthly-ctf")
    await expect(coach.locator(".js-line").first).to_be_visible()
    link = coach.get_by_role("link", name="Absolute")
    await link.click()
    await expect(coach.locator(".bars .point").first).to_be_visible()
    await expect(coach).to_have_url(re.compile(r"chart=absolute$"))
    await expect(link).to_be_focused()
    await coach.go_back()
    await expect(coach.locator(".js-line").first).to_be_visible()


async def test_everything_is_there_without_a_script(without_scripts: Page) -> None:
    tab = without_scripts
    await tab.goto("/timeline")
    await tab.get_by_label("Kind").select_option("solves")
    await tab.get_by_role("button", name="Apply").click()
    await expect(tab.locator(".happened").first).to_contain_text("solved")
    await tab.locator("#chart-timeline-days summary").click()
    await expect(tab.locator("#chart-timeline-days td").first).to_be_visible()
    await tab.get_by_role("link", name="Full screen").click()
    await expect(tab.locator(".site-header")).to_be_hidden()
    await tab.get_by_role("link", name="Leave full screen").click()
    await expect(tab.locator(".site-header")).to_be_visible()
