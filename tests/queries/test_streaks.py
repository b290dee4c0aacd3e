"""Streaks read from the solves are the ones that the rule counts."""

import random
from datetime import date, datetime, timedelta
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest

from app import database
from app.domain.active_days import Break, streak
from app.domain.readers import Reader, Sight
from app.domain.scopes import Scope
from app.queries import scopes, streaks
from app.queries.scopes import Frame
from tests.cast import Cast, Person, make_cast, make_competitor
from tests.league import solve

ZONE = ZoneInfo("America/Chicago")


@pytest.fixture
async def cast() -> Cast:
    cast = await make_cast()
    await database.execute("update organizations set time_zone = $1", ZONE.key)
    return cast


async def frame_of(person: Person) -> Frame:
    is_admin = person.role == "admin"
    reader = Reader(
        user_id=person.id, session_id=uuid4(), role=person.role, name="x", time_zone="UTC", theme="system",
        organization_ids=(person.organization_id,), sight=Sight(is_admin, None if is_admin else person.id),
    )
    return await scopes.frame(Scope(), reader)


async def solved_on(cast: Cast, name: str, days: set[date]) -> None:
    """Late in the evening there, which is the next day in UTC."""
    competitor_id = await make_competitor(cast.coach_a, name)
    for day in days:
        await solve(competitor_id, 10, datetime(day.year, day.month, day.day, 23, 30, tzinfo=ZONE))


@pytest.mark.parametrize("seed", range(4))
async def test_they_are_what_the_rule_counts(cast: Cast, seed: int) -> None:
    chance, frame = random.Random(seed), await frame_of(cast.coach_a)
    breaks = (Break(frame.today - timedelta(days=9), frame.today - timedelta(days=6)),) if seed % 2 else ()
    wanted = {}
    for number in range(8):
        days = {frame.today - timedelta(days=back) for back in range(1, 25) if chance.random() < 0.5 + number / 15}
        await solved_on(cast, f"Player {number}", days)
        wanted[f"Player {number}"] = streak(days, frame.today, breaks)
    found = {each.person.name: each.days for each in await streaks.running(frame, breaks)}
    assert found == {name: days for name, days in wanted.items() if days >= streaks.SHORTEST}


async def test_a_streak_may_be_as_long_as_is_looked_back(cast: Cast) -> None:
    frame = await frame_of(cast.coach_a)
    await solved_on(cast, "Steady", {frame.today - timedelta(days=back) for back in range(1, streaks.LONGEST + 9)})
    (only,) = await streaks.running(frame, ())
    assert only.days >= streaks.LONGEST - 2


async def test_nobody_elses_are_seen_and_a_break_may_be_all_there_is(cast: Cast) -> None:
    frame = await frame_of(cast.coach_b)
    await solved_on(cast, "Steady", {frame.today - timedelta(days=back) for back in range(1, 9)})
    whole = Break(frame.today - timedelta(days=400), frame.today)
    assert await streaks.running(frame, (whole,)) == ()
    (only,) = await streaks.running(await frame_of(cast.admin), (whole,))
    assert only.days == 8
