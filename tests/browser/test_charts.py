"""Charts in a browser: drawn under the policy when they come into view, redrawn with the theme, gone when removed."""

from collections.abc import AsyncIterator

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, BrowserContext, Page, expect

from tests.browser.conftest import sign_in
from tests.cast import Cast, make_cast

SWAP = """() => {
    const figure = document.getElementById("chart-example");
    const fresh = figure.cloneNode(true);
    fresh.removeAttribute("data-watched");
    fresh.querySelector(".chart-canvas").replaceChildren();
    figure.replaceWith(fresh);
    document.dispatchEvent(new CustomEvent("htmx:after:swap", { detail: { ctx: {} } }));
}"""
NODES = "document.getElementsByTagName('*').length"
INK = "getComputedStyle(document.querySelector('#chart-example .js-line')).stroke"


@pytest.fixture
async def cast() -> Cast:
    return await make_cast()


@pytest.fixture
async def components(context: BrowserContext, tab: Page, cast: Cast) -> Page:
    await sign_in(context, cast.admin)
    await tab.goto("/admin/components")
    return tab


@pytest.fixture
async def without_scripts(browser: Browser, site: str, cast: Cast) -> AsyncIterator[Page]:
    context = await browser.new_context(base_url=site, java_script_enabled=False)
    await sign_in(context, cast.admin)
    yield await context.new_page()
    await context.close()


async def drawn(tab: Page) -> None:
    await tab.locator("#chart-example").scroll_into_view_if_needed()
    await expect(tab.locator("#chart-example .js-line").first).to_be_visible()


async def test_a_chart_is_drawn_when_it_comes_into_view_and_breaks_no_rule(components: Page) -> None:
    loaded = components.locator("script[src*=plotly]")
    await expect(loaded).to_have_count(0)
    await drawn(components)
    await expect(loaded).to_have_count(1)
    assert await components.locator("#chart-example .main-svg").first.bounding_box() is not None
    await expect(components.locator(".modebar, .plotly-notifier")).to_have_count(0)
    found = (await Axe().run(components)).response["violations"]
    assert [(rule["id"], node["html"][:200]) for rule in found for node in rule["nodes"]] == []


async def test_it_follows_the_theme(components: Page) -> None:
    await drawn(components)
    before = await components.evaluate(INK)
    await components.get_by_role("button", name="Dark theme").click()
    await expect(components.locator("html")).to_have_attribute("data-theme", "dark")
    assert await components.evaluate(INK) != before


async def test_fifty_refreshes_leave_nothing_behind(components: Page) -> None:
    await drawn(components)
    before = 0
    for turn in range(50):
        await components.evaluate(SWAP)
        await drawn(components)
        before = before or await components.evaluate(NODES)
        assert turn == 0 or await components.evaluate(NODES) == before


async def test_without_a_script_the_numbers_are_there(without_scripts: Page) -> None:
    await without_scripts.goto("/admin/components")
    await expect(without_scripts.locator("#chart-example .chart-canvas")).to_be_hidden()
    await without_scripts.locator("#chart-example summary").click()
    await expect(without_scripts.locator("#chart-example td").first).to_be_visible()
