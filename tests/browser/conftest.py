"""A real browser against the real server: its own process, on the database of the tests, under the production CSP."""

import asyncio
import os
import shutil
import socket
import sys
from collections.abc import AsyncIterator

import httpx
import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Error, Page, async_playwright

from app.security.sessions import open_session, session_cookie_name
from app.settings import get_settings
from tests.cast import Person

QUIET = ("--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run")
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
START_SECONDS = 30


@pytest_asyncio.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    """The system's Chromium, else the one that Playwright installed."""
    arguments = [*QUIET, "--no-sandbox"] if os.geteuid() == 0 else [*QUIET]
    executable = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=executable, args=arguments)
        yield browser
        await browser.close()


@pytest_asyncio.fixture(scope="session")
async def site(database_url: str) -> AsyncIterator[str]:
    """The address of a server of our own."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    server = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "uvicorn", "--factory", "tests.browser.quiet:create_app", "--port", str(port),
        "--no-access-log", "--log-level", "warning",
        env={**os.environ, "DATABASE_URL": database_url, "BASE_URL": address},
    )
    try:
        await _answers(address, server)
        yield address
    finally:
        if server.returncode is None:
            server.terminate()
        await server.wait()


async def _answers(address: str, server: asyncio.subprocess.Process) -> None:
    async with httpx.AsyncClient() as client:
        for _ in range(START_SECONDS * 10):
            assert server.returncode is None, "the server ended while it started"
            try:
                await client.get(f"{address}/robots.txt")
            except httpx.TransportError:
                await asyncio.sleep(0.1)
            else:
                return
    raise AssertionError(f"the server did not answer within {START_SECONDS} s")


@pytest.fixture
def errors() -> list[str]:
    """What the browser complained about; empty at the end of every test. A test that provokes an answer of 4xx or 5xx
    takes the browser's own line about it out again."""
    return []


@pytest_asyncio.fixture
async def context(browser: Browser, site: str) -> AsyncIterator[BrowserContext]:
    context = await browser.new_context(base_url=site)
    context.set_default_timeout(10_000)
    yield context
    await context.close()


@pytest_asyncio.fixture
async def tab(context: BrowserContext, errors: list[str]) -> AsyncIterator[Page]:
    """One tab whose console and scripts must stay silent."""
    tab = await context.new_page()

    def on_console(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            errors.append(message.text)

    def on_error(error: Error) -> None:
        errors.append(str(error))

    tab.on("console", on_console)
    tab.on("pageerror", on_error)
    yield tab
    assert errors == []


async def sign_in(context: BrowserContext, person: Person) -> None:
    """The session cookie of this person, as the sign-in would have set it."""
    token = await open_session(person.id, address="127.0.0.1", user_agent="browser test")
    url = await _base_url(context)
    await context.add_cookies([{"name": session_cookie_name(get_settings()), "value": token, "url": url}])


async def _base_url(context: BrowserContext) -> str:
    page = context.pages[0] if context.pages else await context.new_page()
    response = await page.request.get("/robots.txt")
    return response.url
