"""The switches in a browser: accessible, on a phone, in both themes, with a keyboard, and without a script."""

from collections.abc import AsyncIterator
from typing import Literal

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, BrowserContext, Page, expect

from app import database
from app.features import Feature
from app.services.flags import set_flag
from tests.browser.conftest import sign_in
from tests.cast import Cast, make_cast, make_organization

WIDTH = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
PAGE = "/admin/flags"


@pytest.fixture
async def cast() -> Cast:
    cast = await make_cast()
    await set_flag(Feature.GAME_PLATFORM, False, actor=None)
    other = await make_organization("The Southern League of a Name that is Longer than Most of Them")
    await set_flag(Feature.SCORE_INGESTION, False, organization_id=other, actor=None)
    return cast


@pytest.fixture
async def admin(context: BrowserContext, tab: Page, cast: Cast) -> Page:
    await sign_in(context, cast.admin)
    return tab


@pytest.fixture
async def without_scripts(browser: Browser, site: str, cast: Cast) -> AsyncIterator[Page]:
    context = await browser.new_context(base_url=site, java_script_enabled=False)
    await sign_in(context, cast.admin)
    yield await context.new_page()
    await context.close()


@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_the_switches_are_accessible_and_fit_a_phone(admin: Page, theme: Literal["light", "dark"]) -> None:
    await admin.emulate_media(color_scheme=theme)
    for width in (1280, 360):
        await admin.set_viewport_size({"width": width, "height": 740})
        await admin.goto(PAGE)
        await admin.locator("summary", has_text="Set it for one").first.click()
        assert await admin.evaluate(WIDTH) == 0, width
        found = (await Axe().run(admin)).response["violations"]
        assert [(rule["id"], node["html"][:200]) for rule in found for node in rule["nodes"]] == [], width


async def test_a_switch_is_set_with_the_keyboard(admin: Page) -> None:
    await admin.goto(PAGE)
    await admin.get_by_role("form", name="Game Platform for all").get_by_role("button", name="Switch on").focus()
    await admin.keyboard.press("Enter")
    await expect(admin.get_by_text("It is switched on.")).to_be_visible()
    assert await database.fetchval("select enabled from feature_flags where organization_id is null") is True


async def test_without_a_script_an_organization_gets_its_own_value(without_scripts: Page, cast: Cast) -> None:
    await without_scripts.goto(PAGE)
    section = without_scripts.get_by_role("region", name="Onboarding")
    await section.locator("summary").click()
    await section.get_by_label("Organization", exact=True).select_option(str(cast.organization_id))
    await section.get_by_role("button", name="Switch off", exact=True).click()
    await expect(without_scripts.get_by_text("It is switched off.")).to_be_visible()
    assert await database.fetchval(
        "select enabled from feature_flags where organization_id = $1", cast.organization_id
    ) is False
