"""Sessions as the database finds them, against the rule told a second time as plainly as can be."""

import random
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from app import database
from app.domain.practice_hours import View
from app.domain.scopes import Scope
from app.queries import practice_hours as queries
from app.queries import scopes
from app.queries.practice_hours import Report
from tests.cast import Cast, Person, make_cast, make_competitor
from tests.league import solve
from tests.readers import reader_for

NOON = datetime(2026, 10, 5, 12, tzinfo=UTC)


@pytest.fixture
async def cast() -> Cast:
    return await make_cast()


async def report_of(person: Person, **view: object) -> Report:
    wanted = View(**view)  # type: ignore[arg-type]
    frame = await scopes.frame(wanted.scope, await reader_for(person))
    return queries.understood(wanted, frame)[0]


async def practise(competitor_id: UUID, *minutes: float, category: str = "Cryptography", at: datetime = NOON) -> None:
    for minute in minutes:
        await solve(competitor_id, 100, at + timedelta(minutes=minute), category=category)


async def play(competitor_id: UUID, name: str, *, solved: int = 1, at: datetime = NOON, event: str = "") -> None:
    await database.execute(
        """insert into game_platform_flash_ctf_events (competitor_id, syned_user_id, event_id, name, challenges_solved,
               started_at) values ($1::uuid, $1::uuid::text, $2, $3, $4, $5)""",
        competitor_id, event or name, name, solved, at,
    )


async def minutes_of(report: Report) -> dict[str, float]:
    page = await queries.get_page(report)
    return {student.name: student.hours.seconds / 60 for student in page.rows}


@pytest.mark.parametrize(("solves", "minutes"), [
    ((0,), 15), ((0, 10), 20), ((0, 30), 40), ((0, 30.02), 30), ((0, 20, 40, 60), 70), ((0, 0, 0), 10),
    ((0, 31, 62), 45), ((0, 5, 40, 45), 30), ((), 0),
])
async def test_the_rule_by_example(cast: Cast, solves: tuple[float, ...], minutes: float) -> None:
    ada = await make_competitor(cast.coach_a, "Ada Prime")
    await practise(ada, *solves)
    assert await minutes_of(await report_of(cast.coach_a, period="all")) == {"Ada Prime": minutes}


async def test_categories_are_practised_apart_and_flash_ctf_solves_make_no_session(cast: Cast) -> None:
    ada = await make_competitor(cast.coach_a, "Ada Prime")
    await practise(ada, 0, 20)
    await practise(ada, 10, category="Forensics")
    await solve(ada, 100, NOON, source="flash_ctf")
    [student] = (await queries.get_page(await report_of(cast.coach_a, period="all"))).rows
    assert {name: tally.seconds for name, tally in student.hours.sessions.items()} == {
        "Cryptography": 1800, "Forensics": 900
    }
    assert student.hours.flash_ctfs.seconds == 0


async def test_a_flash_ctf_with_a_solve_counts_its_window_once(cast: Cast) -> None:
    ada = await make_competitor(cast.coach_a, "Ada Prime")
    await play(ada, "October Flash")
    await play(ada, " Championship ", event="final")
    await play(ada, "Only looked", solved=0)
    report = await report_of(cast.coach_a, period="all")
    assert await minutes_of(report) == {"Ada Prime": 240}
    await database.execute("insert into practice_event_windows (organization_id, name, minutes) "
                           "values ($1, 'championship', 210)", cast.organization_id)
    assert await minutes_of(report) == {"Ada Prime": 330}
    spans = await queries.get_spans(report)
    assert {(span.title.strip(), span.ended_at - span.started_at) for span in spans} == {
        ("October Flash", timedelta(hours=2)), ("Championship", timedelta(minutes=210))
    }


async def test_another_organizations_length_says_nothing_here(cast: Cast) -> None:
    other = await database.fetchval("insert into organizations (name) values ('Elsewhere') returning id")
    await database.execute("insert into practice_event_windows (organization_id, name, minutes) "
                           "values ($1, 'October Flash', 999)", other)
    await play(await make_competitor(cast.coach_a, "Ada Prime"), "October Flash")
    assert await minutes_of(await report_of(cast.coach_a, period="all")) == {"Ada Prime": 120}


async def test_a_session_belongs_to_the_period_of_its_first_solve(cast: Cast) -> None:
    await database.execute("update organizations set time_zone = 'America/Chicago'")
    end = datetime(2027, 1, 1, 6, tzinfo=UTC)
    ada = await make_competitor(cast.coach_a, "Ada Prime")
    await practise(ada, -10, 10, at=end)
    await play(ada, "New Year Flash", at=end)
    seconds = {key: (await queries.get_total(await report_of(cast.coach_a, period=key))).seconds
               for key in ("autumn-2026", "spring-2027", "year-2026", "year-2025")}
    assert seconds == {"autumn-2026": 1800, "spring-2027": 7200, "year-2026": 9000, "year-2025": 0}


async def test_everybody_has_a_row_and_archived_ones_where_they_solved_something(cast: Cast) -> None:
    await make_competitor(cast.coach_a, "Zero Zoe")
    gone = await make_competitor(cast.coach_a, "Gone Gil")
    await practise(gone, 0)
    await database.execute("update competitors set archived_at = now() where id = $1", gone)
    assert await minutes_of(await report_of(cast.coach_a, period="year-2026")) == {"Gone Gil": 15, "Zero Zoe": 0}
    assert await minutes_of(await report_of(cast.coach_a, period="year-2025")) == {"Zero Zoe": 0}


async def test_a_coach_counts_their_own_and_an_admin_everybody(cast: Cast) -> None:
    ada = await make_competitor(cast.coach_a, "Ada Prime", team_id=cast.team_a, division="college")
    ben = await make_competitor(cast.coach_b, "Ben Blue", team_id=cast.team_b)
    await practise(ada, 0)
    await practise(ben, 0, 10)
    for person, found in ((cast.coach_a, {"Ada Prime": 15}), (cast.admin, {"Ada Prime": 15, "Ben Blue": 20})):
        report = await report_of(person, period="all")
        assert await minutes_of(report) == found
        assert (await queries.get_total(report)).seconds == sum(found.values()) * 60
        assert {span.competitor_id for span in await queries.get_spans(report)} <= {ada, ben}
        assert (await queries.get_roster(report)).count("") == len(found)
    college = await report_of(cast.admin, period="all", scope=Scope(division="college"))
    assert await minutes_of(college) == {"Ada Prime": 15} and (await queries.get_total(college)).seconds == 900
    roster = await queries.get_roster(college)
    assert (roster.count("college"), roster.count("high_school"), roster.count("")) == (1, 1, 2)


async def test_pages_hold_everybody_once(cast: Cast) -> None:
    for number in range(5):
        await make_competitor(cast.coach_a, f"Nina Number{number}")
    page = await queries.get_page(await report_of(cast.coach_a, period="all"), size=2)
    seen = [*page.rows]
    while page.next:
        page = await queries.get_page(await report_of(cast.coach_a, period="all", cursor=page.next), size=2)
        seen += page.rows
    assert [student.last_name for student in seen] == [f"Number{number}" for number in range(5)]


def plainly(moments: list[datetime], starts_at: datetime, ends_at: datetime) -> list[int]:
    """The seconds of each session, one solve after the other."""
    sessions: list[list[datetime]] = []
    for moment in sorted(moments):
        if sessions and (moment - sessions[-1][-1]).total_seconds() <= 30 * 60:
            sessions[-1].append(moment)
        else:
            sessions.append([moment])
    return [
        15 * 60 if len(session) == 1 else int((session[-1] - session[0]).total_seconds()) + 10 * 60
        for session in sessions if starts_at <= session[0] < ends_at
    ]


@pytest.mark.parametrize("seed", range(12))
async def test_the_database_and_the_plain_rule_agree_about_any_history(cast: Cast, seed: int) -> None:
    chance = random.Random(seed)
    starts_at, ends_at = datetime(2026, 8, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)
    histories: dict[tuple[str, str], list[datetime]] = defaultdict(list)
    for person in ("Ada Prime", "Ben Blue"):
        competitor_id = await make_competitor(cast.coach_a, person)
        for _ in range(40):
            category = chance.choice(["Cryptography", "Forensics"])
            around = chance.choice([starts_at, ends_at, NOON])
            moment = around + timedelta(seconds=chance.choice([-1800, -1, 0, 1, 1799, 1800, 1801])
                                        + chance.randint(-3, 3) * 1800 + chance.choice([0, 0, 7]))
            histories[person, category].append(moment)
            await solve(competitor_id, 10, moment, category=category)
    page = await queries.get_page(await report_of(cast.coach_a, period="autumn-2026"))
    for student in page.rows:
        for category in ("Cryptography", "Forensics"):
            expected = plainly(histories[student.name, category], starts_at, ends_at)
            tally = student.hours.sessions.get(category, queries.Tally())
            assert (tally.times, tally.seconds) == (len(expected), sum(expected))
    total = await queries.get_total(await report_of(cast.coach_a, period="autumn-2026"))
    assert total.seconds == sum(student.hours.seconds for student in page.rows)
    year = (await queries.get_total(await report_of(cast.coach_a, period="year-2026"))).seconds
    spring = (await queries.get_total(await report_of(cast.coach_a, period="spring-2027"))).seconds
    assert total.seconds + spring == year
