"""What the leaderboard's address says: which rows, in which order, over which window. Parsed once, never failing."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Any
from urllib.parse import urlencode
from uuid import UUID
from zoneinfo import ZoneInfo

from app.domain import windows
from app.domain.addresses import EARLIEST_YEAR, LATEST_YEAR, LONGEST_SEARCH, Reading
from app.domain.categories import category_of
from app.domain.paging import Cursor

PATH = "/leaderboard"
DIVISIONS = {"middle_school": "Middle school", "high_school": "High school", "college": "College"}
SOURCES = {"odl": "On-demand practice", "flash_ctf": "Flash CTF"}
WINDOWS = {"7": "7 days", "14": "14 days", "30": "30 days", "90": "90 days", windows.YEAR: "School year"}


class Sort(StrEnum):
    RANK = "rank"
    NAME = "name"
    TEAM = "team"
    DIVISION = "division"
    CHALLENGES = "challenges"
    POINTS = "points"
    CHANGE = "change"
    LAST_ACTIVE = "last_active"


HIGHEST_FIRST = frozenset({Sort.CHALLENGES, Sort.POINTS, Sort.CHANGE, Sort.LAST_ACTIVE})


@dataclass(frozen=True, slots=True)
class View:
    """One state of the page. `source` and `category` '' mean all; `first_day` is set for a custom window only.

    `as_of` is a day or a moment in ISO 8601 whose standings are shown, '' for now.
    """

    organization_id: UUID | None = None
    search: str = ""
    sort: Sort = Sort.RANK
    is_descending: bool = False
    window: str = windows.DEFAULT
    first_day: date | None = None
    last_day: date | None = None
    coach_id: UUID | None = None
    team_id: UUID | None = None
    division: str = ""
    category: str = ""
    source: str = ""
    as_of: str = ""
    cursor: Cursor | None = None

    @property
    def is_scoped(self) -> bool:
        return bool(self.category or self.source)

    @property
    def is_filtered(self) -> bool:
        return any((self.search, self.coach_id, self.team_id, self.division, self.category, self.source, self.as_of))

    @property
    def order_name(self) -> str:
        """What a cursor belongs to: another order, scope or window of changes makes it worthless."""
        scope = f"/{self.source}/{self.category}" if self.is_scoped else ""
        span = f"/{self.window}/{self.first_day}/{self.last_day}" if self.sort is Sort.CHANGE else ""
        return f"{self.sort}{'-' if self.is_descending else '+'}{scope}{span}{self.as_of}"

    @property
    def order(self) -> dict[str, str]:
        """The parameters that say how the rows are sorted; none where it is the default."""
        is_plain = self.is_descending == (self.sort in HIGHEST_FIRST)
        direction = {} if is_plain else {"dir": "desc" if self.is_descending else "asc"}
        return direction if self.sort is Sort.RANK and is_plain else {"sort": str(self.sort), **direction}

    def parameters(self) -> dict[str, str]:
        """The query string that leads here; what is at its default is left out, and the cursor with it."""
        values = {
            "organization": self.organization_id, "q": self.search, "coach": self.coach_id, "team": self.team_id,
            "division": self.division, "category": self.category, "source": self.source,
            "window": "" if self.window == windows.DEFAULT else self.window,
            "from": self.first_day, "to": self.last_day, "as_of": self.as_of, **self.order,
        }
        return {name: str(value) for name, value in values.items() if value}

    def url(self, **changes: Any) -> str:
        """The address of this view with other values; a page further on only where `cursor` is given."""
        changed = replace(self, **{"cursor": None, **changes})
        parameters = changed.parameters()
        if changed.cursor:
            parameters["cursor"] = changed.cursor.encode()
        return f"{PATH}?{urlencode(parameters)}" if parameters else PATH

    def sorted_by(self, sort: Sort) -> str:
        """The address that sorts so; once more turns it round."""
        turned = not self.is_descending if sort is self.sort else sort in HIGHEST_FIRST
        return self.url(sort=sort, is_descending=turned)


@dataclass(frozen=True, slots=True)
class Seen:
    """What a polling page shows: which version of the standings, and since when (seconds; 0 where it does not say)."""

    version: int
    at: int

    def __str__(self) -> str:
        return f"{self.version}-{self.at}"


@dataclass(frozen=True, slots=True)
class Parsed:
    view: View
    notices: tuple[str, ...]
    is_export: bool = False
    seen: Seen | None = None


def parse(pairs: Iterable[tuple[str, str]]) -> Parsed:
    """Unknown parameters say nothing; bad values of known ones become the default, and a notice names them."""
    reading = Reading(pairs)
    sort, is_descending = _sort(reading)
    window, first_day, last_day = _window(reading)
    view = View(
        organization_id=reading.uuid("organization"), search=reading.search(), sort=sort, is_descending=is_descending,
        window=window, first_day=first_day, last_day=last_day, coach_id=reading.uuid("coach"),
        team_id=reading.uuid("team"), division=reading.choice("division", DIVISIONS), category=_category(reading),
        source=reading.choice("source", SOURCES), as_of=_as_of(reading),
    )
    view = replace(view, cursor=reading.cursor(view.order_name))
    is_export = reading.choice("format", ("csv",)) == "csv"
    return Parsed(view, tuple(reading.notices), is_export, _seen(reading))


def _seen(reading: Reading) -> Seen | None:
    """Said by the page itself, so nobody is told where it is not understood."""
    found = re.fullmatch(r"(\d{1,18})(?:-(\d{1,12}))?", reading.text("seen"), re.ASCII)
    return Seen(int(found[1]), int(found[2] or 0)) if found else None


def _category(reading: Reading) -> str:
    value = reading.text("category")
    if len(value) > LONGEST_SEARCH or "\0" in value:
        reading.refuse("category", "is not known; all are shown")
        return ""
    return category_of(value) if value else ""


def _as_of(reading: Reading) -> str:
    """A day, or a moment with its zone; a plus sign may have become a space on its way."""
    value = reading.text("as_of").replace(" ", "+")
    try:
        if len(value) <= len("2026-10-01"):
            parsed = date.fromisoformat(value) if value else None
        else:
            parsed = datetime.fromisoformat(value).astimezone(UTC)
    except (ValueError, OverflowError):
        parsed = date.min
    if parsed is None or EARLIEST_YEAR <= parsed.year <= LATEST_YEAR:
        return parsed.isoformat() if parsed else ""
    reading.refuse("as_of", "should be a date such as 2026-10-01; the standings of now are shown")
    return ""


def moment_of(as_of: str, zone: ZoneInfo) -> datetime:
    """The end of the day there, or the moment itself."""
    if len(as_of) > len("2026-10-01"):
        return datetime.fromisoformat(as_of)
    return windows.midnight(date.fromisoformat(as_of) + timedelta(days=1), zone)


def moment_in_words(as_of: str, zone: ZoneInfo) -> str:
    """ "the end of 20 Oct 2026", or "05:52 on 20 Oct 2026"."""
    if len(as_of) > len("2026-10-01"):
        local = datetime.fromisoformat(as_of).astimezone(zone)
        return f"{local:%H:%M} on {windows.in_words(local.date())}"
    return f"the end of {windows.in_words(date.fromisoformat(as_of))}"


def _sort(reading: Reading) -> tuple[Sort, bool]:
    named = reading.text("sort")
    has_sign = named.startswith("-")
    try:
        sort = Sort(named.removeprefix("-") or Sort.RANK)
    except ValueError:
        reading.refuse("sort", f"can be {', '.join(Sort)}; rank is shown")
        return Sort.RANK, False
    direction = reading.choice("dir", ("asc", "desc"))
    return sort, direction == "desc" or has_sign or (not direction and sort in HIGHEST_FIRST)


def _window(reading: Reading) -> tuple[str, date | None, date | None]:
    """Dates count where the window is custom, or where none is named."""
    named = reading.choice("window", (*windows.PRESETS, windows.CUSTOM))
    first, last = reading.day("from"), reading.day("to")
    if named in windows.PRESETS or not (named or first or last):
        return named or windows.DEFAULT, None, None
    if first and last and first > last:
        reading.refuse("from", "is later than “to”; 30 days are shown")
        return windows.DEFAULT, None, None
    return windows.CUSTOM, first, last
