"""The sync against the sandbox with latency: time beside its bound, errors, memory, the shared limit, roster edits.

Bound of a pass = max(people × latency ÷ concurrency, people ÷ rate). Every measure uses real worker processes on a
throw-away database. The first look at everybody fetches their whole past and is not measured; the measured pass looks
at everybody once more. The bound knows nothing of a vendor that says "too many": those passes are shown beside it.
"""

import argparse
import asyncio
import base64
import os
import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from app import database
from app.queue import enqueue
from app.tables.jobs import Trigger
from bench._edits import measure_edits
from bench._installation import RATE_LIFTED, Ended, Installation, open_installation, resident_megabytes

CONCURRENCY = 8
DEFAULT_RATE = 600
TOO_MANY = 0.01
RATIO = 1.3
ERROR_RATE = 0.005
MEGABYTES = 150
GROWTH = 1.05
SMALL = (300, 0.1)
LARGE = (10_000, 0.3)
QUICK = (1_000, 0.3)
PEOPLE_PER_SHORT_RUN = 10
TWO_WORKERS_RATE = 300
TWO_WORKERS_SECONDS = 75
WINDOW_SECONDS = 60

EVERYBODY_IS_DUE = "update game_platform_sync_state set due_at = now() - interval '1 minute'"
SOME_ARE_DUE = f"""
{EVERYBODY_IS_DUE} where competitor_id in (select id from competitors order by id limit {PEOPLE_PER_SHORT_RUN})
"""
NOBODY_IS_DUE = "update game_platform_sync_state set due_at = now() + interval '1 day'"
CALLS_OF = "select count(*) from vendor_calls where run_id = $1"


@dataclass(frozen=True, slots=True)
class Pass:
    """One look at everybody."""

    name: str
    people: int
    latency_seconds: float
    per_minute: int
    too_many_share: float = 0

    @property
    def bound_seconds(self) -> float:
        return max(self.people * self.latency_seconds / CONCURRENCY, self.people / (self.per_minute / 60))


class Users:
    """What users would see of the vendor's bad days: people whom a run could not read, and runs that failed."""

    def __init__(self) -> None:
        self.asked = 0
        self.failed = 0

    def saw(self, ended: Ended) -> None:
        self.asked += max(ended.result.get("total", 0), 1)
        self.failed += ended.result.get("failed", 0) + (0 if ended.is_good else 1)

    @property
    def rate(self) -> float:
        return self.failed / self.asked if self.asked else 0


async def measure_pass(installation: Installation, wanted: Pass, users: Users) -> None:
    await installation.start_worker(per_minute=wanted.per_minute)
    await installation.vendor_is(latency_seconds=wanted.latency_seconds, too_many_share=wanted.too_many_share)
    await database.execute(EVERYBODY_IS_DUE)
    ended = await installation.run("game_platform_sync")
    await installation.stop_workers()
    users.saw(ended)
    calls = await database.fetchval(CALLS_OF, ended.run_id)
    asked_to_wait = sum(call["status"] == 429 for call in await installation.hear("/calls"))
    ratio = ended.seconds / wanted.bound_seconds
    aim = "" if asked_to_wait else f"  {_met(ratio <= RATIO)}"
    print(
        f"  {wanted.name:<38} {ended.seconds:>7.2f} s  bound {wanted.bound_seconds:>7.2f} s  ratio {ratio:.2f}{aim}  "
        f"{calls:,} calls, {asked_to_wait} × 429, {ended.result}", flush=True,
    )


async def first_look(installation: Installation) -> None:
    """Everybody's past, with the vendor at its fastest."""
    await installation.start_worker()
    await installation.vendor_is()
    await installation.run("game_platform_sync")
    await installation.stop_workers()


async def measure_passes(people: int, latency_seconds: float, users: Users, *, default_rate: bool) -> None:
    async with open_installation(people) as installation:
        await first_look(installation)
        name = f"{people:,} at {latency_seconds * 1000:.0f} ms"
        await measure_pass(installation, Pass(f"{name}, rate lifted", people, latency_seconds, RATE_LIFTED), users)
        if default_rate:
            await measure_pass(
                installation, Pass(f"{name}, {DEFAULT_RATE} a minute", people, latency_seconds, DEFAULT_RATE), users
            )
        troubled = Pass(f"{name}, rate lifted, 1 % 429", people, latency_seconds, RATE_LIFTED, TOO_MANY)
        await measure_pass(installation, troubled, users)


async def measure_memory(installation: Installation, runs: int) -> None:
    """The resident size of one worker after a tenth of the runs and after all of them."""
    await installation.vendor_is()
    worker = await installation.start_worker()
    sizes = []
    for number in range(1, runs + 1):
        await database.execute(NOBODY_IS_DUE)
        await database.execute(SOME_ARE_DUE)
        await installation.run("game_platform_sync")
        if number in (runs // 10, runs):
            sizes.append(resident_megabytes(worker))
    await installation.stop_workers()
    growth = sizes[1] / sizes[0]
    print(
        f"  memory of a worker after {runs // 10:,} runs {sizes[0]:.1f} MB, after {runs:,} {sizes[1]:.1f} MB  "
        f"{_met(max(sizes) <= MEGABYTES)}  ratio {growth:.3f} {_met(growth <= GROWTH)}", flush=True,
    )


async def measure_two_workers(installation: Installation, users: Users) -> None:
    """Both have more to ask than the limit allows; the sandbox's own log tells how much arrived in any minute."""
    workers = [await installation.start_worker(per_minute=TWO_WORKERS_RATE) for _ in range(2)]
    await installation.vendor_is()
    ids = [row["id"] for row in await database.fetch("select id from competitors order by id")]
    halves = [[str(one) for one in ids[side::2]] for side in range(len(workers))]
    wishes = [{"competitor_ids": half, "full": True} for half in halves]
    runs = [(await enqueue("game_platform_sync", wish, trigger=Trigger.COMMAND)).run_id for wish in wishes]
    for ended in await asyncio.gather(*(installation.end_of(run_id) for run_id in runs)):
        users.saw(ended)
    used = await database.fetchval("select count(distinct worker) from job_runs where id = any($1::uuid[])", runs)
    await installation.stop_workers()
    times = sorted(call["at"] for call in await installation.hear("/calls"))
    busiest = busiest_window(times)
    print(
        f"  two workers ({used} at work), {TWO_WORKERS_RATE} a minute allowed: {len(times):,} calls in "
        f"{times[-1] - times[0]:.0f} s, at most {busiest} in any 60 s  {_met(busiest <= TWO_WORKERS_RATE)}", flush=True,
    )


def busiest_window(times: Sequence[float]) -> int:
    most, first = 0, 0
    for last, at in enumerate(times):
        while at - times[first] >= WINDOW_SECONDS:
            first += 1
        most = max(most, last - first + 1)
    return most


def _met(is_met: bool) -> str:
    return "met" if is_met else "MISSED"


async def run(options: argparse.Namespace) -> None:
    users = Users()
    if not options.only or options.only == "passes":
        print(f"full passes, {CONCURRENCY} at a time (aim: at most {RATIO} × the bound)", flush=True)
        await measure_passes(*SMALL, users, default_rate=True)
        await measure_passes(*(QUICK if options.quick else LARGE), users, default_rate=False)
    if options.only != "passes":
        await measure_one_house(options, users)
    if users.asked:
        print(f"errors that users would see: {users.failed:,} of {users.asked:,} looks, {users.rate:.3%} "
              f"(aim under {ERROR_RATE:.1%}) {_met(users.rate < ERROR_RATE)}")


async def measure_one_house(options: argparse.Namespace, users: Users) -> None:
    async with open_installation(SMALL[0]) as installation:
        await first_look(installation)
        if not options.only or options.only == "memory":
            await measure_memory(installation, options.runs)
        if not options.only or options.only == "limit":
            await measure_two_workers(installation, users)
        if not options.only or options.only == "edits":
            await measure_edits(installation, options.edits)


def main(arguments: Sequence[str] = ()) -> None:
    parser = argparse.ArgumentParser(prog="sideline bench sync", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a tenth of the largest league and of the runs")
    parser.add_argument("--only", choices=("passes", "memory", "limit", "edits"), help="one measure alone")
    options = parser.parse_args(list(arguments))
    options.runs, options.edits = (100, 60) if options.quick else (1_000, 240)
    os.environ.setdefault("SECRET_KEY", secrets.token_hex(32))
    os.environ.setdefault("ENCRYPTION_KEYS", base64.b64encode(secrets.token_bytes(32)).decode())
    asyncio.run(run(options))
