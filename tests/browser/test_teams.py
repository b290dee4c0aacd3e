"""Teams in a browser: the drawer with a keyboard and the Back button, a phone, both themes, paper, and no script."""

import re
from collections.abc import AsyncIterator
from typing import Literal

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, BrowserContext, Page, PdfMargins, expect

from tests.browser.conftest import sign_in
from tests.cast import Cast, make_cast, make_competitor, make_team
from tests.league import ago, solve

WIDTH = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
MARGIN: PdfMargins = {"top": "12mm", "right": "12mm", "bottom": "12mm", "left": "12mm"}
NAMES = ("Ada Alder", "Bo Birch", "Cyd Cedar", "Dee Dogwood", "Eli Elder", "Fay Fir", "Gus Gum", "Hal Hazel")


@pytest.fixture
async def cast() -> Cast:
    cast = await make_cast()
    second = await make_team(cast.coach_a, "Kernel Panic at the very long name of a team of the northern league")
    for number, name in enumerate(NAMES):
        person = await make_competitor(cast.coach_a, name, team_id=cast.team_a)
        for day, category in enumerate(("Cryptography", "Forensics", "OSINT", "Web Exploitation")[: number % 4 + 1]):
            await solve(person, 100 + 50 * day, ago(days=day + number), category=category)
    await solve(await make_competitor(cast.coach_a, "Ivy Ivory", team_id=second), 400, ago(days=2), category="OSINT")
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


def pages(cast: Cast) -> tuple[str, ...]:
    return "/teams", "/teams?view=matrix", f"/teams/{cast.team_a}", f"/teams/{cast.team_a}/brief"


async def violations(tab: Page) -> list[tuple[str, str]]:
    found = (await Axe().run(tab)).response["violations"]
    return [(rule["id"], node["html"][:200]) for rule in found for node in rule["nodes"]]


@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_the_pages_are_accessible_and_fit_a_phone(
    coach: Page, cast: Cast, theme: Literal["light", "dark"]
) -> None:
    await coach.emulate_media(color_scheme=theme)
    await coach.set_viewport_size({"width": 360, "height": 740})
    for path in pages(cast):
        await coach.goto(path)
        assert await coach.evaluate(WIDTH) == 0, path
        assert await violations(coach) == [], path


async def test_the_drawer_has_an_address_and_closes_by_escape_and_back(coach: Page, cast: Cast) -> None:
    await coach.goto("/teams?window=7")
    opener = coach.get_by_role("link", name="Firewall", exact=True)
    await opener.focus()
    await coach.keyboard.press("Enter")
    drawer = coach.locator("#drawer")
    await expect(drawer.get_by_role("heading", name="Firewall")).to_be_focused()
    await expect(coach).to_have_url(re.compile(f"/teams/{cast.team_a}\\?window=7$"))
    await expect(drawer.locator("#members tbody tr")).to_have_count(8)
    assert await violations(coach) == []
    await coach.keyboard.press("Escape")
    await expect(drawer).to_be_hidden()
    await expect(opener).to_be_focused()
    await expect(coach).to_have_url(re.compile(r"/teams\?window=7$"))
    await opener.click()
    await expect(drawer).to_be_visible()
    await coach.go_back()
    await expect(drawer).to_be_hidden()
    await expect(opener).to_be_focused()
    await coach.go_forward()
    await expect(drawer.get_by_role("heading", name="Firewall")).to_be_visible()
    await coach.reload()
    await expect(coach.get_by_role("heading", level=1, name="Firewall")).to_be_visible()


async def test_the_drawer_closes_over_a_list_that_was_filtered_by_typing(coach: Page) -> None:
    await coach.goto("/teams")
    await coach.locator("#filter-q").press_sequentially("wall", delay=20)
    await expect(coach.locator(".tile")).to_have_count(1)
    opener = coach.get_by_role("link", name="Firewall", exact=True)
    await opener.click()
    await coach.get_by_role("button", name="Close").click()
    await expect(coach.locator("#drawer")).to_be_hidden()
    await expect(opener).to_be_focused()
    await expect(coach.locator(".tile")).to_have_count(1)
    await expect(coach).to_have_url(re.compile(r"/teams\?.*q=wall"))


async def test_the_brief_of_eight_fits_one_page_of_paper(coach: Page, cast: Cast) -> None:
    await coach.goto(f"/teams/{cast.team_a}/brief")
    for paper in ("A4", "Letter"):
        printed = await coach.pdf(format=paper, margin=MARGIN)
        assert len(re.findall(rb"/Type\s*/Page\b", printed)) == 1, paper


async def test_everything_works_without_a_script(without_scripts: Page) -> None:
    tab = without_scripts
    await tab.goto("/teams")
    await tab.get_by_role("link", name="Matrix").click()
    await expect(tab.locator("#matrix tbody tr")).to_have_count(2)
    await tab.get_by_role("link", name="Firewall").click()
    await expect(tab.get_by_role("heading", level=1, name="Firewall")).to_be_visible()
    await tab.get_by_label("Another team for Ada Alder").select_option(index=1)
    await tab.get_by_role("button", name="Move Ada Alder").click()
    await expect(tab.get_by_role("alert")).to_contain_text("on this team now")
    await tab.get_by_role("link", name="Archive…").click()
    await tab.get_by_role("button", name="Archive the team").click()
    await tab.get_by_role("button", name="Bring the team back").click()
    await expect(tab.get_by_role("alert")).to_contain_text("The team is back")
