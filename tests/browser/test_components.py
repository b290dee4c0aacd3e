"""The page of all components, as people see it: both themes, a phone, the keyboard."""

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import BrowserContext, Page, expect

from tests.browser.conftest import sign_in
from tests.cast import Cast, make_cast


@pytest.fixture
async def cast(context: BrowserContext) -> Cast:
    cast = await make_cast()
    await sign_in(context, cast.admin)
    return cast


@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_nothing_on_it_fails_the_accessibility_rules(tab: Page, cast: Cast, theme: str) -> None:
    await tab.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
    await tab.goto("/admin/components")
    results = await Axe().run(tab)
    assert [(rule["id"], node["html"][:200]) for rule in results.response["violations"] for node in rule["nodes"]] == []
