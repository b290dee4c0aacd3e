"""A number is the sum of its rows, whatever the filters, the days and the reader."""

import random
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest_asyncio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app import database
from app.domain import windows
from app.domain.kpis import Amount, Kpi
from app.domain.numbers import View
from app.domain.readers import Reader
from app.domain.scopes import Scope
from app.queries import kpis, numbers, scopes
from app.queries.scopes import Frame
from tests.cast import Cast, Person, make_cast, make_competitor, make_team
from tests.league import ago, refresh, solve
from tests.readers import reader_for

DIVISIONS = ("middle_school", "high_school", "college")
DAYS = st.integers(0, 130)

Readers = dict[str, Reader]


@pytest_asyncio.fixture
async def cast() -> Cast:
    """Thirty people of both coaches who came, joined, left, solved and looked in at random times."""
    chance, cast = random.Random(7), await make_cast()
    teams = {coach: [await make_team(coach, f"{coach.id} {n}") for n in range(2)] for coach in coaches(cast)}
    for number in range(30):
        coach = chance.choice(coaches(cast))
        person = await make_competitor(
            coach, f"Person {number}", division=chance.choice(DIVISIONS), team_id=chance.choice([*teams[coach], None]),
            status=chance.choice(["complete", "complete", "profile"]),
        )
        for _ in range(chance.randrange(6)):
            await solve(person, chance.randrange(500), ago(days=chance.randrange(130), hours=chance.randrange(24)))
        await database.execute(
            """update competitors set created_at = now() - make_interval(days => $2), archived_at = $3
               where id = $1""", person, chance.randrange(130), chance.choice([None, None, ago(days=30)]),
        )
        await database.execute("update team_memberships set created_at = now() - make_interval(days => $2) "
                               "where competitor_id = $1", person, chance.randrange(130))
        await database.execute("update game_platform_sync_state set last_remote_accessed_at = $2 "
                               "where competitor_id = $1", person, ago(days=chance.randrange(130)))
    await make_flash_ctfs(chance)
    await refresh(cast.organization_id)
    return cast


async def make_flash_ctfs(chance: random.Random) -> None:
    for event, days in (("first", 100), ("second", 60), ("third", 20)):
        await database.execute(
            "insert into game_platform_flash_ctfs (event_id, name, started_at) values ($1, $1, $2)", event,
            ago(days=days),
        )
        for person in await database.fetch("select id from competitors order by id"):
            await database.execute(
                """insert into game_platform_flash_ctf_events (competitor_id, syned_user_id, event_id,
                       challenges_solved, started_at) values ($1::uuid, $1::uuid::text, $2, $3, $4)""",
                person["id"], event, chance.randrange(3), ago(days=days),
            )


def coaches(cast: Cast) -> list[Person]:
    return [cast.coach_a, cast.coach_b]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    who=st.sampled_from(["coach_a", "admin"]), window=st.sampled_from([*windows.PRESETS, windows.CUSTOM]),
    days=st.tuples(DAYS, DAYS), division=st.sampled_from(["", *DIVISIONS]), team=st.integers(0, 3),
    of_coach=st.booleans(),
)
async def test_the_rows_add_up_to_the_card(
    cast: Cast, who: str, window: str, days: tuple[int, int], division: str, team: int, of_coach: bool
) -> None:
    reader = await reader_for(getattr(cast, who))
    teams = [None, *(row["id"] for row in await database.fetch("select id from teams order by name limit 3"))]
    first, last = (date.today() - timedelta(days=day) for day in sorted(days, reverse=True))  # noqa: DTZ011
    is_custom = window == windows.CUSTOM
    frame = await scopes.frame(Scope(
        division=division, team_id=teams[team], window=window, first_day=first if is_custom else None,
        last_day=last if is_custom else None, coach_id=cast.coach_b.id if of_coach else None,
    ), reader)
    found = await kpis.get_cards(frame)
    assert [card.kpi for card in found.cards] == list(Kpi)
    for card in found.cards:
        assert await added_up(View(card.kpi, frame.scope), frame) == card.now, card.kpi
    assert found.cards[3].now.part == await solves_there(frame)
    assert sum(found.cards[3].spark) == found.cards[3].now.part
    assert max(found.cards[0].spark) <= found.cards[0].now.part <= sum(found.cards[0].spark)


async def added_up(view: View, frame: Frame) -> Amount:
    """Page after page of seven, and beside it the sum that the page states."""
    event = await numbers.latest_event(view, frame)
    rows: list[numbers.Row] = []
    cursor = None
    while True:
        page = await numbers.get_page(View(view.kpi, view.scope, cursor), frame, event, size=7)
        rows += page.rows
        cursor = page.next
        if cursor is None:
            break
    assert len({row.competitor_id for row in rows}) == len(rows)
    assert all(one.part >= other.part for one, other in pairwise(rows))
    is_share = view.kpi in (Kpi.ENROLLED, Kpi.MONTHLY_CTF)
    total = Amount(sum(row.part for row in rows), len(rows) if is_share else None)
    assert total == await numbers.get_total(view, frame, event)
    return total


async def solves_there(frame: Frame) -> int:
    """Counted once more, in Python, from everything there is."""
    rows = await database.fetch(
        """select v.solved_at, c.coach_id, c.division, m.team_id from game_platform_challenge_solves v
           join competitors c on c.id = v.competitor_id left join team_memberships m on m.competitor_id = c.id
           where c.archived_at is null"""
    )
    scope, ends_at = frame.scope, frame.window.ends_at or datetime.max.replace(tzinfo=UTC)
    coach_id = scope.coach_id if frame.sight.sees_everyone else frame.sight.coach_id
    return sum(
        frame.window.starts_at <= row["solved_at"] < ends_at and coach_id in (None, row["coach_id"])
        and scope.division in ("", row["division"]) and scope.team_id in (None, row["team_id"])
        for row in rows
    )
