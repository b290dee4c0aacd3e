"""Score rows per second through the whole pipeline, beside the bare insert of the same rows.

Pipeline: bytes as the vendor sends them → client → validation → comparison → store, as a sync run does it, with the
network replaced by memory and the call ledger by nothing. Limit: the same rows and columns by one raw
`insert … unnest … on conflict do nothing` per batch of 500, made ready beforehand. Both from empty tables, in turns.
"""

import argparse
import asyncio
import json
import statistics
import time
from collections.abc import AsyncIterator, Sequence
from typing import Any

import httpx

from app import database
from app.integrations.errors import VendorError
from app.integrations.game_platform.client import GamePlatformClient
from app.integrations.http import Reservation, VendorHttp, make_client
from app.jobs.memory import calm_collector
from app.services import score_ingestion
from app.services.job_runs import Claim
from app.services.score_store import ADD_SOLVES, ROWS_PER_STATEMENT
from bench._database import throw_away_database

PEOPLE = 300
PRACTICE = 240
FLASH_CTFS = 6
FLASH_SOLVES = 10
PER_PERSON = PRACTICE + FLASH_CTFS * FLASH_SOLVES
PEOPLE_PER_BATCH = 50
BATCH_ROWS = ROWS_PER_STATEMENT
ROUNDS = 5
FIRST_SECOND = 1_750_000_000
LABELS = ("crypto", "Cryptography", "Recon", "Forensics", "OSINT", "Webex", "os", "reven", "binexp", "misc", "Other")

SOLVES = "game_platform_challenge_solves"
SCORES = f"{SOLVES}, game_platform_flash_ctf_events, game_platform_stats, game_platform_sync_runs, activity_events"

MAKE_PEOPLE = """
    with organization as (insert into organizations (name) values ('Bench League') returning id),
    people as (
        insert into competitors (organization_id, first_name, last_name, division, status, game_platform_id,
            metactf_user_status)
        select id, 'First', 'Last ' || n, 'college', 'complete', 'bench-' || n, 'approved'
        from organization, generate_series(1, $1::int) n returning id, game_platform_id
    )
    insert into game_platform_sync_state (syned_user_id, competitor_id) select game_platform_id, id from people
"""


class Free:
    """Limiter, breaker and ledger that cost nothing: what is measured is the pipeline."""

    async def reserve(self, kind: str, *, patience_seconds: float) -> Reservation:
        return Reservation(call_id=1, wait_seconds=0)

    async def allow(self) -> float:
        return 0

    async def failed(self, error: VendorError) -> None:
        raise error

    async def succeeded(self) -> None:
        return

    async def finish(self, call_id: int, **_: object) -> None:
        return


class Body(httpx.AsyncByteStream):
    """As from a socket: read once, in one piece."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self._content


def solve(person: int, number: int) -> dict[str, object]:
    return {
        "challenge_solve_id": person * 1000 + number, "challenge_id": number,
        "challenge_title": f"Challenge number {number}", "challenge_points": 50 + number % 10 * 50,
        "challenge_category": LABELS[number % len(LABELS)], "timestamp_unix": FIRST_SECOND + number * 3600 + person,
        "challenge_retired": False, "nist_nice_work_roles": ["Cyber Defense Analyst"],
    }


def answers(person: int) -> dict[str, bytes]:
    """What the vendor sends about one person, by the last part of the path."""
    practice = [solve(person, number) for number in range(PRACTICE)]
    odl = {
        "syned_user_id": f"bench-{person}", "metactf_user_id": person, "total_challenges_solved": PRACTICE,
        "total_points": _points(practice), "last_accessed_unix_timestamp": FIRST_SECOND, "category_points": {},
        "challenge_solves": practice,
    }
    flash = {"syned_user_id": f"bench-{person}", "flash_ctfs": [_flash(person, event) for event in range(FLASH_CTFS)]}
    return {"get_odl_scores": json.dumps(odl).encode(), "get_flash_ctf_progress": json.dumps(flash).encode()}


def _flash(person: int, event: int) -> dict[str, object]:
    solves = [solve(person, number) for number in range(FLASH_SOLVES)]
    return {
        "flash_ctf_name": f"Flash CTF {event}", "flash_ctf_time_start_unix": FIRST_SECOND + event * 2_600_000,
        "challenges_solved": FLASH_SOLVES, "points_earned": _points(solves), "max_points_possible": 6000, "rank": 14,
        "challenge_solves": solves,
    }


def _points(solves: Sequence[dict[str, Any]]) -> int:
    return sum(one["challenge_points"] for one in solves)


def client_of(people: int) -> tuple[httpx.AsyncClient, GamePlatformClient]:
    bodies = {
        f"/scores/{name}?syned_user_id=bench-{person}".encode(): content
        for person in range(1, people + 1) for name, content in answers(person).items()
    }

    def answer(request: httpx.Request) -> httpx.Response:
        body = Body(bodies[request.url.raw_path])
        return httpx.Response(200, stream=body, headers={"content-type": "application/json"})

    free = Free()
    http = make_client("http://127.0.0.1", token="bench", concurrency=8, transport=httpx.MockTransport(answer))
    vendor = VendorHttp(http, vendor="game_platform", limiter=free, breaker=free, ledger=free)
    return http, GamePlatformClient(vendor)


async def run_pipeline(client: GamePlatformClient, rows: int) -> float:
    """Seconds of one sync of everybody from empty tables."""
    await _empty()
    run_id = await database.fetchval(
        """insert into job_runs (kind, key, state, attempts, fence)
           values ('game_platform_sync', gen_random_uuid()::text, 'running', 1, 1) returning id"""
    )
    started = time.perf_counter()
    result = await score_ingestion.sync(Claim(run_id, 1), client, batch_size=PEOPLE_PER_BATCH)
    seconds = time.perf_counter() - started
    assert result.new_solves == rows, result
    return seconds


async def run_raw(batches: Sequence[Sequence[list[Any]]]) -> float:
    await _empty()
    started = time.perf_counter()
    for columns in batches:
        async with database.transaction():
            await database.fetch(ADD_SOLVES, *columns)
    return time.perf_counter() - started


async def _empty() -> None:
    await database.execute_script(
        f"""truncate {SCORES};
            update game_platform_sync_state set last_odl_synced_at = null, recounted_total = null"""
    )
    await database.execute_script("vacuum game_platform_sync_state")
    await database.execute_script("checkpoint")


async def _stored_batches() -> list[list[list[Any]]]:
    """The very rows that the pipeline stored, as columns."""
    rows = await database.fetch(
        f"""select syned_user_id, source, event_id, challenge_solve_id, competitor_id, metactf_user_id, challenge_id,
                challenge_title, challenge_category, category, challenge_points, solved_at, raw_payload
            from {SOLVES} order by id"""
    )
    chunks = [rows[start:start + BATCH_ROWS] for start in range(0, len(rows), BATCH_ROWS)]
    return [[list(column) for column in zip(*chunk, strict=True)] for chunk in chunks]


async def run(people: int = PEOPLE, rounds: int = ROUNDS) -> float:
    """Prints the measures; answers the pipeline's share of the limit."""
    rows = people * PER_PERSON
    async with throw_away_database():
        await database.execute(MAKE_PEOPLE, people)
        http, client = client_of(people)
        async with http:
            await run_pipeline(client, rows)
            batches = await _stored_batches()
            calm_collector()  # as a worker does
            pipeline, raw = [], []
            for _ in range(rounds):
                pipeline.append(rows / await run_pipeline(client, rows))
                raw.append(rows / await run_raw(batches))
    share = statistics.median(pipeline) / statistics.median(raw)
    print(f"{rows:,} solves of {people} people in batches of {BATCH_ROWS}, median of {rounds} rounds in turns")
    print(f"raw insert … unnest … on conflict  {statistics.median(raw):>10,.0f} rows/s")
    print(f"whole pipeline                     {statistics.median(pipeline):>10,.0f} rows/s   {share:.0%} of raw")
    return share


def main(arguments: Sequence[str] = ()) -> None:
    parser = argparse.ArgumentParser(prog="sideline bench ingest", description=__doc__)
    parser.add_argument("--people", type=int, default=PEOPLE)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    options = parser.parse_args(list(arguments))
    asyncio.run(run(options.people, options.rounds))
