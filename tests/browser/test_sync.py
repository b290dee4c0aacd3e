"""The pages of the sync and of differences in a browser: silent, accessible, on a phone, and without a script."""

from typing import Literal

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, BrowserContext, Page, expect

from app.domain.pauses import Scope
from app.services import pauses
from tests.browser.conftest import sign_in
from tests.cast import Cast, make_cast

WIDTH = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.fixture
async def cast() -> Cast:
    await pauses.pause(Scope.KIND, "job_cleanup", reason="the disk is being changed", actor=None)
    return await make_cast()


@pytest.fixture
async def admin(context: BrowserContext, tab: Page, cast: Cast) -> Page:
    await sign_in(context, cast.admin)
    return tab


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("path", ["/admin/sync", "/admin/drift"])
async def test_the_pages_are_accessible_and_fit_a_phone(
    admin: Page, theme: Literal["light", "dark"], path: str
) -> None:
    await admin.emulate_media(color_scheme=theme)
    await admin.set_viewport_size({"width": 360, "height": 740})
    await admin.goto(path)
    for summary in await admin.locator("#pauses details > summary").all():
        await summary.click()
    assert await admin.evaluate(WIDTH) == 0
    found = (await Axe().run(admin)).response["violations"]
    assert [(rule["id"], node["html"][:200]) for rule in found for node in rule["nodes"]] == []


async def test_work_is_paused_and_resumed_without_a_script(browser: Browser, site: str, cast: Cast) -> None:
    context = await browser.new_context(base_url=site, java_script_enabled=False)
    await sign_in(context, cast.admin)
    tab = await context.new_page()
    await tab.goto("/admin/sync")
    await tab.get_by_text("Pause something").click()
    await tab.get_by_label("What", exact=True).select_option("vendor:game_platform")
    await tab.get_by_label("Why").fill("moving house")
    await tab.get_by_role("button", name="Pause").click()
    await expect(tab.get_by_role("alert")).to_contain_text("It is paused.")
    await expect(tab.locator(".banner")).to_have_count(2)
    await tab.get_by_role("form", name="Work with the Game Platform").get_by_role("button", name="Resume").click()
    await expect(tab.get_by_role("alert")).to_contain_text("It goes on.")
    await expect(tab.locator(".banner")).to_have_count(1)
    await context.close()
