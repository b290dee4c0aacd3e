"""The leaderboard in a browser: it searches while one types, sorts, pages and refreshes itself, and needs no script."""

import re

import pytest
from playwright.async_api import Browser, BrowserContext, Page, expect

from app import database
from tests.browser.conftest import sign_in
from tests.cast import Cast, make_cast, make_competitor
from tests.league import ago, refresh, solve

ROWS = "#standings tbody tr"
TICK = "document.body.dispatchEvent(new CustomEvent('dash:tick'))"


@pytest.fixture
async def cast() -> Cast:
    """Sixty people, so that there are two pages; the first three have scores and teams."""
    cast = await make_cast()
    for number, name in enumerate(("Ada Prime", "José Núñez", "Zoe Last")):
        person = await make_competitor(cast.coach_a, name, team_id=cast.team_a)
        await solve(person, 300 - 100 * number, ago(days=number + 1), category="OSINT")
    await database.execute(
        """insert into competitors (organization_id, coach_id, first_name, last_name, division)
           select $1, $2, 'Extra', 'Person ' || lpad(n::text, 2, '0'), 'college' from generate_series(1, 57) n""",
        cast.organization_id, cast.coach_a.id,
    )
    await refresh(cast.organization_id)
    return cast


@pytest.fixture
async def board(context: BrowserContext, tab: Page, cast: Cast) -> Page:
    await sign_in(context, cast.coach_a)
    await tab.goto("/leaderboard")
    return tab


async def first_name(page: Page) -> str:
    return await page.locator(f"{ROWS} th .ellipsis").first.inner_text()


async def test_search_finds_while_typing_and_the_field_keeps_the_focus(board: Page) -> None:
    field = board.get_by_label("Search", exact=True)
    await field.click()
    await field.press_sequentially("nun", delay=30)
    await expect(board.locator(ROWS)).to_have_count(1)
    await expect(board.locator(ROWS)).to_contain_text("José Núñez")
    await expect(field).to_be_focused()
    await expect(field).to_have_value("nun")
    await expect(board).to_have_url(re.compile(r"/leaderboard\?q=nun$"))
    await expect(board.locator("#announcements")).to_have_text("1 competitor shown")
    await field.press("End")
    await field.press("Backspace")
    await field.press("Backspace")
    await field.press("Backspace")
    await expect(board.locator(ROWS)).to_have_count(50)
    await expect(board).to_have_url(re.compile(r"/leaderboard$"))


async def test_sorting_keeps_the_search_and_the_search_keeps_the_sorting(board: Page) -> None:
    await board.get_by_role("link", name="Name", exact=True).click()
    await expect(board.locator("th[aria-sort]")).to_contain_text("Name")
    await expect(board).to_have_url(re.compile(r"sort=name"))
    assert await first_name(board) == "Zoe Last"
    await board.get_by_label("Search", exact=True).press_sequentially("extra", delay=10)
    await expect(board.locator(f"{ROWS} th .ellipsis").first).to_have_text("Extra Person 01")
    await expect(board).to_have_url(re.compile(r"q=extra&sort=name"))
    await board.get_by_role("link", name="Name", exact=True).click()
    await expect(board.locator(f"{ROWS} th .ellipsis").first).to_have_text("Extra Person 57")
    await expect(board.get_by_label("Search", exact=True)).to_have_value("extra")


async def test_focus_stays_on_the_heading_that_sorts(board: Page) -> None:
    heading = board.locator("#sort-challenges")
    await heading.focus()
    await heading.press("Enter")
    await expect(board.locator("th[aria-sort]")).to_contain_text("Challenges")
    await expect(board.locator("#sort-challenges")).to_be_focused()


async def test_a_filter_is_a_chip_that_can_be_taken_away(board: Page) -> None:
    await board.get_by_label("Category").select_option("OSINT")
    await expect(board.locator(".chip")).to_contain_text("OSINT")
    await expect(board).to_have_url(re.compile(r"category=OSINT"))
    await board.get_by_role("link", name="Remove the filter Category OSINT").click()
    await expect(board.locator(".chip")).to_have_count(0)
    await expect(board.get_by_label("Category")).to_have_value("")


async def test_a_click_on_a_team_filters_by_it(board: Page) -> None:
    await board.get_by_role("link", name="Firewall").first.click()
    await expect(board.locator(".chip")).to_contain_text("Firewall")
    await expect(board.locator(ROWS)).to_have_count(3)


async def test_custom_dates_appear_with_their_choice(board: Page) -> None:
    start = board.get_by_label("From")
    await expect(start).to_be_hidden()
    await board.get_by_label("Change over").select_option("custom")
    await expect(start).to_be_visible()
    await start.fill(f"{ago(days=2):%Y-%m-%d}")
    await expect(board).to_have_url(re.compile(r"window=custom&from=\d{4}-\d\d-\d\d"))
    await expect(board.locator(ROWS).nth(1)).to_contain_text("+200")


async def test_pages_turn_and_back_leads_back(board: Page) -> None:
    await board.get_by_role("link", name="Next").click()
    await expect(board.locator(ROWS)).to_have_count(10)
    await board.go_back()
    await expect(board.locator(ROWS)).to_have_count(50)
    assert await first_name(board) == "Ada Prime"
    await expect(board.get_by_role("heading", name="Leaderboard")).to_be_visible()


async def test_new_scores_appear_by_themselves_and_unchanged_ones_change_nothing(board: Page, cast: Cast) -> None:
    async with board.expect_response(lambda response: "seen=" in response.url) as unchanged:
        await board.evaluate(TICK)
    assert (await unchanged.value).status == 204
    assert await first_name(board) == "Ada Prime"

    zoe = await database.fetchval("select id from competitors where last_name = 'Last'")
    await solve(zoe, 900, ago(hours=1))
    await refresh(cast.organization_id)
    field = board.get_by_label("Search", exact=True)
    await field.focus()
    await board.evaluate(TICK)
    await expect(board.locator(f"{ROWS} th .ellipsis").first).to_have_text("Zoe Last")
    await expect(field).to_be_focused()
    await expect(board).to_have_url(re.compile(r"/leaderboard$"))


async def test_a_refresh_waits_while_somebody_is_in_the_table(board: Page, cast: Cast) -> None:
    await board.locator("#sort-name").focus()
    zoe = await database.fetchval("select id from competitors where last_name = 'Last'")
    await solve(zoe, 900, ago(hours=1))
    await refresh(cast.organization_id)
    await board.evaluate(TICK)
    await board.wait_for_timeout(500)
    assert await first_name(board) == "Ada Prime"
    await board.locator("#filter-q").focus()
    await board.evaluate(TICK)
    await expect(board.locator(f"{ROWS} th .ellipsis").first).to_have_text("Zoe Last")


async def test_fifty_refreshes_leave_no_nodes_behind(board: Page, cast: Cast) -> None:
    before = await board.evaluate("document.getElementsByTagName('*').length")
    for _ in range(50):
        version = await database.fetchval("update standing_versions set version = version + 1 returning version")
        await board.evaluate(TICK)
        await expect(board.locator("#leaderboard")).to_have_attribute("hx-get", re.compile(f"seen={version}-"))
    assert abs(await board.evaluate("document.getElementsByTagName('*').length") - before) <= 2


async def test_the_file_comes_as_a_download(board: Page) -> None:
    async with board.expect_download() as started:
        await board.get_by_role("link", name="Download these rows as CSV").click()
    download = await started.value
    assert re.fullmatch(r"leaderboard-\d{4}-\d\d-\d\d\.csv", download.suggested_filename)


async def test_it_works_without_a_script(browser: Browser, site: str, cast: Cast) -> None:
    context = await browser.new_context(base_url=site, java_script_enabled=False)
    await sign_in(context, cast.coach_a)
    page = await context.new_page()
    await page.goto("/leaderboard")
    await expect(page.locator(ROWS)).to_have_count(50)
    await page.get_by_label("Search", exact=True).fill("nunez")
    await page.get_by_role("button", name="Apply").click()
    await expect(page.locator(ROWS)).to_have_count(1)
    await page.get_by_role("link", name="Clear all").click()
    await page.get_by_role("link", name="Name", exact=True).click()
    await expect(page.locator(f"{ROWS} th .ellipsis").first).to_have_text("Zoe Last")
    await page.get_by_role("link", name="Next").click()
    await expect(page.locator(ROWS)).to_have_count(10)
    assert "sort=name" in page.url
    await page.get_by_label("Change over").select_option("custom")
    await page.get_by_label("From").fill(f"{ago(days=10):%Y-%m-%d}")
    await page.get_by_role("button", name="Apply").click()
    await expect(page.get_by_text("(days in UTC)")).to_have_count(1)
    await context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_a_phone_shows_it_without_sideways_scrolling(
    context: BrowserContext, tab: Page, cast: Cast, scheme: str
) -> None:
    await sign_in(context, cast.coach_a)
    await tab.set_viewport_size({"width": 360, "height": 780})
    await tab.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    await tab.goto("/leaderboard?q=extra&category=OSINT&window=custom&sort=zzz")
    assert await tab.evaluate("document.documentElement.scrollWidth") == 360
    await expect(tab.locator(f"{ROWS} th").first).to_be_in_viewport()
