"""From a coach's change of a roster to its effect at the vendor."""

import asyncio
import random
import statistics
import time
from collections.abc import Sequence
from uuid import UUID, uuid4

from asyncpg import Record

from app import database
from app.domain.readers import Reader, Sight
from app.services import teams
from bench._installation import Installation

LATENCY_SECONDS = 0.1
TOO_MANY = 0.01
TEAMS_PER_COACH = 4
PAUSE_SECONDS = 0.5
MOVES_WITHIN_SECONDS = 10
WORST_SECONDS = 60

PEOPLE = """
select c.id, c.coach_id, c.organization_id, c.game_platform_id from competitors c order by c.coach_id, c.id limit $1
"""


async def measure_edits(installation: Installation, edits: int) -> None:
    """Puts people on teams one after another, at odd moments, while the vendor is slow and now and then says 429."""
    await installation.start_worker()
    await installation.vendor_is(latency_seconds=LATENCY_SECONDS, too_many_share=TOO_MANY)
    people = await database.fetch(PEOPLE, edits)
    homes = {coach_id: await _teams_of(coach_id, people[0]["organization_id"]) for coach_id in _coaches(people)}
    await installation.is_quiet()
    chance = random.Random(7)
    began: dict[str, float] = {}
    for number, person in enumerate(people):
        await asyncio.sleep(chance.uniform(0, 2 * PAUSE_SECONDS))
        began[person["game_platform_id"]] = time.time()
        reader = _coach(person["coach_id"], person["organization_id"])
        await teams.add_member(reader, homes[person["coach_id"]][number % TEAMS_PER_COACH], person["id"])
    await _everything_is_sent()
    await installation.stop_workers()
    _print(began, await installation.hear("/effects"))


def _coaches(people: Sequence[Record]) -> set[UUID]:
    return {person["coach_id"] for person in people}


def _coach(coach_id: UUID, organization_id: UUID) -> Reader:
    return Reader(
        user_id=coach_id, session_id=uuid4(), role="coach", name="Coach", time_zone="UTC", theme="system",
        organization_ids=(organization_id,), sight=Sight(coach_id=coach_id),
    )


async def _teams_of(coach_id: UUID, organization_id: UUID) -> list[UUID]:
    reader = _coach(coach_id, organization_id)
    return [
        await teams.create(reader, name=f"Team {number}", division="high_school", affiliation="Example School")
        for number in range(TEAMS_PER_COACH)
    ]


async def _everything_is_sent() -> None:
    async with asyncio.timeout(WORST_SECONDS):
        while await database.fetchval("select exists (select 1 from outbox where state = 'waiting')"):  # noqa: ASYNC110
            await asyncio.sleep(0.05)


def _print(began: dict[str, float], effects: Sequence[dict[str, object]]) -> None:
    arrived = [(str(told["syned_user_id"]), told["at"]) for told in effects if told["what"] == "user_assigned"]
    seconds = sorted(float(str(at)) - began[user] for user, at in arrived)
    lost, doubled = len(began.keys() - {user for user, _ in arrived}), len(arrived) - len({user for user, _ in arrived})
    cuts = statistics.quantiles(seconds, n=100, method="inclusive")
    aim = "met" if cuts[94] < MOVES_WITHIN_SECONDS and seconds[-1] < WORST_SECONDS and not lost + doubled else "MISSED"
    print(
        f"  {len(began)} roster edits to their effect at the vendor ({LATENCY_SECONDS * 1000:.0f} ms, 1 % 429): "
        f"p50 {cuts[49]:.2f} s, p95 {cuts[94]:.2f} s, p99 {cuts[98]:.2f} s, worst {seconds[-1]:.2f} s, "
        f"{lost} lost, {doubled} doubled  {aim}", flush=True,
    )
