"""The operators' alarms in a browser: silent, accessible, on a phone, with a keyboard, live, and without a script."""

from collections.abc import AsyncIterator
from typing import Literal

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, BrowserContext, Page, expect

from app import database
from app.domain.alarm_rules import Cause
from app.domain.pauses import Scope
from app.services import pauses
from tests.browser.conftest import sign_in
from tests.cast import Cast, make_cast

WIDTH = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
TICK = "document.body.dispatchEvent(new CustomEvent('dash:tick'))"
PATHS = ("/admin/alarms", "/admin/alarms?state=resolved", "/admin/alarms?cause=token", "/admin/alarms/settings")


@pytest.fixture
async def cast() -> Cast:
    cast = await make_cast()
    for cause in (Cause.WORKER, Cause.FRESHNESS, Cause.REPEATED_FAILURE):
        await database.execute(
            """insert into alarms (cause, subject, reason, since, flapping_since)
               values ($1::text, 'job_cleanup', 'Something of a length that is worth a line or two ' || $1::text,
                   now() - interval '2 h', case when $1::text = 'worker' then now() end)""",
            cause.value,
        )
    await database.execute(
        """insert into alarms (cause, reason, since, resolved_at) values ('disk', 'It was full', now(), now())"""
    )
    await database.execute(
        """insert into alarm_deliveries (alarm_id, told, channel, user_id, receiver, state)
           select id, 'opened', 'mail', $1::uuid, $1::uuid::text, 'sent' from alarms""",
        cast.admin.id,
    )
    await pauses.pause(Scope.KIND, "job_cleanup", reason="failed 5 times", actor=None, is_automatic=True)
    return cast


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
async def test_the_pages_are_accessible_and_fit_a_phone(admin: Page, theme: Literal["light", "dark"]) -> None:
    await admin.emulate_media(color_scheme=theme)
    for width in (1280, 360):
        await admin.set_viewport_size({"width": width, "height": 740})
        for path in PATHS:
            await admin.goto(path)
            assert await admin.evaluate(WIDTH) == 0, (path, width)
            found = (await Axe().run(admin)).response["violations"]
            assert [(rule["id"], node["html"][:200]) for rule in found for node in rule["nodes"]] == [], path


async def test_the_tab_s_icon_and_the_strip_follow_without_a_reload(admin: Page) -> None:
    await admin.goto("/admin/drift")
    icon = admin.locator("#favicon")
    alarm, calm = await icon.get_attribute("data-alarm"), await icon.get_attribute("data-calm")
    assert alarm and calm and alarm != calm
    await expect(icon).to_have_attribute("href", alarm)
    await expect(admin.locator("#alarm-strip")).to_contain_text("3 alarms are open.")
    await database.execute("update alarms set resolved_at = now()")
    await admin.evaluate(TICK)
    await expect(icon).to_have_attribute("href", calm)
    await expect(admin.locator("#alarm-strip")).not_to_contain_text("open")


async def test_the_list_follows_and_work_is_resumed_with_the_keyboard(admin: Page) -> None:
    await admin.goto("/admin/alarms")
    await database.execute("update alarms set resolved_at = now() where cause = 'worker'")
    await admin.evaluate(TICK)
    await expect(admin.locator("#rows tbody tr")).to_have_count(2)
    await admin.get_by_role("button", name="Resume Cleanup").focus()
    await admin.keyboard.press("Enter")
    await expect(admin.get_by_text("It starts by itself again.")).to_be_visible()
    assert await database.fetchval("select count(*) from pauses") == 0


async def test_without_a_script_filters_and_settings_work(without_scripts: Page) -> None:
    await without_scripts.goto("/admin/alarms")
    await without_scripts.get_by_label("Cause").select_option("worker")
    await without_scripts.get_by_role("button", name="Apply").click()
    await expect(without_scripts.locator("#rows tbody tr")).to_have_count(1)
    await without_scripts.get_by_role("link", name="Who is told").click()
    await without_scripts.get_by_label("Alma Admin").uncheck()
    await without_scripts.locator("form", has_text="One mail when").get_by_role("button", name="Save").click()
    await expect(without_scripts.get_by_text("Saved who gets mail.")).to_be_visible()
    await without_scripts.get_by_label("Address").fill("https://127.0.0.1/hook")
    await without_scripts.get_by_role("button", name="Save address").click()
    await expect(without_scripts.get_by_text("not on the public internet")).to_be_visible()
