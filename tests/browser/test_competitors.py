"""The funnel, the edit form, several at once and the coaches' page in a browser: on a phone, in both themes, with a
keyboard, and without a script."""

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
TOO_LOW = """[...document.querySelectorAll('main .button, main select, main .tick, main .tick-line, main .stages a')]
    .filter(e => e.offsetHeight && e.offsetHeight < 44).map(e => e.outerHTML)"""
ASSIST = "insert into team_assistants (team_id, user_id) values ($1, $2)"


@pytest.fixture
async def cast() -> Cast:
    cast = await make_cast()
    await set_flag("game_platform", True, organization_id=None, actor=None, actor_label="test")
    people = (("Ready Rowan", "compliance"), ("Blocked Beech", "profile"), ("Early Elm", "pending"),
              ("Done Dogwood", "complete"))
    for name, status in people:
        await make_competitor(cast.coach_a, name, status=status, team_id=cast.team_a if "Done" in name else None)
    await database.execute(
        "update competitors set email = null, stage_since = now() - interval '40 days' where first_name = 'Early'"
    )
    await database.execute(ASSIST, cast.team_a, cast.coach_b.id)
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


async def pages(tab: Page) -> list[str]:
    """The result page is there once something was changed."""
    competitor_id = await database.fetchval("select id from competitors where first_name = 'Ready'")
    change = f"/competitors/change?competitor={competitor_id}"
    await tab.goto(change)
    await tab.get_by_role("button", name="Take off their team").click()
    await expect(tab).to_have_url(re.compile("/competitors/changes/"))
    return [
        "/competitors", "/competitors?status=profile&missing=release&age=7&trouble=x", change,
        "/competitors/change?status=profile", tab.url, f"/competitors/{competitor_id}/edit", "/competitors/coaches",
        "/competitors?show=archived",
    ]


@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_the_pages_are_accessible_and_fit_a_phone(
    coach: Page, cast: Cast, theme: Literal["light", "dark"]
) -> None:
    await coach.emulate_media(color_scheme=theme)
    await coach.set_viewport_size({"width": 360, "height": 740})
    for path in await pages(coach):
        await coach.goto(path)
        assert await coach.evaluate(WIDTH) == 0, path
        found = (await Axe().run(coach)).response["violations"]
        assert [(rule["id"], node["html"][:200]) for rule in found for node in rule["nodes"]] == [], path


async def test_an_admins_pages_are_accessible_and_fit_a_phone(context: BrowserContext, tab: Page, cast: Cast) -> None:
    await sign_in(context, cast.admin)
    await tab.set_viewport_size({"width": 360, "height": 740})
    hand_over = f"/competitors/coaches/hand-over?from={cast.coach_a.id}&to={cast.coach_b.id}"
    for path in ("/competitors", "/competitors/change?status=profile", "/competitors/coaches", hand_over):
        await tab.goto(path)
        assert await tab.evaluate(WIDTH) == 0, path
        found = (await Axe().run(tab)).response["violations"]
        assert [(rule["id"], node["html"][:200]) for rule in found for node in rule["nodes"]] == [], path


async def test_everything_to_touch_is_large_enough(coach: Page, cast: Cast) -> None:
    session = await coach.context.new_cdp_session(coach)
    await session.send("Emulation.setTouchEmulationEnabled", {"enabled": True})
    await coach.set_viewport_size({"width": 360, "height": 740})
    for path in await pages(coach):
        await coach.goto(path)
        assert await coach.evaluate(TOO_LOW) == [], path


async def test_a_stage_leads_to_its_rows_and_the_order_outlives_a_search(coach: Page) -> None:
    await coach.goto("/competitors")
    await expect(coach.locator("#people tbody tr")).to_have_count(4)
    await coach.get_by_role("link", name="1 without e-mail").click()
    await expect(coach.locator("#people tbody tr")).to_have_count(1)
    await expect(coach.locator("#people")).to_contain_text("Early Elm")
    await coach.get_by_role("link", name="Clear all").click()
    await coach.get_by_role("link", name="In stage since").click()
    await expect(coach).to_have_url(re.compile("sort=stage"))
    await expect(coach.locator("#people tbody tr").first).to_contain_text("Early Elm")
    await coach.get_by_label("Search", exact=True).press_sequentially("r", delay=20)
    await expect(coach).to_have_url(re.compile("q=r&.*sort=stage"))


async def test_several_are_changed_and_each_has_a_result(coach: Page, cast: Cast) -> None:
    await coach.goto("/competitors")
    await coach.get_by_label("Choose everybody").check()
    await expect(coach.locator("[data-selected]")).to_have_text("4 chosen")
    await coach.get_by_role("button", name="Change the chosen…").click()
    await expect(coach.get_by_role("heading", name="Change 4 competitors")).to_be_visible()
    await coach.get_by_label("Put on the team").select_option(label="Firewall, High school")
    await coach.get_by_role("button", name="Put on this team").click()
    await expect(coach.locator("#results tbody tr")).to_have_count(4)
    await expect(coach.locator("#results")).to_contain_text("Was so already")
    assert await database.fetchval("select count(*) from team_memberships where team_id = $1", cast.team_a) == 4


async def test_everything_works_without_a_script(without_scripts: Page) -> None:
    tab = without_scripts
    await tab.goto("/competitors")
    await tab.locator("#filter-status").select_option(label="Profile")
    await tab.get_by_role("button", name="Apply").click()
    await tab.get_by_label("Choose Blocked Beech").check()
    await tab.get_by_role("button", name="Change the chosen…").click()
    await tab.get_by_role("button", name="Release signed").click()
    await expect(tab.locator("#results")).to_contain_text("Done")
    await tab.get_by_role("link", name="Blocked Beech").click()
    await tab.get_by_role("link", name="Edit").click()
    await tab.get_by_label("Agreement signed").check()
    await tab.get_by_label("E-mail").fill("nothing")
    await tab.get_by_role("button", name="Save").click()
    await expect(tab.get_by_text("This is not an e-mail address.")).to_be_visible()
    await expect(tab.get_by_label("Agreement signed")).to_be_checked()
    await tab.get_by_label("E-mail").fill("beech@example.org")
    await tab.get_by_role("button", name="Save").click()
    await expect(tab.get_by_role("alert")).to_contain_text("The changes are saved.")
    await tab.goto("/competitors?missing=account")
    await expect(tab.locator("#people")).to_contain_text("Blocked Beech")
    await tab.goto("/competitors/coaches")
    await tab.get_by_role("button", name="Take Ben Birch off Firewall").click()
    await expect(tab.get_by_role("alert")).to_contain_text("does not see the team any more")
    await tab.get_by_label("Team", exact=True).select_option(label="Firewall")
    await tab.get_by_label("Assistant", exact=True).select_option(label="Ben Birch")
    await tab.get_by_role("button", name="Add assistant").click()
    await expect(tab.locator("#assistants")).to_contain_text("Ben Birch")
