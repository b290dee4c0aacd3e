"""Practice hours as a reader may see them: a page of students, the sums behind it, and every session for the file."""

from collections import defaultdict
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

import asyncpg

from app import database
from app.domain import practice_hours as rule
from app.domain.categories import CATEGORIES
from app.domain.paging import Cursor
from app.domain.practice_hours import ORDER, Period, View
from app.queries import keyset, practice_hours_sql
from app.queries.keyset import Arguments, Key, Stretch
from app.queries.practice_hours_sql import SOURCE, SPANS, TALLIES
from app.queries.scopes import Frame

PAGE_SIZE = 50
EXPORT_SIZE = 2000
KEYS: dict[int, tuple[Key, ...]] = {0: (
    Key("left(lower(c.last_name), 200)", "text", 'collate "C"'),
    Key("left(lower(c.first_name), 200)", "text", 'collate "C"'), Key("c.id", "uuid"),
)}

_COACH = "coalesce(nullif(u.display_name, ''), trim(u.first_name || ' ' || u.last_name), '')"
_COLUMNS = {
    "id": "c.id", "first_name": "c.first_name", "last_name": "c.last_name",
    "handle": "coalesce(c.metactf_username, '')", "grade": "coalesce(c.grade, '')",
    "school_id": "coalesce(c.school_id, '')", "division": "coalesce(c.division, '')", "team": "coalesce(t.name, '')",
    "coach": _COACH, "is_archived": "c.archived_at is not null",
}


@dataclass(frozen=True, slots=True)
class Report:
    """Whose hours of which period."""

    frame: Frame
    view: View
    period: Period

    def people(self, arguments: Arguments) -> str:
        """Everybody on the roster, and of those archived since whoever has solved something in the period."""
        conditions = [self.frame.people(arguments), f"""(c.archived_at is null or exists (
            select from game_platform_challenge_solves s where s.competitor_id = c.id
                and s.solved_at >= coalesce({self._starts_at(arguments)}::timestamptz, '-infinity')
                and s.solved_at < coalesce({self._ends_at(arguments)}::timestamptz, 'infinity')))"""]
        if self.view.search:
            name = "lower(c.first_name || ' ' || c.last_name || ' ' || coalesce(c.metactf_username, ''))"
            conditions.append(f"strpos({name}, lower({arguments.add(self.view.search)})) > 0")
        return " and ".join(conditions)

    def statement(self, sql: str, people: str, arguments: Arguments, **parts: str) -> str:
        """About these people's sessions and Flash CTFs in the period."""
        starts_at, ends_at = self._starts_at(arguments), self._ends_at(arguments)
        return practice_hours_sql.statement(sql, people, starts_at, ends_at, **parts)

    def _starts_at(self, arguments: Arguments) -> str:
        return arguments.add(self.period.starts_at(self.frame.zone))

    def _ends_at(self, arguments: Arguments) -> str:
        return arguments.add(self.period.ends_at(self.frame.zone))


@dataclass(frozen=True, slots=True)
class Tally:
    times: int = 0
    solves: int = 0
    seconds: int = 0


@dataclass(frozen=True, slots=True)
class Hours:
    """The sessions by category, and the Flash CTFs."""

    sessions: dict[str, Tally]
    flash_ctfs: Tally

    @property
    def session_count(self) -> int:
        return sum(tally.times for tally in self.sessions.values())

    @property
    def practice_seconds(self) -> int:
        return sum(tally.seconds for tally in self.sessions.values())

    @property
    def seconds(self) -> int:
        return self.practice_seconds + self.flash_ctfs.seconds

    @property
    def categories(self) -> tuple[str, ...]:
        """Those with a session."""
        return _in_order(self.sessions)


def _in_order(categories: Iterable[str]) -> tuple[str, ...]:
    """Unknown ones last."""
    found = set(categories)
    return (*(category for category in CATEGORIES if category in found), *sorted(found - set(CATEGORIES)))


@dataclass(frozen=True, slots=True)
class Student:
    competitor_id: UUID
    first_name: str
    last_name: str
    handle: str
    grade: str
    school_id: str
    division: str
    team: str
    coach: str
    is_archived: bool
    hours: Hours

    @property
    def name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip()


@dataclass(frozen=True, slots=True)
class Page:
    rows: tuple[Student, ...]
    previous: Cursor | None
    next: Cursor | None

    @property
    def categories(self) -> tuple[str, ...]:
        return _in_order(category for student in self.rows for category in student.hours.sessions)


@dataclass(frozen=True, slots=True)
class Roster:
    """How many students the filters leave, by division ("" for none), and since when all of them have been read."""

    by_division: dict[str, int]
    as_of: datetime | None
    is_late: bool

    def count(self, division: str) -> int:
        return self.by_division.get(division, 0) if division else sum(self.by_division.values())


@dataclass(frozen=True, slots=True)
class Span:
    """One session or one Flash CTF of a student; `title` is its category or its name."""

    competitor_id: UUID
    is_flash_ctf: bool
    title: str
    started_at: datetime
    ended_at: datetime
    solves: int
    seconds: int


@dataclass(frozen=True, slots=True)
class EventWindow:
    """A Flash CTF by its name; `minutes` is None where nobody set a length for it."""

    name: str
    minutes: int | None
    times: int
    last_started_at: datetime | None


def understood(view: View, frame: Frame) -> tuple[Report, tuple[str, ...]]:
    """The question without what this reader cannot know, and a notice for each thing left out."""
    notices = frame.notices
    if view.cursor and not keyset.is_usable(view.cursor, KEYS):
        view = replace(view, cursor=None)
        notices = (*notices, "“cursor” belongs to another list; the first page is shown.")
    period = rule.period_named(view.period) or rule.current_period(frame.today)
    return Report(frame, replace(view, scope=frame.scope), period), notices


async def get_page(report: Report, *, size: int = PAGE_SIZE) -> Page:
    """By last name, each student with zeros where there is nothing."""
    arguments, cursor = Arguments(), report.view.cursor
    stretch = Stretch(0, SOURCE, (report.people(arguments),), KEYS[0], True, _COLUMNS)
    found = await database.fetch(keyset.page_sql([stretch], cursor, size + 1, arguments), *arguments.values)
    records, previous, following = keyset.turned(found, ORDER, cursor, size)
    hours = await _hours_of(report, [record["id"] for record in records])
    return Page(tuple(_student(record, hours[record["id"]]) for record in records), previous, following)


async def walk(report: Report) -> AsyncIterator[tuple[Student, ...]]:
    """Every student of the report, page after page."""
    following: Cursor | None = None
    while True:
        view = replace(report.view, cursor=following)
        page = await get_page(replace(report, view=view), size=EXPORT_SIZE)
        if page.rows:
            yield page.rows
        following = page.next
        if following is None:
            return


async def _hours_of(report: Report, competitor_ids: list[UUID]) -> defaultdict[UUID, Hours]:
    arguments = Arguments()
    people = f"c.id = any({arguments.add(competitor_ids)}::uuid[])"
    statement = report.statement(TALLIES, people, arguments, person="competitor_id,", group="group by competitor_id")
    by_person = defaultdict(list)
    for row in await database.fetch(statement, *arguments.values):
        by_person[row["competitor_id"]].append(row)
    return defaultdict(lambda: _hours(()), {person: _hours(own) for person, own in by_person.items()})


async def get_total(report: Report) -> Hours:
    """Of everybody in the report, whatever page is shown."""
    arguments = Arguments()
    statement = report.statement(TALLIES, report.people(arguments), arguments, person="", group="having count(*) > 0")
    return _hours(await database.fetch(statement, *arguments.values))


async def get_roster(report: Report) -> Roster:
    """Counted for every division, whichever is shown."""
    scope = replace(report.frame.scope, division="")
    arguments = Arguments()
    rows = await database.fetch(
        f"""select coalesce(c.division, '') as division, count(*)::int as students, min(y.last_success_at) as as_of
            from {SOURCE} left join game_platform_sync_state y on y.competitor_id = c.id
            where {replace(report, frame=replace(report.frame, scope=scope)).people(arguments)} group by 1""",  # noqa: S608
        *arguments.values,
    )
    shown = [row for row in rows if report.frame.scope.division in ("", row["division"])]
    as_of = min((row["as_of"] for row in shown if row["as_of"]), default=None)
    return Roster({row["division"]: row["students"] for row in rows}, as_of, report.frame.is_late(as_of))


async def get_spans(report: Report) -> tuple[Span, ...]:
    """Every session and Flash CTF of everybody in the report, by person and time."""
    arguments = Arguments()
    statement = report.statement(SPANS, report.people(arguments), arguments)
    return tuple(Span(**row) for row in await database.fetch(statement, *arguments.values))


async def get_event_windows(organization_id: UUID) -> tuple[EventWindow, ...]:
    """Every Flash CTF that somebody of the organization took part in or that a length was set for, latest first."""
    rows = await database.fetch(
        """with seen as (
               select lower(trim(e.name)) as key, max(trim(e.name)) as name, count(distinct e.event_id)::int as times,
                   max(e.started_at) as last_started_at
               from game_platform_flash_ctf_events e join competitors c on c.id = e.competitor_id
               where c.organization_id = $1 group by 1
           )
           select coalesce(w.name, s.name) as name, w.minutes, coalesce(s.times, 0) as times, s.last_started_at
           from seen s full join (select * from practice_event_windows where organization_id = $1) w
               on lower(w.name) = s.key
           order by s.last_started_at desc nulls last, 1""",
        organization_id,
    )
    return tuple(EventWindow(**row) for row in rows)


def _student(record: asyncpg.Record, hours: Hours) -> Student:
    own = {name: record[name] for name in Student.__dataclass_fields__ if name not in ("competitor_id", "hours")}
    return Student(competitor_id=record["id"], hours=hours, **own)


def _hours(rows: Iterable[asyncpg.Record]) -> Hours:
    tallies = {row["category"]: Tally(row["times"], row["solves"], row["seconds"]) for row in rows}
    flash_ctfs = tallies.pop(None, Tally())
    return Hours(tallies, flash_ctfs)
