"""The planner in a browser: on a phone, in both themes, and from the first choice to applying without a script."""

import re
from typing import Literal

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, BrowserContext, Page, expect

from tests.browser.conftest import sign_in
from tests.cast import Cast, make_cast, make_competitor, make_team
from tests.league import refresh, solve
from tests.queries.test_practice_hours import NOON

PAGE = "/teams/plan"
WIDTH = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.fixture
async def cast() -> Cast:
    cast = await make_cast()
    await make_team(cast.coach_a, "Kernel Panic")
    for number, name in enumerate(("Ready Rowan", "Second Sorrel", "Third Thorn", "Fourth Fern")):
        competitor_id = await make_competitor(cast.coach_a, name, team_id=cast.team_a if number < 2 else None)
        await solve(competitor_id, 500 - number, NOON, category=("Cryptography", "Forensics")[number % 2])
    await refresh(cast.organization_id)
    return cast


@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_the_page_is_accessible_and_fits_a_phone(
    context: BrowserContext, tab: Page, cast: Cast, theme: Literal["light", "dark"]
) -> None:
    await sign_in(context, cast.admin)
    await tab.emulate_media(color_scheme=theme)
    await tab.set_viewport_size({"width": 360, "height": 740})
    for path in (PAGE, f"{PAGE}?mode=growth", f"{PAGE}?mode=winning&size=1"):
        await tab.goto(path)
        assert await tab.evaluate(WIDTH) == 0, path
        found = (await Axe().run(tab)).response["violations"]
        assert [(rule["id"], node["html"][:200]) for rule in found for node in rule["nodes"]] == [], path


@pytest.mark.parametrize("has_scripts", [True, False])
async def test_a_plan_is_made_looked_at_and_applied(
    browser: Browser, site: str, cast: Cast, has_scripts: bool
) -> None:
    context = await browser.new_context(base_url=site, java_script_enabled=has_scripts)
    await sign_in(context, cast.coach_a)
    tab = await context.new_page()
    await tab.goto("/teams")
    await tab.get_by_role("link", name="Plan teams").click()
    await tab.get_by_label("Begin with").select_option(label="To win: rank and cut")
    await tab.get_by_label("Places per team").fill("1")
    await tab.get_by_role("button", name="Suggest").click()
    await expect(tab).to_have_url(re.compile("mode=winning"))
    await tab.get_by_label("Planned team of Third Thorn").select_option(label="Kernel Panic")
    await tab.get_by_role("button", name="Show what changes").click()
    await expect(tab.locator(".calls")).to_contain_text("Put Third Thorn on Kernel Panic")
    await tab.get_by_role("button", name="Apply: 2 moves").click()
    await expect(tab.get_by_role("alert")).to_contain_text("2 competitors are on the planned teams.")
    await expect(tab.get_by_label("Planned team of Third Thorn").locator("option:checked")).to_have_text("Kernel Panic")
    await context.close()
