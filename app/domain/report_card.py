"""What the address of a report card says, and the arithmetic of its days. Parsed once, never failing."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from app.domain import competitor_list, scopes
from app.domain.addresses import LONGEST_SEARCH, Reading, address
from app.domain.categories import category_of
from app.domain.leaderboard import SOURCES
from app.domain.paging import Cursor
from app.domain.scopes import Scope
from app.domain.windows import Window


class Sort(StrEnum):
    SOLVED = "solved"
    CHALLENGE = "challenge"
    CATEGORY = "category"
    POINTS = "points"
    SOURCE = "source"


HIGHEST_FIRST = frozenset({Sort.SOLVED, Sort.POINTS})


@dataclass(frozen=True, slots=True)
class View:
    """One state of the page: of `days` only the window counts, the rest is about the table of challenges."""

    competitor_id: UUID
    days: Scope = field(default_factory=Scope)
    search: str = ""
    category: str = ""
    source: str = ""
    sort: Sort = Sort.SOLVED
    is_descending: bool = True
    cursor: Cursor | None = None

    @property
    def path(self) -> str:
        return f"{competitor_list.PATH}/{self.competitor_id}"

    @property
    def is_filtered(self) -> bool:
        return any((self.search, self.category, self.source))

    @property
    def order_name(self) -> str:
        return f"solves/{self.sort}{'-' if self.is_descending else '+'}"

    @property
    def order(self) -> dict[str, str]:
        """The parameters that say how the table is sorted; none where it is the default."""
        is_plain = self.is_descending == (self.sort in HIGHEST_FIRST)
        direction = {} if is_plain else {"dir": "desc" if self.is_descending else "asc"}
        return direction if self.sort is Sort.SOLVED else {"sort": str(self.sort), **direction}

    @property
    def filters(self) -> dict[str, str]:
        return {"q": self.search, "category": self.category, "source": self.source}

    def url(self, **changes: Any) -> str:
        """The address of this view with other values; a page further on only where `cursor` is given."""
        view = replace(self, **{"cursor": None, **changes})
        cursor = view.cursor.encode() if view.cursor else ""
        return address(view.path, {**view.days.parameters(), **view.filters, **view.order, "cursor": cursor})

    def sorted_by(self, sort: Sort) -> str:
        """The address that sorts so; once more turns it round."""
        turned = not self.is_descending if sort is self.sort else sort in HIGHEST_FIRST
        return self.url(sort=sort, is_descending=turned)


@dataclass(frozen=True, slots=True)
class Parsed:
    view: View
    notices: tuple[str, ...]
    is_export: bool


def parse(competitor_id: UUID, pairs: Iterable[tuple[str, str]]) -> Parsed:
    """Unknown parameters say nothing; bad values of known ones become the default, and a notice names them."""
    pairs = tuple(pairs)
    days = scopes.parse(pair for pair in pairs if pair[0] in ("window", "from", "to"))
    reading = Reading(pairs)
    sort = Sort(reading.choice("sort", tuple(Sort)) or Sort.SOLVED)
    direction = reading.choice("dir", ("asc", "desc"))
    view = View(
        competitor_id=competitor_id, days=days.scope, search=reading.search(), category=_category(reading),
        source=reading.choice("source", SOURCES), sort=sort,
        is_descending=direction == "desc" if direction else sort in HIGHEST_FIRST,
    )
    view = replace(view, cursor=reading.cursor(view.order_name))
    is_export = reading.choice("format", ("csv",)) == "csv"
    return Parsed(view, (*days.notices, *reading.notices), is_export)


def _category(reading: Reading) -> str:
    value = reading.text("category")
    if len(value) > LONGEST_SEARCH or "\0" in value:
        reading.refuse("category", "is not known; all are shown")
        return ""
    return category_of(value) if value else ""


@dataclass(frozen=True, slots=True)
class Day:
    """What one person solved on one day of their organization's zone, from one source."""

    day: date
    source: str
    solves: int
    points: int


@dataclass(frozen=True, slots=True)
class Gain:
    solves: int
    points: int
    active_days: int


def gained(days: Iterable[Day], window: Window) -> Gain:
    within = [day for day in days if window.first_day <= day.day <= window.last_day]
    return Gain(
        sum(day.solves for day in within), sum(day.points for day in within), len({day.day for day in within})
    )


def solves_on(days: Iterable[Day], wanted: Iterable[date]) -> tuple[tuple[date, int], ...]:
    """Every wanted day with its solves, zeros included."""
    counts = dict.fromkeys(wanted, 0)
    for day in days:
        if day.day in counts:
            counts[day.day] += day.solves
    return tuple(counts.items())


@dataclass(frozen=True, slots=True)
class Week:
    """The solves from Monday to Sunday; None for a day that is not shown."""

    monday: date
    solves: tuple[int | None, ...]


def weeks(shown: Iterable[tuple[date, int]]) -> tuple[Week, ...]:
    found: dict[date, list[int | None]] = {}
    for day, solves in shown:
        found.setdefault(day - timedelta(days=day.weekday()), [None] * 7)[day.weekday()] = solves
    return tuple(Week(monday, tuple(solves)) for monday, solves in found.items())


@dataclass(frozen=True, slots=True)
class Rhythm:
    """When somebody solves: `best_day` is the one with the most solves, `weekday` the one with the most days."""

    solves: int
    active_days: int
    best_day: date
    best_solves: int
    weekday: str
    weekdays: int


def rhythm(shown: Iterable[tuple[date, int]]) -> Rhythm | None:
    """None where there is not a single solve; of equal days the earlier one counts."""
    solved = [(day, solves) for day, solves in shown if solves]
    if not solved:
        return None
    best_day, best_solves = max(solved, key=lambda each: each[1])
    weekday, weekdays = Counter(f"{day:%A}" for day, _ in solved).most_common(1)[0]
    return Rhythm(sum(solves for _, solves in solved), len(solved), best_day, best_solves, weekday, weekdays)


@dataclass(frozen=True, slots=True)
class Total:
    day: date
    odl: int
    flash_ctf: int


def added_up(days: Iterable[Day]) -> tuple[Total, ...]:
    """The points of both sources at the end of every day that added some."""
    totals: dict[date, Total] = {}
    odl = flash_ctf = 0
    for day in sorted(days, key=lambda day: day.day):
        odl += day.points if day.source == "odl" else 0
        flash_ctf += day.points if day.source != "odl" else 0
        totals[day.day] = Total(day.day, odl, flash_ctf)
    return tuple(totals.values())


def at_the_end_of_months(totals: Iterable[Total]) -> tuple[Total, ...]:
    """Of each month with points the last."""
    return tuple({(total.day.year, total.day.month): total for total in totals}.values())
