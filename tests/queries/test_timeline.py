"""The timeline's numbers: what the chart counts is what the list holds, whatever the filters."""

import random
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest

from app import database
from app.domain.readers import Reader, Sight
from app.domain.scopes import Scope
from app.domain.timeline import Event, Kind, View
from app.queries import scopes, timeline
from app.queries.scopes import Frame
from tests.cast import Cast, Person, make_cast, make_competitor
from tests.league import ago, solve

KINDS = ("team_renamed", "member_added", "competitor_edited", "drift_pushed", "calendar_break_added", "solves_found",
         "never_heard_of")


@pytest.fixture
async def cast() -> Cast:
    """Everything happens to anybody, much of it at the same moment."""
    cast, chance = await make_cast(), random.Random(11)
    for coach, team in ((cast.coach_a, cast.team_a), (cast.coach_b, cast.team_b)):
        for number in range(4):
            division = chance.choice(["high_school", "college"])
            person = await make_competitor(
                coach, f"Player {number}", division=division, team_id=team if number % 2 else None,
            )
            for _ in range(chance.randrange(9)):
                await solve(person, 10, ago(days=chance.randrange(12)).replace(hour=12, minute=0))
            await database.execute(
                """insert into game_platform_flash_ctf_events (competitor_id, syned_user_id, event_id, name,
                       challenges_solved, started_at)
                   values ($1::uuid, $1::uuid::text, 'f', 'Flash', $2, now() - interval '5 days')""",
                person, chance.randrange(2),
            )
            await database.executemany(
                """insert into activity_events (organization_id, kind, competitor_id, team_id, user_id, at)
                   values ($1, $2, $3, $4, $5, $6)""",
                [(cast.organization_id, kind, chance.choice([person, None]), chance.choice([team, None]), coach.id,
                  ago(days=chance.randrange(12))) for kind in KINDS],
            )
    return cast


async def frame_of(person: Person, scope: Scope) -> Frame:
    is_admin = person.role == "admin"
    reader = Reader(
        user_id=person.id, session_id=uuid4(), role=person.role, name="x", time_zone="UTC", theme="system",
        organization_ids=(person.organization_id,), sight=Sight(is_admin, None if is_admin else person.id),
    )
    return await scopes.frame(scope, reader)


async def everything(frame: Frame, view: View) -> list[Event]:
    return [event async for events in timeline.walk(frame, view) for event in events]


async def paged(frame: Frame, view: View) -> list[Event]:
    """Page by page, of an awkward size."""
    events: list[Event] = []
    while True:
        page = await timeline.get_page(frame, view, size=3)
        events += [event for line in page.lines for event in line.events]
        if page.next is None:
            return events
        view = replace(view, cursor=page.next)


@pytest.mark.parametrize("seed", range(12))
async def test_the_chart_counts_what_the_pages_and_the_file_hold(cast: Cast, seed: int) -> None:
    chance = random.Random(seed)
    people = [row["id"] for row in await database.fetch("select id from competitors order by first_name, id")]
    scope = Scope(
        division=chance.choice(["", "", "college"]), team_id=chance.choice([None, None, cast.team_a]),
        window=chance.choice(["7", "14", "30"]),
    )
    view = View(scope, kind=chance.choice(["", *Kind]), person_id=chance.choice([None, None, *people]))
    for reader in (cast.coach_a, cast.admin):
        frame = await frame_of(reader, scope)
        listed = await everything(frame, view)
        assert [event.at for event in listed] == sorted((event.at for event in listed), reverse=True)
        counted = [count for day in await timeline.by_day(frame, view) for count in day.counts.values()]
        assert sum(counted) == len(listed)
        assert sorted(map(repr, await paged(frame, view))) == sorted(map(repr, listed))
        assert {event.kind for event in listed} <= ({Kind(view.kind)} if view.kind else set(Kind))


async def test_a_coach_counts_no_more_than_an_admin_and_nobody_elses(cast: Cast) -> None:
    mine = await database.fetch("select id from competitors where coach_id = $1", cast.coach_a.id)
    own = await everything(frame := await frame_of(cast.coach_a, Scope()), View(frame.scope))
    every = await everything(frame := await frame_of(cast.admin, Scope()), View(frame.scope))
    assert {event.person.competitor_id for event in own if event.person} <= {row["id"] for row in mine}
    assert 0 < len(own) < len(every)


async def test_the_latest_are_the_first_of_the_list(cast: Cast) -> None:
    frame = await frame_of(cast.admin, Scope())
    lines = await timeline.latest(frame, limit=4)
    page = await timeline.get_page(frame, View(frame.scope))
    assert len(lines) == 4
    assert [line.first for line in lines] == [line.first for line in page.lines[:4]]


async def test_what_happens_just_now_is_in_a_window_that_lasts_until_now(cast: Cast) -> None:
    frame = await frame_of(cast.coach_a, Scope(window="7"))
    person = await database.fetchval("select id from competitors where coach_id = $1 limit 1", cast.coach_a.id)
    before = len(await everything(frame, View(frame.scope)))
    await solve(person, 10, ago() + timedelta(seconds=1))
    assert len(await everything(frame, View(frame.scope))) == before + 1


async def test_a_window_of_many_years_begins_with_the_first_day_of_something(cast: Cast) -> None:
    scope = Scope(window="custom", first_day=ago(days=5000).date(), last_day=ago().date())
    days = await timeline.by_day(await frame_of(cast.admin, scope))
    assert days[0].counts and days[-1].day == scope.last_day
    assert len(days) < 20
