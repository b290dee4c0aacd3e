"""Alerts and notifications in a browser: on a phone, in both themes, with a keyboard, and without a script."""

from collections.abc import AsyncIterator
from typing import Literal

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, BrowserContext, Page, expect

from app import database
from tests.alerting import evaluate, make_player, play
from tests.browser.conftest import sign_in
from tests.cast import Cast, make_cast, make_competitor

WIDTH = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
TICK = "document.body.dispatchEvent(new CustomEvent('dash:tick'))"
TOO_LOW = """[...document.querySelectorAll('main .button, main select, main .check, .tick')]
    .filter(e => e.offsetHeight && e.offsetHeight < 44).map(e => e.outerHTML)"""
PATHS = (
    "/alerts", "/alerts?state=resolved", "/alerts?rule=stuck&state=open", "/alerts/history",
    "/alerts/history?what=resolved", "/notifications",
)


@pytest.fixture
async def cast() -> Cast:
    """One of each kind that a coach has, one resolved, one that comes and goes."""
    cast = await make_cast()
    await make_player(cast.coach_a, "Silent Spruce", team_id=cast.team_a, accessed_days=30, solved_days=40)
    await make_player(cast.coach_a, "Stuck Sorrel", team_id=cast.team_a, accessed_days=1, solved_days=30)
    await make_player(cast.coach_a, "Never Nettle", accessed_days=None, solved_days=None)
    back = await make_player(cast.coach_a, "Back Beech", accessed_days=30, solved_days=40)
    refused = await make_competitor(cast.coach_a, "Refused Rose", status="compliance")
    await database.execute(
        """update competitors set game_platform_sync_error =
           'Refused by the Game Platform: an account with this e-mail address already exists' where id = $1""",
        refused,
    )
    await evaluate()
    await play(back)
    await evaluate()
    await database.execute("update alerts set flapping_since = now(), openings = 3 where rule = 'stuck'")
    await database.execute(
        """insert into saved_views (user_id, name, path, query, is_watched)
           values ($1, 'Papers missing', '/competitors', 'status=profile', true)""",
        cast.coach_a.id,
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


@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_the_pages_are_accessible_and_fit_a_phone(coach: Page, theme: Literal["light", "dark"]) -> None:
    await coach.emulate_media(color_scheme=theme)
    await coach.set_viewport_size({"width": 360, "height": 740})
    for path in PATHS:
        await coach.goto(path)
        assert await coach.evaluate(WIDTH) == 0, path
        found = (await Axe().run(coach)).response["violations"]
        assert [(rule["id"], node["html"][:200]) for rule in found for node in rule["nodes"]] == [], path


async def test_everything_to_touch_is_large_enough(coach: Page) -> None:
    session = await coach.context.new_cdp_session(coach)
    await session.send("Emulation.setTouchEmulationEnabled", {"enabled": True})
    await coach.set_viewport_size({"width": 360, "height": 740})
    for path in PATHS:
        await coach.goto(path)
        assert await coach.evaluate(TOO_LOW) == [], path


async def test_a_filter_narrows_the_list_and_a_row_is_taken_with_the_keyboard(coach: Page) -> None:
    await coach.goto("/alerts")
    await expect(coach.locator("#rows tbody tr")).to_have_count(4)
    await coach.get_by_label("Rule").select_option(label="Stuck (1)")
    await expect(coach.locator("#rows tbody tr")).to_have_count(1)
    await coach.get_by_label("Actions for Stuck: Stuck Sorrel").focus()
    await coach.keyboard.press("Enter")
    await coach.locator("#rows").get_by_role("button", name="Take").focus()
    await coach.keyboard.press("Enter")
    await expect(coach.get_by_role("alert")).to_contain_text("Taken")
    await expect(coach.locator("#rows tbody tr")).to_contain_text("you")
    await coach.get_by_label("Choose Stuck: Stuck Sorrel").check()
    await expect(coach.locator("[data-selected]")).to_have_text("1 chosen")
    await coach.evaluate(TICK)
    await expect(coach.get_by_label("Choose Stuck: Stuck Sorrel")).to_be_checked()
    await coach.get_by_role("button", name="Snooze a week").first.click()
    await expect(coach.get_by_text("No alert matches these filters.")).to_be_visible()


async def test_an_open_list_learns_what_has_changed(coach: Page) -> None:
    await coach.goto("/alerts?rule=inactive")
    await expect(coach.locator("#rows tbody tr")).to_have_count(1)
    await play(await database.fetchval("select id from competitors where first_name = 'Silent'"))
    await evaluate()
    await coach.evaluate(TICK)
    await expect(coach.get_by_text("No alert matches these filters.")).to_be_visible()


async def test_everything_works_without_a_script(without_scripts: Page) -> None:
    tab = without_scripts
    await tab.goto("/alerts")
    await tab.get_by_label("Group").select_option(label="Access problems")
    await tab.get_by_role("button", name="Apply").click()
    await expect(tab.locator("#rows tbody tr")).to_have_count(2)
    await tab.get_by_label("Choose Never signed in: Never Nettle").check()
    await tab.get_by_role("button", name="Take", exact=True).first.click()
    await expect(tab.get_by_role("alert")).to_contain_text("Taken")
    await tab.goto("/notifications")
    await tab.get_by_role("button", name="Mark all as read").click()
    await expect(tab.get_by_role("alert")).to_contain_text("marked as read")
    await tab.get_by_label("Within minutes").check()
    await tab.get_by_role("button", name="Save preferences").click()
    await expect(tab.get_by_label("Within minutes")).to_be_checked()
    await tab.get_by_role("button", name="Stop watching Papers missing").click()
    await expect(tab.get_by_role("button", name="Watch Papers missing", exact=True)).to_be_visible()
