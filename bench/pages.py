"""How fast the coach's pages are in a real Chromium: first byte, largest paint, answer to an interaction, jumps, bytes.

Each league has a throw-away database of its own; the product's real server runs beside the browser on this machine.
"""

import argparse
import asyncio
import base64
import os
import re
import secrets
import shutil
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx
from playwright.async_api import Browser, BrowserContext, Page, async_playwright

from app import database
from app.security.sessions import open_session, session_cookie_name
from app.settings import get_settings
from bench._database import throw_away_database
from bench._league import make_league
from bench.leaderboard import Case, _queries, server

LEAGUES = {72: 60, 10_000: 100}
TTFB_MS, LCP_MS, INP_MS, CLS, KILOBYTES, KILOBYTES_WITH_CHARTS = 100, 1000, 100, 0.02, 60, 480
PATHS = (
    "/", "/?window=7", "/leaderboard", "/competitors", "/teams", "/teams?view=matrix", "/timeline", "/alerts",
    "/numbers/active", "/numbers/solved", "/charts/monthly-ctf?chart=absolute",
)
SETTLED_MS = 600

FLASH_CTFS = """
insert into game_platform_flash_ctfs (event_id, name, started_at)
select 'flash-' || n, 'Flash CTF ' || n, now() - make_interval(days => 10 + 30 * n) from generate_series(0, 5) n
"""
PLAYED = """
insert into game_platform_flash_ctf_events (competitor_id, syned_user_id, event_id, name, challenges_solved, score,
    started_at)
select v.competitor_id, v.syned_user_id, v.event_id, f.name, count(*), sum(v.challenge_points), f.started_at
from game_platform_challenge_solves v join game_platform_flash_ctfs f on f.event_id = v.event_id
group by v.competitor_id, v.syned_user_id, v.event_id, f.name, f.started_at
"""
ONE_MORE_SOLVE = """
insert into game_platform_challenge_solves (competitor_id, syned_user_id, challenge_solve_id, challenge_id)
select id, game_platform_id, gen_random_uuid()::text, 'bench' from competitors limit 1
"""

OBSERVE = """
window.seen = {lcp: 0, cls: 0, inp: 0};
const watch = (type, note, options = {}) =>
  new PerformanceObserver((list) => list.getEntries().forEach(note)).observe({type, buffered: true, ...options});
watch("largest-contentful-paint", (entry) => { seen.lcp = entry.startTime; });
watch("layout-shift", (entry) => { if (!entry.hadRecentInput) seen.cls += entry.value; });
watch("event", (entry) => { if (entry.interactionId) seen.inp = Math.max(seen.inp, entry.duration); },
  {durationThreshold: 16});
"""
READ = """() => {
  const own = performance.getEntriesByType("navigation")[0];
  const files = performance.getEntriesByType("resource");
  const size = (list) => list.reduce((sum, file) => sum + file.encodedBodySize, 0);
  const charts = files.filter((file) => file.name.includes("plotly"));
  return {...seen, ttfb: own.responseStart - own.requestStart, bytes: own.encodedBodySize + size(files) - size(charts),
    charts: size(charts)};
}"""


@dataclass(frozen=True, slots=True)
class Load:
    """One opening of a page; times in milliseconds."""

    ttfb: float
    lcp: float
    cls: float
    inp: float
    bytes: int
    charts: int


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    executable = shutil.which("chromium") or shutil.which("google-chrome")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=executable, args=["--no-sandbox"] if os.geteuid() == 0 else []
        )
        yield browser
        await browser.close()


async def tokens() -> dict[str, str]:
    return {
        role: await open_session(
            await database.fetchval("select id from users where role = $1 order by email limit 1", role),
            address="127.0.0.1", user_agent="bench",
        )
        for role in ("coach", "admin")
    }


@asynccontextmanager
async def signed_in(browser: Browser, address: str, token: str) -> AsyncIterator[BrowserContext]:
    """A browser without anything in its cache."""
    context = await browser.new_context(base_url=address, viewport={"width": 1280, "height": 900})
    await context.add_cookies([{"name": session_cookie_name(get_settings()), "value": token, "url": address}])
    await context.add_init_script(OBSERVE)
    yield context
    await context.close()


async def open_page(page: Page, path: str) -> Load:
    await page.goto(path)
    await page.wait_for_timeout(SETTLED_MS)
    return Load(**await page.evaluate(READ))


async def walk(page: Page) -> tuple[int, float]:
    """Thirty interactions as a coach makes them, by keyboard and pointer: how many, and the slowest answer."""
    done = slowest = 0.0
    for part in (_change_days, _search, _sort):
        done += await part(page)
        await page.wait_for_timeout(SETTLED_MS)
        slowest = max(slowest, (await page.evaluate(READ))["inp"])
    return int(done), slowest


async def _change_days(page: Page) -> int:
    await page.goto("/")
    days = ("7", "14", "90", "year", "30")
    for window in days:
        await page.locator("#filter-window").focus()
        await page.locator("#filter-window").select_option(window)
        await page.keyboard.press("Tab")
    await page.wait_for_timeout(SETTLED_MS)
    for _ in range(4):
        await page.locator("#overview summary").first.click()
    return 2 * len(days) + 4


async def _search(page: Page) -> int:
    await page.goto("/leaderboard")
    await page.locator("#filter-q").press_sequentially("nakamura", delay=80)
    return len("nakamura")


async def _sort(page: Page) -> int:
    await page.goto("/leaderboard")
    names = ("points", "name", "challenges", "team")
    for name in names:
        await page.locator(f"#sort-{name}").click()
        await page.wait_for_timeout(SETTLED_MS)
        await page.keyboard.press("Tab")
    return 2 * len(names)


async def staleness(address: str, token: str) -> str:
    """Whether the next answer after a commit shows it."""
    cookies = {session_cookie_name(get_settings()): token}
    async with httpx.AsyncClient(base_url=address, cookies=cookies) as client:
        shown = []
        for _ in range(2):
            answer = await client.get("/numbers/solved")
            found = re.search(r'kpi-value">([\d,]+)', answer.text)
            shown.append(int(found[1].replace(",", "")) if found else -1)
            await database.execute(ONE_MORE_SOLVE)
    return "0 s" if shown[1] == shown[0] + 1 else f"NOT shown by the next answer: {shown}"


async def run_league(people: int, solves: int, browser: Browser, loads: int) -> list[str]:
    """Prints what was measured; answers what misses its aim."""
    async with throw_away_database() as database_url:
        await make_league(people, solves)
        for statement in (FLASH_CTFS, PLAYED):
            await database.execute(statement)
        print(f"\n{people:,} competitors, {await _count_solves():,} solves")
        known, missed = await tokens(), []
        async with server(database_url, "app.main:create_app", "--factory") as port:
            address = f"http://127.0.0.1:{port}"
            for role, token in known.items():
                for path in PATHS:
                    missed += await _measure(browser, address, token, role, path, loads)
                async with signed_in(browser, address, token) as context:
                    done, inp = await walk(await context.new_page())
                print(f"  {role:<6} slowest of {done} interactions: {inp:.0f} ms")
                missed += [f"{people:,} {role}: INP {inp:.0f} ms"] if inp > INP_MS else []
            print(f"  a number's age after a commit: {await staleness(address, known['admin'])}")
    return missed


async def _measure(browser: Browser, address: str, token: str, role: str, path: str, loads: int) -> list[str]:
    async with signed_in(browser, address, token) as context:
        page = await context.new_page()
        cold = await open_page(page, path)
        warm = [await open_page(page, path) for _ in range(loads)]
    ttfb = sorted(load.ttfb for load in warm)[-(-3 * len(warm) // 4) - 1]
    lcp, cls = max(load.lcp for load in (cold, *warm)), max(load.cls for load in (cold, *warm))
    cookie = f"{session_cookie_name(get_settings())}={token}"
    queries = await _queries(Case(path, path, is_coach=True), {True: cookie})
    kilobytes, with_charts = cold.bytes / 1024, (cold.bytes + cold.charts) / 1024
    print(
        f"  {role:<6} {path:<36} TTFB p75 {ttfb:>5.0f} ms (first {cold.ttfb:.0f})  LCP {lcp:>5.0f} ms  CLS {cls:.3f}  "
        f"{kilobytes:>4.0f} KB, {with_charts:>4.0f} with charts  {queries} queries", flush=True,
    )
    values = (
        ("TTFB", ttfb, TTFB_MS), ("LCP", lcp, LCP_MS), ("CLS", cls, CLS), ("KB", kilobytes, KILOBYTES),
        ("KB with charts", with_charts, KILOBYTES_WITH_CHARTS),
    )
    return [f"{role} {path}: {name} {value:.2f}, aim {aim}" for name, value, aim in values if value > aim]


async def _count_solves() -> int:
    return int(await database.fetchval("select count(*) from game_platform_challenge_solves"))


async def run(options: argparse.Namespace) -> None:
    missed: list[str] = []
    async with chromium() as browser:
        for people, solves in LEAGUES.items():
            if people <= options.largest:
                missed += await run_league(people, solves, browser, options.loads)
    print("\nmissed: " + ("nothing" if not missed else ""))
    for line in missed:
        print(f"  {line}")


def main(arguments: Sequence[str] = ()) -> None:
    parser = argparse.ArgumentParser(prog="sideline bench pages", description=__doc__)
    parser.add_argument("--loads", type=int, default=8, help="how often each page is opened warm")
    parser.add_argument("--largest", type=int, default=max(LEAGUES), help="no league with more competitors than this")
    options = parser.parse_args(list(arguments))
    os.environ.setdefault("SECRET_KEY", secrets.token_hex(32))
    os.environ.setdefault("ENCRYPTION_KEYS", base64.b64encode(secrets.token_bytes(32)).decode())
    asyncio.run(run(options))
