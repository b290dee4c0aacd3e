"""Signing in, the settings and the second factor, with keyboard and eyes, under the production CSP."""

import base64
import time

import pytest
from axe_playwright_python.async_playwright import Axe
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP
from playwright.async_api import Page, expect

from app import database
from app.security import passwords
from tests.browser.conftest import sign_in
from tests.cast import Cast, make_cast
from tests.clients import PASSWORD

WIDTH = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.fixture
async def cast() -> Cast:
    made = await make_cast()
    await database.execute("update users set password_hash = $1", await passwords.hash_password(PASSWORD))
    return made


async def enter_password(tab: Page, cast: Cast) -> None:
    await tab.get_by_label("E-mail").fill(cast.player.email)
    await tab.get_by_label("Password").fill(PASSWORD)
    await tab.keyboard.press("Enter")


async def test_the_whole_way_with_a_second_factor(tab: Page, cast: Cast) -> None:
    await tab.goto("/settings")
    await enter_password(tab, cast)
    await expect(tab.get_by_role("heading", name="Settings")).to_be_visible()
    await tab.get_by_role("link", name="Set up").click()
    await tab.get_by_label("Your password").fill(PASSWORD)
    await tab.get_by_role("button", name="Set up").click()
    qr = tab.get_by_role("img", name="QR code")
    assert await qr.evaluate("image => image.decode().then(() => image.naturalWidth > 100)")
    key = (await tab.locator("main code").inner_text()).replace(" ", "")
    totp = TOTP(base64.b32decode(key), 6, SHA1(), 30)
    await tab.get_by_label("Code").fill(totp.generate(int(time.time())).decode())
    await tab.keyboard.press("Enter")
    await expect(tab.get_by_role("heading", name="Recovery codes")).to_be_visible()
    await tab.get_by_role("button", name="Sign out").click()
    await enter_password(tab, cast)
    await tab.get_by_label("Code").fill(totp.generate(int(time.time()) + 30).decode())
    await tab.keyboard.press("Enter")
    await expect(tab.get_by_role("heading", name="Settings")).to_be_visible()


async def test_a_wrong_password_is_said_where_screen_readers_hear_it(
    tab: Page, cast: Cast, errors: list[str]
) -> None:
    await tab.goto("/login")
    await tab.get_by_label("E-mail").fill(cast.player.email)
    await tab.get_by_label("Password").fill("not the right one")
    await tab.keyboard.press("Enter")
    await expect(tab.get_by_role("alert")).to_contain_text("E-mail or password is wrong.")
    await expect(tab.get_by_label("E-mail")).to_have_value(cast.player.email)
    errors[:] = [error for error in errors if "422" not in error]


@pytest.mark.parametrize("path", ["/login", "/forgot-password", "/set-password/none"])
async def test_a_strangers_pages_are_accessible_and_fit_a_phone(tab: Page, path: str, errors: list[str]) -> None:
    await _look(tab, path)
    errors[:] = [error for error in errors if "404" not in error]


@pytest.mark.parametrize("path", ["/settings", "/settings/second-factor"])
async def test_ones_own_pages_are_accessible_and_fit_a_phone(tab: Page, cast: Cast, path: str) -> None:
    await sign_in(tab.context, cast.admin)
    await _look(tab, path)


async def _look(tab: Page, path: str) -> None:
    await tab.set_viewport_size({"width": 360, "height": 740})
    await tab.goto(path)
    assert await tab.evaluate(WIDTH) == 0
    results = await Axe().run(tab)
    assert [(rule["id"], node["html"][:200]) for rule in results.response["violations"] for node in rule["nodes"]] == []
