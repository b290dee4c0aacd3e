"""The practice hours in a browser: on a phone, in both themes, while typing, and without a script."""

import re
from typing import Literal

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, BrowserContext, Page, expect

from app import database
from tests.browser.conftest import sign_in
from tests.cast import Cast, make_cast, make_competitor
from tests.queries.test_practice_hours import play, practise

PAGE = "/reports/practice-hours"
WIDTH = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.fixture
async def cast() -> Cast:
    cast = await make_cast()
    rowan = await make_competitor(cast.coach_a, "Ready Rowan", team_id=cast.team_a)
    await make_competitor(cast.coach_a, "Second Sorrel", division="college")
    for number, category in enumerate(("Cryptography", "Forensics", "OSINT", "Web Exploitation")):
        await practise(rowan, 200 * number, 200 * number + 20, category=category)
    await play(rowan, "October Flash")
    return cast


@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_the_pages_are_accessible_and_fit_a_phone(
    context: BrowserContext, tab: Page, cast: Cast, theme: Literal["light", "dark"]
) -> None:
    await sign_in(context, cast.admin)
    await tab.emulate_media(color_scheme=theme)
    await tab.set_viewport_size({"width": 360, "height": 740})
    for path in (PAGE, f"{PAGE}?q=nobody-at-all", f"{PAGE}/events"):
        await tab.goto(path)
        assert await tab.evaluate(WIDTH) == 0, path
        found = (await Axe().run(tab)).response["violations"]
        assert [(rule["id"], node["html"][:200]) for rule in found for node in rule["nodes"]] == [], path


async def test_search_finds_while_typing_and_keeps_the_focus(context: BrowserContext, tab: Page, cast: Cast) -> None:
    await sign_in(context, cast.coach_a)
    await tab.goto(PAGE)
    field = tab.locator("#filter-q")
    await field.press_sequentially("rowan", delay=20)
    await expect(tab.locator("#hours tbody tr")).to_have_count(1)
    await expect(field).to_be_focused()
    await expect(tab).to_have_url(re.compile(r"q=rowan"))


async def test_everything_works_without_a_script(browser: Browser, site: str, cast: Cast) -> None:
    context = await browser.new_context(base_url=site, java_script_enabled=False)
    await sign_in(context, cast.admin)
    tab = await context.new_page()
    await tab.goto(PAGE)
    await tab.get_by_role("link", name="College").click()
    await expect(tab.locator("#hours tbody tr")).to_have_count(1)
    await tab.get_by_label("Period").select_option(label="All time")
    await tab.get_by_role("button", name="Apply").click()
    await expect(tab).to_have_url(re.compile("period=all"))
    async with tab.expect_download() as download:
        await tab.get_by_role("link", name="Excel, four sheets").click()
    assert (await download.value).suggested_filename == "practice-hours-all.xlsx"
    await tab.get_by_role("link", name="Lengths of Flash CTFs").click()
    await tab.get_by_label("Minutes of October Flash").fill("210")
    await tab.get_by_role("row", name="October Flash").get_by_role("button", name="Save").click()
    await expect(tab.get_by_role("alert")).to_contain_text("The length is saved.")
    await context.close()


async def test_the_sum_of_very_many_comes_by_itself(context: BrowserContext, tab: Page, cast: Cast) -> None:
    await database.execute(
        """insert into competitors (organization_id, coach_id, first_name, last_name, division)
           select $1, $2, 'Extra', 'Person ' || n, 'high_school' from generate_series(1, 1000) n""",
        cast.organization_id, cast.coach_a.id,
    )
    await sign_in(context, cast.coach_a)
    await tab.goto(PAGE)
    await expect(tab.locator("#sum")).to_contain_text("hours of 1002 students")
    await expect(tab.locator("#hours tbody tr")).to_have_count(50)
