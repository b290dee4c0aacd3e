"""The pages of the schedules in a browser: silent, accessible, on a phone, by keyboard, and without a script."""

import re
from collections.abc import AsyncIterator
from typing import Literal
from uuid import UUID

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, BrowserContext, Page, expect

from app import database
from app.services import schedules
from tests.browser.conftest import sign_in
from tests.cast import Cast, make_cast

PAGE = "/admin/schedules"
WIDTH = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.fixture
async def cast() -> Cast:
    await schedules.ensure_built_ins()
    await schedules.change_cron("job_cleanup", "0 0 * * 1", actor_label="test")
    for number, state in enumerate(["succeeded", "failed", "cancelled", "queued"] * 15):
        await database.execute(
            """insert into job_runs (kind, key, trigger, schedule_id, state, queued_at)
               values ('job_cleanup', $1, 'schedule', $2, $3, now() - make_interval(hours => $4))""",
            f"k{number}", await schedule_id(), state, number,
        )
    return await make_cast()


async def schedule_id() -> UUID:
    return UUID(str(await database.fetchval("select id from job_schedules where name = 'job_cleanup'")))


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
@pytest.mark.parametrize(
    "path", ["", "/new", "/new?kind=game_platform_sync", "/preview?cron=0+2+*+*+*&zone=Europe/Berlin", "/one"]
)
async def test_the_pages_are_accessible_and_fit_a_phone(
    admin: Page, theme: Literal["light", "dark"], path: str
) -> None:
    await admin.emulate_media(color_scheme=theme)
    await admin.set_viewport_size({"width": 360, "height": 740})
    await admin.goto(PAGE + (f"/{await schedule_id()}" if path == "/one" else path))
    assert await admin.evaluate(WIDTH) == 0
    found = (await Axe().run(admin)).response["violations"]
    assert [(rule["id"], node["html"][:200]) for rule in found for node in rule["nodes"]] == []


async def test_the_next_times_follow_the_typing(admin: Page) -> None:
    await admin.goto(f"{PAGE}/{await schedule_id()}")
    await expect(admin.locator("#preview")).to_contain_text("only on Monday")
    await admin.locator("#field-cron").fill("30 2 * * 5")
    await expect(admin.locator("#preview")).to_contain_text("At 02:30, only on Friday")
    await admin.locator("#field-zone").select_option("Europe/Berlin")
    await expect(admin.locator("#preview")).to_contain_text("In its zone, Europe/Berlin")
    await admin.locator("#field-cron").fill("soon")
    await expect(admin.locator("#preview")).to_contain_text("should have five fields")
    await expect(admin.locator("#field-cron")).to_be_focused()


async def test_a_schedule_is_paused_and_resumed_by_keyboard(admin: Page) -> None:
    await admin.goto(f"{PAGE}/{await schedule_id()}")
    await admin.locator("#field-reason").focus()
    await admin.keyboard.type("The disk is full")
    await admin.keyboard.press("Enter")
    await expect(admin.locator(".flash")).to_contain_text("paused")
    await admin.get_by_role("button", name="Resume").focus()
    await admin.keyboard.press("Enter")
    await expect(admin.locator(".flash")).to_contain_text("goes on")


async def test_everything_works_without_a_script(without_scripts: Page) -> None:
    tab = without_scripts
    await tab.goto(PAGE)
    await tab.get_by_role("link", name="New schedule").click()
    await tab.get_by_role("link", name="Score sync").click()
    await tab.get_by_label("Name").fill("At night")
    await tab.get_by_label("Cron expression").fill("30 2 * * 5")
    await tab.get_by_role("button", name="Check").click()
    await expect(tab.locator("#preview")).to_contain_text("At 02:30, only on Friday")
    await tab.get_by_role("button", name="Create").click()
    await expect(tab).to_have_url(re.compile("done=created"))
    await tab.get_by_text("Delete this schedule").click()
    await tab.get_by_role("button", name="Delete At night").click()
    await expect(tab).to_have_url(re.compile(r"/admin/schedules\?done=deleted"))


async def test_a_mark_of_the_strip_leads_to_its_run(admin: Page) -> None:
    await admin.goto(PAGE)
    marks = admin.locator(".run-strip a")
    await expect(marks).to_have_count(60)
    assert re.match(r"/admin/jobs/[0-9a-f-]{36}", await marks.last.get_attribute("href") or "")
