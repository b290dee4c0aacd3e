"""Requests per second of the leaderboard at several sizes, beside a bare page of the same 50 rows (the limit).

Each size has a throw-away database of its own on the configured server. The product's real server and the limit run
with two processes each; they are asked in turns over 8 connections, and what is printed is the median of the turns.
"""

import argparse
import asyncio
import base64
import os
import secrets
import socket
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import httpx

from app import database
from app.domain.leaderboard import HIGHEST_FIRST, WINDOWS, Sort, View
from app.domain.paging import Cursor
from app.main import create_app
from app.security.sessions import open_session, session_cookie_name
from app.services import standings
from app.settings import get_settings
from bench._database import throw_away_database
from bench._league import make_league
from bench._load import Measure, Target, measure, median

SIZES = (1_000, 10_000, 100_000)
PROCESSES = 2
WARM_UP_SECONDS = 2.0
FRAGMENT = {"HX-Request": "true", "HX-Request-Type": "partial"}
SHARED = ("page 1", "deep page", "search of a name", "filter coach", "fragment")
STEADY = ("page 1", "fragment", "window ", "sort ", "filter ")
LARGEST_BODY, MOST_QUERIES, SHARE, SLOWDOWN, CUSTOM_MS = 10_240, 6, 0.6, 1.3, 500


@dataclass(frozen=True, slots=True)
class Case:
    name: str
    path: str
    is_fragment: bool = False
    is_coach: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    measure: Measure
    limit: Measure
    queries: int

    @property
    def share(self) -> float:
        return self.measure.per_second / self.limit.per_second


async def cases(organization_id: UUID) -> list[Case]:
    """What a reader does with the page, one thing at a time."""
    half = await database.fetchrow(
        """select rank, name_key, competitor_id, coach_id, team_id from standings where organization_id = $1
           order by rank, name_key collate "C", competitor_id offset (select count(*) / 2 from standings) limit 1""",
        organization_id,
    )
    assert half
    deep = Cursor(View().order_name, (0, half["rank"], half["name_key"], str(half["competitor_id"])))
    today = date.today()  # noqa: DTZ011
    custom = View(window="custom", first_day=today - timedelta(days=45), last_day=today - timedelta(days=3))
    listed = [
        ("page 1", View()), ("deep page", View(cursor=deep)), ("search of a name", View(search="nakam")),
        ("search of two words", View(search="ada nov")), ("search without result", View(search="zzzz")),
        *((f"window {label}", View(window=name)) for name, label in WINDOWS.items()),
        *((f"sort {sort}", View(sort=sort, is_descending=sort in HIGHEST_FIRST)) for sort in Sort),
        *((f"sort {sort} turned", View(sort=sort, is_descending=sort not in HIGHEST_FIRST)) for sort in Sort),
        ("filter coach", View(coach_id=half["coach_id"])), ("filter team", View(team_id=half["team_id"])),
        ("filter division", View(division="high_school")), ("filter category", View(category="OSINT")),
        ("filter source", View(source="flash_ctf")), ("custom window", custom),
    ]
    pages = [Case(name, view.url(cursor=view.cursor)) for name, view in listed]
    fragment = Case("fragment", "/leaderboard", is_fragment=True)
    return [*pages, fragment, Case("a coach's page 1", "/leaderboard", is_coach=True)]


@asynccontextmanager
async def server(address: str, app: str, *options: str) -> AsyncIterator[int]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "uvicorn", *options, app, "--port", str(port), "--workers", str(PROCESSES),
        "--no-access-log", "--log-level", "warning", env={**os.environ, "DATABASE_URL": address},
    )
    try:
        await _wait_for(port)
        yield port
    finally:
        process.terminate()
        await process.wait()


async def _wait_for(port: int) -> None:
    async with httpx.AsyncClient() as client:
        for _ in range(300):
            try:
                await client.get(f"http://127.0.0.1:{port}/")
            except httpx.TransportError:
                await asyncio.sleep(0.1)
            else:
                return
    raise SystemExit("a server did not answer within 30 s")


async def cookie_of(role: str) -> str:
    user_id = await database.fetchval("select id from users where role = $1 order by email limit 1", role)
    token = await open_session(user_id, address="127.0.0.1", user_agent="bench")
    return f"{session_cookie_name(get_settings())}={token}"


async def run_size(people: int, options: argparse.Namespace) -> dict[str, Outcome]:
    async with throw_away_database() as address:
        started = time.perf_counter()
        organization_id = await make_league(people)
        await standings.mark_stale(organization_id)
        made, again = time.perf_counter() - started, time.perf_counter()
        await standings.refresh_stale()
        print(f"\n{people:,} competitors: made in {made:.1f} s, standings again in {time.perf_counter() - again:.2f} s")
        listed = [case for case in await cases(organization_id) if options.only in case.name]
        cookies = {True: await cookie_of("coach"), False: await cookie_of("admin")}
        async with _both(address) as (port, limit_port):
            targets = {case: _target(case, port, cookies[case.is_coach]) for case in listed}
            limit = Target("limit", limit_port, "/")
            outcomes = {}
            for case in listed:
                outcomes[case.name] = await _in_turns(targets[case], limit, options, await _queries(case, cookies))
                _print(case.name, outcomes[case.name])
    return outcomes


@asynccontextmanager
async def _both(address: str) -> AsyncIterator[tuple[int, int]]:
    async with (
        server(address, "app.main:create_app", "--factory") as port,
        server(address, "bench._limit:app") as limit_port,
    ):
        yield port, limit_port


def _target(case: Case, port: int, cookie: str) -> Target:
    headers = {"Cookie": cookie, "Accept-Encoding": "br", **(FRAGMENT if case.is_fragment else {})}
    return Target(case.name, port, case.path, headers)


async def _in_turns(target: Target, limit: Target, options: argparse.Namespace, queries: int) -> Outcome:
    for one in (target, limit):  # every connection has planned its statements, as after the first minute
        await measure(one, WARM_UP_SECONDS)
    pairs = [
        (await measure(target, options.seconds), await measure(limit, options.seconds)) for _ in range(options.turns)
    ]
    return Outcome(median([ours for ours, _ in pairs]), median([bare for _, bare in pairs]), queries)


async def _queries(case: Case, cookies: dict[bool, str]) -> int:
    """How often one request goes to the database, counted in this process."""
    seen: list[object] = []
    pool = database.DB.pool
    assert pool is not None
    connections = [await pool.acquire() for _ in range(pool.get_size())]
    for connection in connections:
        connection.add_query_logger(lambda query: seen.append(query.query))
        await pool.release(connection)
    transport: Any = httpx.ASGITransport(create_app())  # type: ignore[arg-type]
    async with httpx.AsyncClient(transport=transport, base_url=get_settings().base_url) as client:
        headers = {"Cookie": cookies[case.is_coach], **(FRAGMENT if case.is_fragment else {})}
        await client.get(case.path, headers=headers)  # the first one also asks what types the columns have
        seen.clear()
        response = await client.get(case.path, headers=headers)
        assert response.status_code == 200, response.text[:300]
    return len(seen)


def _print(name: str, outcome: Outcome) -> None:
    ours, limit = outcome.measure, outcome.limit
    print(
        f"  {name:<24} {ours.per_second:>6.0f}/s  p50 {ours.p50_ms:>6.1f} ms  p99 {ours.p99_ms:>6.1f} ms  "
        f"{ours.body_bytes:>6,} bytes  {outcome.queries} queries  {outcome.share:>4.0%} of the limit "
        f"({limit.per_second:.0f}/s, p99 {limit.p99_ms:.1f} ms)",
        flush=True,
    )


def _compare(results: dict[int, dict[str, Outcome]]) -> None:
    """How the largest league stands beside the smallest, and which aims are met."""
    smallest, largest = results[min(results)], results[max(results)]
    print(f"\np99 at {max(results):,} beside {min(results):,} (aim: at most {SLOWDOWN})")
    for name, outcome in largest.items():
        ratio = outcome.measure.p99_ms / smallest[name].measure.p99_ms
        aim = ("met" if ratio <= SLOWDOWN else "missed") if name.startswith(STEADY) else ""
        print(f"  {name:<24} {ratio:>5.2f}  {aim}")
    every = [outcome for outcomes in results.values() for outcome in outcomes.values()]
    for name in SHARED:
        if name in largest:
            share = min(outcomes[name].share for outcomes in results.values())
            print(f"share of the limit, {name}: at least {share:.0%} (aim {SHARE:.0%})")
    print(f"largest body {max(one.measure.body_bytes for one in every):,} bytes (aim {LARGEST_BODY:,})")
    print(f"queries {sorted({one.queries for one in every})} (aim at most {MOST_QUERIES}, the same at every size)")
    if "custom window" in largest:
        print(f"custom window: p50 {largest['custom window'].measure.p50_ms:.0f} ms at 8 connections (aim {CUSTOM_MS})")


async def run(options: argparse.Namespace) -> None:
    results = {size: await run_size(size, options) for size in options.sizes}
    if results and all(results.values()):
        _compare(results)


def main(arguments: Sequence[str] = ()) -> None:
    parser = argparse.ArgumentParser(prog="sideline bench leaderboard", description=__doc__)
    parser.add_argument("--sizes", type=_sizes, default=SIZES, help="competitors, comma-separated")
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=1.0, help="length of one turn")
    parser.add_argument("--only", default="", help="only what has this in its name")
    parser.add_argument("--quick", action="store_true", help="1,000 and 10,000 competitors, two short turns")
    options = parser.parse_args(list(arguments))
    if options.quick:
        options.sizes, options.turns, options.seconds = SIZES[:2], 2, 0.4
    os.environ["BASE_URL"] = "https://127.0.0.1"  # as in production
    os.environ.setdefault("SECRET_KEY", secrets.token_hex(32))
    os.environ.setdefault("ENCRYPTION_KEYS", base64.b64encode(secrets.token_bytes(32)).decode())
    asyncio.run(run(options))


def _sizes(text: str) -> tuple[int, ...]:
    return tuple(int(size.replace("_", "")) for size in text.split(","))
