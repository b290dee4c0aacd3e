"""An organization's settings in a browser: on a phone, in both themes, with and without a script; and the header."""

from collections.abc import AsyncIterator
from typing import Literal

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, BrowserContext, Page, expect

from app import database
from tests.browser.conftest import sign_in
from tests.cast import Cast, make_cast

WIDTH = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
HEADER = "document.querySelector('.site-header').getBoundingClientRect().height"
ONE_LINE = 60
PAGE = "/admin/organizations"


@pytest.fixture
async def cast() -> Cast:
    return await make_cast()


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
async def test_the_settings_are_accessible_and_fit_a_phone(
    admin: Page, cast: Cast, theme: Literal["light", "dark"]
) -> None:
    await admin.emulate_media(color_scheme=theme)
    await admin.set_viewport_size({"width": 360, "height": 740})
    for path in (PAGE, f"{PAGE}/{cast.organization_id}"):
        await admin.goto(path)
        assert await admin.evaluate(WIDTH) == 0, path
        found = (await Axe().run(admin)).response["violations"]
        assert [(rule["id"], node["html"][:200]) for rule in found for node in rule["nodes"]] == [], path


async def test_promises_and_limits_are_set_without_a_script(without_scripts: Page, cast: Cast) -> None:
    await without_scripts.goto(f"{PAGE}/{cast.organization_id}")
    await without_scripts.get_by_label("Minutes between looks at who is idle").fill("240")
    await without_scripts.get_by_label("Syncs that one coach may ask for in an hour").fill("3")
    await without_scripts.get_by_role("button", name="Save").click()
    await expect(without_scripts.get_by_text("The settings are saved.")).to_be_visible()
    row = await database.fetchrow("select idle_look_minutes, syncs_per_hour from organizations")
    assert row is not None and tuple(row) == (240, 3)


@pytest.mark.parametrize("role", ["coach", "admin"])
async def test_the_header_is_one_line_on_a_laptop(context: BrowserContext, tab: Page, cast: Cast, role: str) -> None:
    await sign_in(context, cast.admin if role == "admin" else cast.coach_a)
    await tab.set_viewport_size({"width": 1280, "height": 800})
    await tab.goto("/alerts")
    assert await tab.evaluate(HEADER) < ONE_LINE
    await expect(tab.get_by_role("button", name="Sign out")).to_be_visible()
