"""What the address of the competitors' list says. Parsed once, never failing."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from app.domain.addresses import Reading, address, as_uuid
from app.domain.leaderboard import DIVISIONS
from app.domain.paging import Cursor

PATH = "/competitors"
ORDER = "competitors"
NO_TEAM = "none"
STATUSES = {"pending": "Pending", "profile": "Profile", "compliance": "Compliance", "complete": "Complete"}


@dataclass(frozen=True, slots=True)
class View:
    """One state of the page. `run_id` is the onboarding whose report stands above the list."""

    search: str = ""
    status: str = ""
    division: str = ""
    team_id: UUID | None = None
    is_without_team: bool = False
    run_id: UUID | None = None
    cursor: Cursor | None = None

    @property
    def is_filtered(self) -> bool:
        return any((self.search, self.status, self.division, self.team))

    @property
    def team(self) -> str:
        """As the address and the filter have it."""
        return NO_TEAM if self.is_without_team else str(self.team_id or "")

    def url(self, path: str = PATH, **changes: Any) -> str:
        """The address of this view with other values; a page further on only where `cursor` is given."""
        view = replace(self, **{"cursor": None, **changes})
        return address(path, {
            "q": view.search, "status": view.status, "team": view.team, "division": view.division, "run": view.run_id,
            "cursor": view.cursor.encode() if view.cursor else "",
        })


@dataclass(frozen=True, slots=True)
class Parsed:
    """`left_out`: how many of a selection were not taken. `seen`: what a page that asks again shows already."""

    view: View
    notices: tuple[str, ...]
    left_out: int
    seen: str


def parse(pairs: Iterable[tuple[str, str]]) -> Parsed:
    reading = Reading(pairs)
    team_id, is_without_team = _team(reading)
    view = View(
        search=reading.search(), status=reading.choice("status", STATUSES),
        division=reading.choice("division", DIVISIONS), team_id=team_id, is_without_team=is_without_team,
        run_id=reading.uuid("run"), cursor=reading.cursor(ORDER),
    )
    left_out = re.fullmatch(r"\d{1,3}", reading.text("left_out"), re.ASCII)
    return Parsed(view, tuple(reading.notices), int(left_out[0]) if left_out else 0, reading.text("seen"))


def _team(reading: Reading) -> tuple[UUID | None, bool]:
    value = reading.text("team")
    if value == NO_TEAM:
        return None, True
    team_id = as_uuid(value)
    if value and team_id is None:
        reading.refuse("team", "is not known; all teams are shown")
    return team_id, False
