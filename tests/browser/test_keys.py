"""Keys: for those who like them, never in the way of typing."""

from playwright.async_api import BrowserContext, Page, expect

from tests.browser.conftest import sign_in
from tests.cast import make_cast, make_competitor
from tests.league import refresh


async def test_keys_search_explain_themselves_and_walk_a_table(context: BrowserContext, tab: Page) -> None:
    cast = await make_cast()
    for name in ("Ada Alder", "Bo Birch"):
        await make_competitor(cast.coach_a, name, team_id=cast.team_a)
    await refresh(cast.organization_id)
    await sign_in(context, cast.coach_a)
    await tab.goto("/leaderboard")
    await tab.keyboard.press("?")
    await expect(tab.get_by_role("dialog", name="Keys")).to_be_visible()
    await tab.keyboard.press("Escape")
    await expect(tab.get_by_role("dialog", name="Keys")).to_be_hidden()
    names = tab.locator("#standings tbody th a")
    await names.first.focus()
    await tab.keyboard.press("ArrowDown")
    await expect(names.nth(1)).to_be_focused()
    await tab.keyboard.press("/")
    await expect(tab.locator("#filter-q")).to_be_focused()
    await tab.keyboard.type("?/")
    await expect(tab.locator("#filter-q")).to_have_value("?/")
