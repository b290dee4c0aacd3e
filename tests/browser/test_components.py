"""The page of all components, as people meet it: both themes, a phone, paper, the keyboard."""

import re
from collections.abc import AsyncIterator
from typing import Literal

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, BrowserContext, Page, Response, expect

from tests.browser.conftest import sign_in
from tests.cast import Cast, make_cast

PAGE = "/admin/components"
WIDTH = "document.documentElement.scrollWidth - document.documentElement.clientWidth"

TOO_LOW = """[...document.querySelectorAll('.button, select, .search-input')]
    .filter(e => e.offsetHeight && e.offsetHeight < 44).map(e => e.outerHTML)"""


@pytest.fixture
async def cast(context: BrowserContext) -> Cast:
    cast = await make_cast()
    await sign_in(context, cast.admin)
    return cast


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("path", [PAGE, "/nowhere"])
async def test_nothing_fails_the_accessibility_rules(
    tab: Page, cast: Cast, errors: list[str], theme: Literal["light", "dark"], path: str
) -> None:
    await tab.emulate_media(color_scheme=theme)
    await tab.goto(path)
    results = await Axe().run(tab)
    assert [(rule["id"], node["html"][:200]) for rule in results.response["violations"] for node in rule["nodes"]] == []
    errors[:] = [error for error in errors if "404" not in error]


@pytest.mark.parametrize("touch", [False, True])
async def test_a_phone_scrolls_in_one_direction_only(tab: Page, cast: Cast, touch: bool) -> None:
    await tab.set_viewport_size({"width": 360, "height": 740})
    if touch:
        session = await tab.context.new_cdp_session(tab)
        await session.send("Emulation.setTouchEmulationEnabled", {"enabled": True})
    await tab.goto(PAGE)
    assert await tab.evaluate(WIDTH) == 0
    if touch:
        assert await tab.evaluate(TOO_LOW) == []


async def test_paper_shows_the_data_and_none_of_the_controls(tab: Page, cast: Cast) -> None:
    await tab.emulate_media(media="print")
    await tab.goto(PAGE)
    for control in (".site-header", ".filter-bar", ".pager .button", ".page-header .actions"):
        await expect(tab.locator(control).first).to_be_hidden()
    await expect(tab.locator(".as-of").first).to_be_visible()
    await expect(tab.locator(".pager .shown")).to_have_text("1–3 of 72")
    await expect(tab.locator(".site-footer .print-only")).to_contain_text(PAGE)


async def test_the_first_stop_of_the_keyboard_skips_to_the_content(tab: Page, cast: Cast) -> None:
    await tab.goto(PAGE)
    await tab.keyboard.press("Tab")
    await expect(tab.get_by_text("Skip to content")).to_be_focused()
    await expect(tab.get_by_text("Skip to content")).to_be_in_viewport()
    await tab.keyboard.press("Enter")
    await expect(tab.locator("#content")).to_be_focused()


async def test_the_theme_is_there_before_the_first_paint(tab: Page, cast: Cast) -> None:
    """The attribute comes with the document itself, so no script has to run for it."""
    await tab.goto(PAGE)
    await tab.get_by_role("button", name="Dark theme").click()
    await expect(tab.locator("html")).to_have_attribute("data-theme", "dark")
    await expect(tab.get_by_role("button", name="Dark theme")).to_have_attribute("aria-pressed", "true")
    await tab.wait_for_load_state("networkidle")
    answer = await tab.reload()
    assert answer and 'data-theme="dark"' in await answer.text()
    ground = "getComputedStyle(document.body).backgroundColor"
    assert await tab.evaluate(ground) == "rgb(15, 21, 28)"


async def test_theme_and_density_work_without_a_script(browser_without_scripts: Page) -> None:
    tab = browser_without_scripts
    await tab.goto(PAGE)
    await tab.get_by_role("button", name="Dark theme").click()
    await expect(tab).to_have_url(re.compile(f"{PAGE}$"))
    await expect(tab.locator("html")).to_have_attribute("data-theme", "dark")
    await tab.get_by_role("button", name="Compact rows").click()
    await expect(tab.locator("html")).to_have_attribute("data-density", "compact")


async def test_compact_rows_are_28_pixels_and_stay_so(tab: Page, cast: Cast) -> None:
    row = "document.querySelector('#people tbody tr:first-child td').offsetHeight"
    await tab.goto(PAGE)
    assert await tab.evaluate(row) in (36, 37)
    await tab.get_by_role("button", name="Compact rows").click()
    await tab.wait_for_load_state("networkidle")
    await tab.reload()
    assert await tab.evaluate(row) in (28, 29)
    await expect(tab.get_by_role("button", name="Compact rows")).to_have_attribute("aria-pressed", "true")


async def test_the_link_of_a_view_is_copied_and_said(tab: Page, cast: Cast, context: BrowserContext) -> None:
    await context.grant_permissions(["clipboard-read", "clipboard-write"])
    await tab.goto(f"{PAGE}?a=1")
    await tab.get_by_role("button", name="Copy link").first.click()
    await expect(tab.locator("#announcements")).to_have_text("Link copied.")
    assert (await tab.evaluate("navigator.clipboard.readText()")).endswith(f"{PAGE}?a=1")


async def test_a_menu_closes_with_escape_and_gives_focus_back(tab: Page, cast: Cast) -> None:
    await tab.goto(PAGE)
    summary = tab.locator("#people .menu summary").first
    await summary.click()
    await expect(tab.locator("#people .menu").first).to_have_attribute("open", "")
    await tab.keyboard.press("Escape")
    await expect(tab.locator("#people .menu").first).not_to_have_attribute("open", "")
    await expect(summary).to_be_focused()


async def test_a_cut_text_is_reached_with_the_keyboard(tab: Page, cast: Cast) -> None:
    await tab.goto(PAGE)
    long = tab.locator("#people td span.ellipsis", has_text="longer than its column")
    await expect(long).to_have_attribute("tabindex", "0")


async def test_every_file_of_the_page_is_found(tab: Page, cast: Cast) -> None:
    answers: list[Response] = []
    tab.on("response", lambda answer: answers.append(answer))
    await tab.goto(PAGE, wait_until="networkidle")
    assert len(answers) > 8
    assert [answer.url for answer in answers if answer.status != 200] == []


@pytest.fixture
async def browser_without_scripts(browser: Browser, site: str) -> AsyncIterator[Page]:
    context = await browser.new_context(base_url=site, java_script_enabled=False)
    await sign_in(context, (await make_cast()).admin)
    yield await context.new_page()
    await context.close()


async def test_what_only_a_script_can_do_is_not_offered_without_one(browser_without_scripts: Page) -> None:
    await browser_without_scripts.goto(PAGE)
    assert await browser_without_scripts.get_by_role("button", name="Compact rows").first.is_visible()
    for control in ("[data-copy-link]", "[data-live]"):
        assert not await browser_without_scripts.locator(control).first.is_visible()


async def test_the_header_and_the_name_stay_in_view_of_a_phone(tab: Page, cast: Cast) -> None:
    await tab.set_viewport_size({"width": 360, "height": 740})
    await tab.goto(PAGE)
    await tab.locator("#people-scroll").evaluate("e => { e.scrollLeft = 400; }")
    name = await tab.locator("#people tbody td:nth-child(2)").first.bounding_box()
    points = tab.locator("#people td[data-watch]").first
    await points.evaluate("e => e.scrollIntoView({ inline: 'end', block: 'nearest' })")
    seen = await points.bounding_box()
    assert name and seen and name["x"] >= 0
    assert name["width"] < 240 and seen["x"] + seen["width"] > name["x"] + name["width"]
