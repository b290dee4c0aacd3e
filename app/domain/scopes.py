"""What every page of the coach is about: whose people, and over which days. Said in the address, parsed once, never
failing."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any
from uuid import UUID

from app.domain import windows
from app.domain.addresses import Reading, address
from app.domain.leaderboard import DIVISIONS


@dataclass(frozen=True, slots=True)
class Scope:
    """None and '' mean all of what the reader may see; `first_day` and `last_day` are set for a custom window only."""

    organization_id: UUID | None = None
    coach_id: UUID | None = None
    division: str = ""
    team_id: UUID | None = None
    window: str = windows.DEFAULT
    first_day: date | None = None
    last_day: date | None = None

    @property
    def is_filtered(self) -> bool:
        return any((self.coach_id, self.division, self.team_id))

    def parameters(self) -> dict[str, str]:
        """The query string that leads here; what is at its default is left out."""
        values = {
            "organization": self.organization_id, "coach": self.coach_id, "division": self.division,
            "team": self.team_id, "window": "" if self.window == windows.DEFAULT else self.window,
            "from": self.first_day, "to": self.last_day,
        }
        return {name: str(value) for name, value in values.items() if value}

    def url(self, path: str, others: Mapping[str, object] | None = None, /, **changes: Any) -> str:
        """The address of a page under this scope with other values; `others` are parameters of the page itself."""
        return address(path, {**replace(self, **changes).parameters(), **(others or {})})


@dataclass(frozen=True, slots=True)
class Parsed:
    scope: Scope
    notices: tuple[str, ...]


def parse(pairs: Iterable[tuple[str, str]]) -> Parsed:
    """Unknown parameters say nothing; bad values of known ones become the default, and a notice names them."""
    reading = Reading(pairs)
    window, first_day, last_day = _window(reading)
    scope = Scope(
        organization_id=reading.uuid("organization"), coach_id=reading.uuid("coach"),
        division=reading.choice("division", DIVISIONS), team_id=reading.uuid("team"),
        window=window, first_day=first_day, last_day=last_day,
    )
    return Parsed(scope, tuple(reading.notices))


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
