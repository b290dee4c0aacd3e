"""A report card in a browser: both themes, a phone, the keyboard, paper, and without a script."""

import re
from collections.abc import AsyncIterator
from typing import Literal
from uuid import UUID

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, BrowserContext, Page, expect

from app import database
from tests.browser.conftest import sign_in
from tests.cast import Cast, make_cast
from tests.history import make_history
from tests.league import ago

WIDTH = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.fixture
async def cast() -> Cast:
    return await make_cast()


@pytest.fixture
async def ada(cast: Cast) -> UUID:
    """With two Flash CTFs behind her."""
    competitor_id = await make_history(cast)
    for number, rank in ((1, 20), (2, 12)):
        await database.execute(
            """insert into game_platform_flash_ctf_events (competitor_id, syned_user_id, event_id, name,
                   challenges_solved, score, max_points, rank, started_at)
               values ($1::uuid, $1::uuid::text, $2, 'Flash CTF ' || $2, 3, 100 * $3, 1000, $4, $5)""",
            competitor_id, str(number), number, rank, ago(days=60 - number),
        )
    return competitor_id


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
async def test_the_card_is_accessible_and_fits_a_phone(
    coach: Page, ada: UUID, theme: Literal["light", "dark"]
) -> None:
    await coach.emulate_media(color_scheme=theme)
    await coach.set_viewport_size({"width": 360, "height": 740})
    for path in (f"/competitors/{ada}", f"/competitors/{ada}?window=custom", f"/competitors/{ada}/disclosures"):
        await coach.goto(path)
        for summary in await coach.locator("details > summary").all():
            await summary.click()
        await expect(coach.get_by_text("could not be read")).to_have_count(0)
        assert await coach.evaluate(WIDTH) == 0, path
        found = (await Axe().run(coach)).response["violations"]
        assert [(rule["id"], node["html"][:200]) for rule in found for node in rule["nodes"]] == [], path


async def test_the_chart_is_drawn_when_it_is_reached(coach: Page, ada: UUID) -> None:
    await coach.goto(f"/competitors/{ada}")
    await coach.locator("#chart-growth").scroll_into_view_if_needed()
    await expect(coach.locator("#chart-growth .main-svg").first).to_be_visible()


async def test_the_table_is_sorted_and_searched_with_the_keyboard_and_the_focus_stays(coach: Page, ada: UUID) -> None:
    await coach.goto(f"/competitors/{ada}?window=90")
    rows = coach.locator("#solved tbody tr")
    await coach.locator("#sort-points").focus()
    await coach.keyboard.press("Enter")
    await expect(coach).to_have_url(re.compile(r"window=90&sort=points$"))
    await expect(coach.locator("#sort-points")).to_be_focused()
    points = [int(await cell.inner_text()) for cell in await rows.locator("td:nth-child(4)").all()]
    assert points == sorted(points, reverse=True) and len(points) == 25
    field = coach.locator("#filter-q")
    await field.press_sequentially("osint", delay=20)
    await expect(coach).to_have_url(re.compile(r"window=90&q=osint&sort=points$"))
    await expect(field).to_be_focused()
    await expect(coach.locator("#announcements")).to_have_text(re.compile(r"\d+ challenges? found"))
    assert await rows.count() == await coach.get_by_text(re.compile("^Puzzle OSINT")).count() > 0
    await coach.get_by_label("Change over").select_option("7")
    await coach.get_by_role("button", name="Show").click()
    await expect(coach).to_have_url(re.compile(r"\?window=7&.*q=osint"))
    await expect(coach.locator("#solved tbody tr").first).to_contain_text("OSINT")


async def test_the_card_works_without_a_script(without_scripts: Page, ada: UUID) -> None:
    tab = without_scripts
    await tab.goto(f"/competitors/{ada}")
    await tab.get_by_label("Change over").select_option("90")
    await tab.get_by_role("button", name="Show").click()
    await expect(tab).to_have_url(re.compile("window=90"))
    await tab.get_by_label("Source").select_option("flash_ctf")
    await tab.get_by_role("button", name="Apply").click()
    await expect(tab).to_have_url(re.compile("window=90.*source=flash_ctf"))
    await expect(tab.locator("#solved tbody tr")).to_have_count(10)
    await tab.get_by_role("link", name="Points", exact=True).click()
    await expect(tab).to_have_url(re.compile("window=90.*source=flash_ctf.*sort=points"))
    await tab.get_by_role("link", name="Who has seen this person").click()
    await expect(tab.locator("#disclosure-log")).to_contain_text("Competitor page")


async def test_on_paper_there_is_the_report_and_nothing_to_press(coach: Page, ada: UUID) -> None:
    await coach.goto(f"/competitors/{ada}")
    await coach.emulate_media(media="print")
    await expect(coach.get_by_role("heading", name="Ada Prime")).to_be_visible()
    assert await coach.locator("main button:visible, main form:visible").count() == 0
    await expect(coach.locator("#categories")).to_be_visible()
    await expect(coach.locator(".page-header .as-of")).to_be_visible()
