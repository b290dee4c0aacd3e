"""The ledger of runs in a browser: silent, accessible, on a phone, and without a script."""

from typing import Literal
from uuid import UUID

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, BrowserContext, Page, expect

from app import database
from tests.browser.conftest import sign_in
from tests.cast import Cast, make_cast

PAGE = "/admin/jobs"
WIDTH = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.fixture
async def cast() -> Cast:
    for number, state in enumerate(["succeeded", "failed", "cancelled", "queued", "running"] * 12):
        await database.execute(
            """insert into job_runs (kind, key, trigger, state, attempts, queued_at, started_at, finished_at,
                   error_class, error_text, traceback, payload, result)
               values ('job_cleanup', $1, 'command', $2::text, 1, now() - make_interval(hours => $3),
                   now() - make_interval(hours => $3),
                   case when $2::text in ('queued', 'running') then null else now() end,
                   case when $2::text = 'failed' then 'VendorError' end,
                   case when $2::text = 'failed' then repeat('unavailable ', 30) end,
                   case when $2::text = 'failed' then 'File "app/x.py"' end, '{}', '{"sessions": 12}')""",
            f"k{number}", state, number,
        )
    await database.execute(
        """insert into job_attempts (run_id, attempt, error_class, error_text, traceback)
           select id, 1, 'VendorError', 'the first time', 'File "app/x.py"' from job_runs where state = 'failed'"""
    )
    await database.execute("insert into workers (id, name) values (gen_random_uuid(), 'host:1')")
    return await make_cast()


async def failed_run() -> UUID:
    return UUID(str(await database.fetchval(
        "select id from job_runs where state = 'failed' order by queued_at desc limit 1"
    )))


@pytest.fixture
async def admin(context: BrowserContext, tab: Page, cast: Cast) -> Page:
    await sign_in(context, cast.admin)
    return tab


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("path", ["", "?state=failed&q=unavailable", "?kind=notifications", "/one"])
async def test_the_pages_are_accessible_and_fit_a_phone(
    admin: Page, theme: Literal["light", "dark"], path: str
) -> None:
    await admin.emulate_media(color_scheme=theme)
    await admin.set_viewport_size({"width": 360, "height": 740})
    await admin.goto(PAGE + (f"/{await failed_run()}" if path == "/one" else path))
    for summary in await admin.locator("main details > summary").all():
        await summary.click()
    assert await admin.evaluate(WIDTH) == 0
    found = (await Axe().run(admin)).response["violations"]
    assert [(rule["id"], node["html"][:200]) for rule in found for node in rule["nodes"]] == []


async def test_an_admin_finds_a_failed_run_and_runs_it_again(admin: Page) -> None:
    await admin.goto(PAGE)
    await admin.get_by_role("navigation", name="States").get_by_role("link", name="Failed").click()
    await expect(admin.locator("#rows tbody tr")).to_have_count(12)
    await admin.locator("#rows tbody a").first.click()
    await admin.get_by_role("button", name="Run again").click()
    await expect(admin.get_by_role("alert")).to_contain_text("This is the new run.")
    await expect(admin.get_by_role("link", name="an earlier run")).to_be_visible()
    await admin.get_by_role("button", name="Cancel").click()
    await expect(admin.get_by_role("alert")).to_contain_text("The run is cancelled.")


async def test_it_works_without_a_script(browser: Browser, site: str, cast: Cast) -> None:
    context = await browser.new_context(base_url=site, java_script_enabled=False)
    await sign_in(context, cast.admin)
    tab = await context.new_page()
    await tab.goto(PAGE)
    await expect(tab.locator("#rows tbody tr")).to_have_count(50)
    await tab.get_by_role("link", name="Next").click()
    await expect(tab.locator("#rows tbody tr")).to_have_count(10)
    await tab.goto(f"{PAGE}/{await failed_run()}")
    await tab.get_by_role("button", name="Delete").click()
    await expect(tab.get_by_role("alert")).to_contain_text("The run is deleted.")
    await context.close()
