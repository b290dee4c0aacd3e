"""The comparison in a browser: chosen on the teams page, on a phone, in both themes, and without a script."""

import re
from collections.abc import AsyncIterator
from typing import Literal

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, BrowserContext, Page, expect

from tests.browser.conftest import sign_in
from tests.cast import Cast, make_cast, make_competitor, make_team
from tests.league import ago, solve

WIDTH = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.fixture
async def cast() -> Cast:
    cast = await make_cast()
    for number, name in enumerate(("Kernel Panic", "Stack Smashers", "A team with a name that goes on and on and on")):
        team = await make_team(cast.coach_a, name)
        person = await make_competitor(cast.coach_a, f"Ada Number{number}", team_id=team)
        for day in range(0, 20, number + 2):
            await solve(person, 100, ago(days=day), category=("OSINT", "Forensics")[day % 2])
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


async def choose_all(tab: Page) -> None:
    await tab.goto("/teams")
    for box in await tab.get_by_role("checkbox", name="Compare").all():
        await box.check()
    await tab.get_by_role("button", name="Compare the chosen").click()
    await expect(tab).to_have_url(re.compile(r"/compare\?team="))


@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_four_teams_are_compared_and_fit_a_phone(coach: Page, theme: Literal["light", "dark"]) -> None:
    await coach.emulate_media(color_scheme=theme)
    await coach.set_viewport_size({"width": 360, "height": 740})
    await choose_all(coach)
    await expect(coach.locator(".subject")).to_have_count(4)
    assert await coach.evaluate(WIDTH) == 0
    found = (await Axe().run(coach)).response["violations"]
    assert [(rule["id"], node["html"][:200]) for rule in found for node in rule["nodes"]] == []


async def test_who_is_compared_changes_without_a_script(without_scripts: Page) -> None:
    tab = without_scripts
    await choose_all(tab)
    await tab.get_by_role("link", name="Take Firewall out").click()
    await expect(tab.locator(".subject")).to_have_count(3)
    await tab.get_by_label("Add a team").select_option(label="Firewall")
    await tab.locator("#filter-window").select_option("7")
    await tab.get_by_role("button", name="Apply").click()
    await expect(tab.locator(".subject")).to_have_count(4)
    await expect(tab.locator(".subject").last).to_contain_text("Firewall")
    await expect(tab).to_have_url(re.compile("window=7"))
