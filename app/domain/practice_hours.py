"""Practice time estimated from solve times: the rule, the periods it is told for, and the report's address."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from app.domain.addresses import Reading
from app.domain.leaderboard import DIVISIONS
from app.domain.paging import Cursor
from app.domain.scopes import Scope
from app.domain.windows import in_words, midnight

PATH = "/reports/practice-hours"
ORDER = "practice-hours"

GAP_MINUTES = 30
TAIL_MINUTES = 10
LONE_MINUTES = 15
EVENT_MINUTES = 120
MOST_EVENT_MINUTES = 7 * 24 * 60

ALL_TIME = "all"
EVERYBODY = "everybody"
FORMATS = ("csv", "xlsx")
YEARS_OFFERED = 5
YEAR_STARTS, SPRING_STARTS = 8, 1
PERIOD = re.compile(r"(year|autumn|spring)-(20\d\d)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Period:
    """From the start of its first day to the start of `end_day`, which is no part of it. All time has neither."""

    key: str
    label: str
    first_day: date | None = None
    end_day: date | None = None

    def starts_at(self, zone: ZoneInfo) -> datetime | None:
        return midnight(self.first_day, zone) if self.first_day else None

    def ends_at(self, zone: ZoneInfo) -> datetime | None:
        return midnight(self.end_day, zone) if self.end_day else None

    @property
    def span(self) -> str:
        if self.first_day is None or self.end_day is None:
            return "from the first solve until now"
        last = self.end_day.toordinal() - 1
        return f"{in_words(self.first_day)} to {in_words(date.fromordinal(last))}"


def period_named(key: str) -> Period | None:
    """The period of that key: "year-2026" begins in August 2026, "spring-2027" in January 2027."""
    if key == ALL_TIME:
        return Period(ALL_TIME, "All time")
    match = PERIOD.fullmatch(key)
    if match is None:
        return None
    kind, year = match[1], int(match[2])
    if kind == "year":
        label = f"School year {year}–{(year + 1) % 100:02}"
        return Period(key, label, date(year, YEAR_STARTS, 1), date(year + 1, YEAR_STARTS, 1))
    if kind == "autumn":
        return Period(key, f"Autumn {year}", date(year, YEAR_STARTS, 1), date(year + 1, SPRING_STARTS, 1))
    return Period(key, f"Spring {year}", date(year, SPRING_STARTS, 1), date(year, YEAR_STARTS, 1))


def school_year(today: date) -> int:
    return today.year if today.month >= YEAR_STARTS else today.year - 1


def current_period(today: date) -> Period:
    period = period_named(f"year-{school_year(today)}")
    assert period
    return period


def offered_periods(today: date, chosen: Period) -> tuple[Period, ...]:
    """The latest school years with those halves that have begun, all time, and whatever is chosen."""
    newest = school_year(today)
    keys = (
        key for year in range(newest, newest - YEARS_OFFERED, -1)
        for key in (f"year-{year}", f"spring-{year + 1}", f"autumn-{year}")
    )
    periods = [period for key in (*keys, ALL_TIME) if (period := period_named(key))]
    begun = [period for period in periods if period.first_day is None or period.first_day <= today]
    return tuple(dict.fromkeys((*begun, chosen)))


def hours(seconds: int) -> float:
    """Told with two decimals."""
    return round(seconds / 3600, 2)


@dataclass(frozen=True, slots=True)
class View:
    """Whose hours are shown, and for which period; without one it is the school year of today. `is_summed` adds up the
    hours of all students, however many they are."""

    scope: Scope = field(default_factory=Scope)
    period: str = ""
    search: str = ""
    is_summed: bool = False
    cursor: Cursor | None = None

    def url(self, **changes: Any) -> str:
        """The address of this view with other values; a page further on only where `cursor` is given."""
        view = replace(self, **{"cursor": None, **changes})
        return view.scope.url(PATH, {
            "period": view.period, "q": view.search, "sum": EVERYBODY if view.is_summed else "",
            "cursor": view.cursor.encode() if view.cursor else "",
        })

    def division_url(self, division: str) -> str:
        return self.url(scope=replace(self.scope, division=division))

    @property
    def clear_url(self) -> str:
        return self.url(scope=Scope(organization_id=self.scope.organization_id), search="")

    def file_url(self, kind: str) -> str:
        url = self.url()
        return f"{url}{'&' if '?' in url else '?'}format={kind}"


@dataclass(frozen=True, slots=True)
class Parsed:
    view: View
    format: str
    notices: tuple[str, ...]


def parse(pairs: Iterable[tuple[str, str]]) -> Parsed:
    reading = Reading(pairs)
    scope = Scope(
        organization_id=reading.uuid("organization"), coach_id=reading.uuid("coach"),
        division=reading.choice("division", DIVISIONS), team_id=reading.uuid("team"),
    )
    is_summed = bool(reading.choice("sum", (EVERYBODY,)))
    view = View(scope, _period(reading), reading.search(), is_summed, reading.cursor(ORDER))
    return Parsed(view, reading.choice("format", FORMATS), tuple(reading.notices))


def _period(reading: Reading) -> str:
    key = reading.text("period")
    if key and period_named(key) is None:
        reading.refuse("period", "is not known; this school year is shown")
        return ""
    return key


def method(zone: str) -> tuple[tuple[str, str], ...]:
    """The rule in words, as the report states it: pairs of what and how."""
    return (
        ("What is counted", "Time is estimated from the moments at which challenges were solved on the Game Platform. "
         "Nobody recorded it with a clock."),
        ("Sessions", f"For each student and each challenge category the on-demand solves are put in order of time. "
         f"A gap of more than {GAP_MINUTES} minutes starts a new session."),
        ("Length of a session", f"Two or more solves: from the first to the last, and {TAIL_MINUTES} minutes. "
         f"A lone solve: {LONE_MINUTES} minutes."),
        ("Flash CTFs", f"A Flash CTF in which the student solved at least one challenge counts its whole window: "
         f"{EVENT_MINUTES} minutes, or the length that an admin set for the event. Its solves are not counted again "
         f"as sessions."),
        ("Periods", f"A school year lasts from 1 August to 31 July, autumn from 1 August to 31 December, spring from "
         f"1 January to 31 July, by the clocks of {zone}. The first moment belongs to a period, its end does not. A "
         f"session belongs to the period of its first solve, a Flash CTF to the period of its start."),
        ("Students", "Everybody on the roster has a row, also without any hours. Who was archived has one in those "
         "periods in which they solved something."),
        ("Rounding", "Time is added up in seconds and told in hours with two decimals, so that rounded hours may "
         "differ from their rounded sum by a hundredth."),
    )
