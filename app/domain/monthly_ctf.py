"""The monthly CTF chart: what its address says, and what its numbers find."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

from app.domain import scopes, windows
from app.domain.addresses import Reading
from app.domain.scopes import Scope

PATH = "/charts/monthly-ctf"
OVERVIEW = "/"
FORMATS = ("csv", "json")
MOST_ROWS = 12
ROUND_STEPS = (1, 2, 5, 10, 15, 20, 30, 60, 120, 240)


class Chart(StrEnum):
    """Pace: cumulative points by minute of the event. Absolute: points per event."""

    PACE = "pace"
    ABSOLUTE = "absolute"


@dataclass(frozen=True, slots=True)
class View:
    """`path` is the page whose part the chart is: its own, or the overview."""

    scope: Scope
    chart: Chart = Chart.PACE
    path: str = PATH

    def page_url(self, chart: Chart) -> str:
        return self.scope.url(self.path, {"chart": "" if chart == Chart.PACE else chart})

    def part_url(self, chart: Chart) -> str:
        """The same for htmx, which swaps the chart alone."""
        return self.scope.url(PATH, {"chart": chart, "at": "overview" if self.path == OVERVIEW else ""})

    def file_url(self, kind: str) -> str:
        return self.scope.url(PATH, {"chart": self.chart, "format": kind})


@dataclass(frozen=True, slots=True)
class Parsed:
    view: View
    notices: tuple[str, ...]
    format: str = ""


@dataclass(frozen=True, slots=True)
class Event:
    """One Flash CTF as the people shown played it. `pace`: minutes with a solve and the points until then."""

    name: str
    started_at: datetime
    points: int
    players: int
    best: int
    pace: tuple[tuple[int, int], ...] = ()

    def points_at(self, minute: int) -> int:
        return max((points for at, points in self.pace if at <= minute), default=0)

    @property
    def last_minute(self) -> int:
        return self.pace[-1][0] if self.pace else 0

    def day(self, zone: ZoneInfo) -> str:
        return windows.in_words(self.started_at.astimezone(zone).date())

    def label(self, zone: ZoneInfo) -> str:
        return f"{self.name}, {self.day(zone)}"


def parse(pairs: Iterable[tuple[str, str]], path: str = "") -> Parsed:
    """Unknown parameters say nothing; bad values of known ones become the default, and a notice names them."""
    pairs = list(pairs)
    scope, reading = scopes.parse(pairs), Reading(pairs)
    chart = Chart(reading.choice("chart", tuple(Chart)) or Chart.PACE)
    at_overview = reading.choice("at", ("overview",))
    view = View(scope.scope, chart, path or (OVERVIEW if at_overview else PATH))
    kind = "" if path else reading.choice("format", FORMATS)
    return Parsed(view, (*scope.notices, *reading.notices), kind)


def checkpoints(last_minute: int) -> tuple[int, ...]:
    """Round minutes that lead to the last one, few enough to be read."""
    step = next((step for step in ROUND_STEPS if last_minute / step <= MOST_ROWS), ROUND_STEPS[-1])
    return (*range(0, last_minute, step), last_minute)


def finding(events: tuple[Event, ...], chart: Chart) -> str:
    """The latest event, oldest first, and how it compares with the one before it."""
    if not any(event.players for event in events):
        return "Nobody shown has taken part in a Flash CTF."
    latest, before = events[-1], events[-2] if len(events) > 1 else None
    if not latest.players:
        return f"Nobody shown took part in {latest.name}, the latest Flash CTF."
    return _of_pace(latest, before) if chart is Chart.PACE else _of_points(latest, before)


def _of_pace(latest: Event, before: Event | None) -> str:
    if not latest.pace:
        return f"The solves of {latest.name}, the latest Flash CTF, have not been read yet."
    minute = latest.last_minute
    reached = f"{latest.name}: {_points(latest.points_at(minute))} after {minute} minute{'' if minute == 1 else 's'}"
    if before is None:
        return f"{reached}."
    return f"{reached}, {_compared(latest.points_at(minute) - before.points_at(minute))} {before.name} had by then."


def _of_points(latest: Event, before: Event | None) -> str:
    people = "1 person" if latest.players == 1 else f"{latest.players} people"
    brought = f"{latest.name}: {_points(latest.points)} by {people}"
    return f"{brought}, {_compared(latest.points - before.points)} {before.name}." if before else f"{brought}."


def _points(count: int) -> str:
    return f"{count:,} point{'' if count == 1 else 's'}"


def _compared(difference: int) -> str:
    if not difference:
        return "as many as"
    return f"{abs(difference):,} {'more' if difference > 0 else 'fewer'} than"
