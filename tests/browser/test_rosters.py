"""Competitors, a card and teams in a browser: with a keyboard, on a phone, in both themes, and without a script."""

import re
from collections.abc import AsyncIterator
from typing import Literal

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, BrowserContext, Page, expect

from app import database
from app.services.flags import set_flag
from tests.browser.conftest import sign_in
from tests.cast import Cast, make_cast, make_competitor

WIDTH = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
TICK = "document.body.dispatchEvent(new CustomEvent('dash:tick'))"
TOO_LOW = """[...document.querySelectorAll('main .button, main select, main .search-input, .tick')]
    .filter(e => e.offsetHeight && e.offsetHeight < 44).map(e => e.outerHTML)"""


@pytest.fixture
async def cast() -> Cast:
    """Everybody's way onto the platform is another: to press, blocked, refused, waiting, done."""
    cast = await make_cast()
    await set_flag("game_platform", True, organization_id=None, actor=None, actor_label="test")
    people = (("Ready Rowan", "compliance"), ("Second Sorrel", "compliance"), ("Blocked Beech", "profile"),
              ("Refused Rose", "compliance"), ("Waiting Willow", "complete"), ("Done Dogwood", "complete"))
    for name, status in people:
        await make_competitor(cast.coach_a, name, status=status, team_id=cast.team_a if "o" in name else None)
    await database.execute(
        """update competitors set game_platform_sync_error =
           'Refused by the Game Platform: an account with this e-mail address already exists somewhere else'
           where first_name = 'Refused'"""
    )
    await database.execute(
        "update competitors set metactf_user_status = 'user_created' where first_name = 'Waiting'"
    )
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


async def pages(cast: Cast) -> list[str]:
    competitor_id = await database.fetchval("select id from competitors where first_name = 'Refused'")
    run = "/competitors?team=x&status=compliance"
    return ["/competitors", run, f"/competitors/{competitor_id}", "/teams", f"/teams/{cast.team_a}",
            f"/teams/{cast.team_a}/archive"]


@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_the_pages_are_accessible_and_fit_a_phone(
    coach: Page, cast: Cast, theme: Literal["light", "dark"]
) -> None:
    await coach.emulate_media(color_scheme=theme)
    await coach.set_viewport_size({"width": 360, "height": 740})
    for path in await pages(cast):
        await coach.goto(path)
        assert await coach.evaluate(WIDTH) == 0, path
        found = (await Axe().run(coach)).response["violations"]
        assert [(rule["id"], node["html"][:200]) for rule in found for node in rule["nodes"]] == [], path


async def test_everything_to_touch_is_large_enough(coach: Page, cast: Cast) -> None:
    session = await coach.context.new_cdp_session(coach)
    await session.send("Emulation.setTouchEmulationEnabled", {"enabled": True})
    await coach.set_viewport_size({"width": 360, "height": 740})
    for path in await pages(cast):
        await coach.goto(path)
        assert await coach.evaluate(TOO_LOW) == [], path


async def test_a_selection_is_counted_held_and_added_with_the_keyboard(coach: Page) -> None:
    await coach.goto("/competitors")
    box = coach.get_by_label("Choose Ready Rowan")
    await box.focus()
    await coach.keyboard.press("Space")
    await expect(coach.locator("[data-selected]")).to_have_text("1 chosen")
    await expect(coach.locator("#announcements")).to_have_text("1 chosen")
    await coach.evaluate(TICK)
    await expect(box).to_be_checked()
    await coach.get_by_label("Choose everybody").check()
    await expect(coach.locator("[data-selected]")).to_have_text("6 chosen")
    await coach.get_by_label("Choose everybody").uncheck()
    await expect(coach.locator("[data-selected]")).to_be_hidden()
    await box.focus()
    await coach.keyboard.press("Space")
    await coach.keyboard.press("Enter")
    await expect(coach).to_have_url(re.compile(r"/competitors/changes/"))
    await expect(coach.locator("#results")).to_contain_text("Ready Rowan")
    await expect(coach.locator("#results tbody tr")).to_have_count(1)
    await database.execute(
        "update competitors set metactf_user_status = 'approved', game_platform_id = 'x' where first_name = 'Ready'"
    )
    await coach.evaluate(TICK)
    await expect(coach.locator("#results")).to_contain_text("Already there")


async def test_search_finds_while_typing_and_keeps_the_focus(coach: Page) -> None:
    await coach.goto("/competitors")
    field = coach.get_by_label("Search", exact=True)
    await field.press_sequentially("rowan", delay=20)
    await expect(coach.locator("#people tbody tr")).to_have_count(1)
    await expect(field).to_be_focused()
    await expect(coach).to_have_url(re.compile(r"/competitors\?q=rowan$"))


async def test_everything_works_without_a_script(without_scripts: Page) -> None:
    tab = without_scripts
    await tab.goto("/competitors")
    await tab.locator("#filter-q").fill("rowan")
    await tab.get_by_role("button", name="Apply").click()
    await tab.get_by_label("Choose Ready Rowan").check()
    await tab.get_by_role("button", name="Add the chosen").click()
    await expect(tab.locator("#results")).to_contain_text("Ready Rowan")
    await tab.goto("/teams")
    await tab.get_by_label("Name", exact=True).fill("Kernel Panic")
    await tab.get_by_label("Affiliation").fill("North High")
    await tab.get_by_role("button", name="Create team").click()
    await expect(tab.get_by_role("heading", name="Kernel Panic")).to_be_visible()
    await tab.get_by_label("Add a member").select_option(label="Refused Rose (leaves Firewall)")
    await tab.get_by_role("button", name="Add to the team").click()
    await expect(tab.locator("#members")).to_contain_text("Refused Rose")
    await tab.get_by_role("button", name="Take Refused Rose off").click()
    await expect(tab.get_by_text("Nobody is on this team yet.")).to_be_visible()
    await tab.get_by_role("link", name="Delete…").click()
    await tab.get_by_role("button", name="Delete the team").click()
    await expect(tab.get_by_role("alert")).to_contain_text(re.compile("The team is (deleted|closed)"))


async def test_an_open_card_learns_what_came_of_it(coach: Page) -> None:
    competitor_id = await database.fetchval("select id from competitors where first_name = 'Ready'")
    await coach.goto(f"/competitors/{competitor_id}")
    await coach.get_by_role("button", name="Add to Game Platform").click()
    await expect(coach.get_by_role("button", name="Adding…")).to_be_disabled()
    await database.execute(
        """update competitors set metactf_user_status = 'approved', game_platform_id = 'x', status = 'complete',
               onboarding_asked_at = null where first_name = 'Ready'"""
    )
    await coach.evaluate(TICK)
    await expect(coach.locator("#standing")).to_contain_text("On the Game Platform")
    await expect(coach.locator("#standing")).to_contain_text("Complete")
