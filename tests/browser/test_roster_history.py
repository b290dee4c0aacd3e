"""Importing, merging and turning a season in a browser: accessible, on a phone, and without a script."""

from collections.abc import AsyncIterator
from typing import Literal

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, BrowserContext, FilePayload, Locator, Page, expect

from app import database
from tests.browser.conftest import sign_in
from tests.cast import Cast, make_cast, make_competitor

WIDTH = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
ROWS = ("first_name,last_name,email,grade,division,team,affiliation\n"
        "Jonny,Smith,,9,high_school,Sandbox,North High\nCleo,Cherry,cleo@example.org,10,high_school,,\n")
GOOD: FilePayload = {"name": "autumn.csv", "mimeType": "text/csv", "buffer": ROWS.encode()}
BAD: FilePayload = {"name": "bad.csv", "mimeType": "text/csv", "buffer": f"{ROWS}Dan,,nobody,9,nursery,,\n".encode()}


@pytest.fixture
async def cast() -> Cast:
    """Two records of one person, somebody in the last grade, and one merge that was undone."""
    cast = await make_cast()
    await make_competitor(cast.coach_a, "Jon Smith", team_id=cast.team_a)
    await make_competitor(cast.coach_a, "Jonathan Smith", status="profile")
    await make_competitor(cast.coach_a, "Max Twelve", team_id=cast.team_a)
    await database.execute("update competitors set grade = case first_name when 'Max' then '12' else '9' end")
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


async def require_accessible(tab: Page) -> None:
    assert await tab.evaluate(WIDTH) == 0, tab.url
    found = (await Axe().run(tab)).response["violations"]
    assert [(rule["id"], node["html"][:200]) for rule in found for node in rule["nodes"]] == [], tab.url


async def follow(tab: Page, target: Locator) -> None:
    """Clicks, and waits until the page that it leads to is there."""
    async with tab.expect_event("load"):
        await target.click()


@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_every_page_is_accessible_and_fits_a_phone(coach: Page, theme: Literal["light", "dark"]) -> None:
    await coach.emulate_media(color_scheme=theme)
    await coach.set_viewport_size({"width": 360, "height": 740})
    await coach.goto("/competitors/import")
    await require_accessible(coach)
    for file in (BAD, GOOD):
        await coach.goto("/competitors/import")
        await coach.get_by_label("CSV file").set_input_files(file)
        await coach.get_by_role("button", name="Check the file").click()
        await expect(coach.get_by_role("heading", name="What the import would do")).to_be_visible()
        await require_accessible(coach)
    await follow(coach, coach.get_by_role("button", name="Import 2 rows"))
    await require_accessible(coach)
    await coach.goto("/competitors/duplicates")
    await require_accessible(coach)
    await follow(coach, coach.get_by_role("link", name="Compare").first)
    await require_accessible(coach)
    await follow(coach, coach.get_by_role("button", name="Merge the two"))
    await require_accessible(coach)
    await coach.goto("/competitors/season")
    await require_accessible(coach)
    await follow(coach, coach.get_by_role("button", name="See what would happen"))
    await require_accessible(coach)


async def test_everything_works_without_a_script(without_scripts: Page) -> None:
    tab = without_scripts
    await tab.goto("/competitors/import")
    await tab.get_by_label("CSV file").set_input_files(GOOD)
    await tab.get_by_role("button", name="Check the file").click()
    await expect(tab.locator("#known")).to_contain_text("Jonny Smith")
    await tab.get_by_role("button", name="Import 2 rows").click()
    await expect(tab.get_by_role("alert")).to_contain_text("autumn.csv is imported.")

    await tab.get_by_role("link", name="Look for duplicates").click()
    await expect(tab.locator("#pairs > li")).to_have_count(2)
    await tab.get_by_role("link", name="Compare and merge Jon Smith and Jonathan Smith").or_(
        tab.get_by_role("link", name="Compare and merge Jonathan Smith and Jon Smith")).click()
    await tab.get_by_role("radio", name="Jonathan").check()
    await tab.get_by_role("button", name="Merge the two").click()
    await expect(tab.get_by_role("alert")).to_contain_text("The two records are one now.")
    await expect(tab.locator("#merged")).to_contain_text("Jonathan Smith")
    await tab.get_by_role("button", name="Undo the merge").click()
    await expect(tab.get_by_role("alert")).to_contain_text("The merge is undone.")

    await tab.goto("/competitors/season")
    await tab.get_by_label("Jon Smith this year").select_option("stay")
    await tab.get_by_role("button", name="See what would happen").click()
    await expect(tab.locator("#moves tbody tr")).to_have_count(4)
    await tab.get_by_role("button", name="Close 20").click()
    await expect(tab.locator("#pupils")).not_to_contain_text("Max Twelve")
    await tab.get_by_role("button", name="Undo the turn").click()
    await expect(tab.locator("#pupils")).to_contain_text("Max Twelve")
