"""What the address of the teams' list says. Parsed once, never failing."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from app.domain import scopes
from app.domain.addresses import Reading
from app.domain.paging import Cursor
from app.domain.scopes import Scope

PATH = "/teams"
ORDER = "teams"
ARCHIVED = "archived"
MATRIX = "matrix"


@dataclass(frozen=True, slots=True)
class View:
    """Tiles, or a matrix of teams by category."""

    scope: Scope = field(default_factory=Scope)
    search: str = ""
    is_matrix: bool = False
    is_archived: bool = False
    cursor: Cursor | None = None

    @property
    def own(self) -> dict[str, str]:
        """What the address says beside the scope; a page further on is another view."""
        return {
            "q": self.search, "view": MATRIX if self.is_matrix else "", "show": ARCHIVED if self.is_archived else "",
        }

    def url(self, *, file: str = "", **changes: Any) -> str:
        """The address of this view with other values; a page further on only where `cursor` is given."""
        view = replace(self, **{"cursor": None, **changes})
        cursor = view.cursor.encode() if view.cursor else ""
        return view.scope.url(PATH, {**view.own, "cursor": cursor, "format": file})

    @property
    def clear_url(self) -> str:
        return self.url(search="", scope=replace(self.scope, coach_id=None, division="", team_id=None))

    @property
    def days(self) -> Scope:
        return Scope(window=self.scope.window, first_day=self.scope.first_day, last_day=self.scope.last_day)

    @property
    def team_query(self) -> str:
        """What goes behind a team's address, so that it opens with the same days."""
        return self.days.url("")


@dataclass(frozen=True, slots=True)
class Parsed:
    view: View
    notices: tuple[str, ...]


def parse(pairs: Iterable[tuple[str, str]]) -> Parsed:
    given = tuple(pairs)
    reading, about = Reading(given), scopes.parse(given)
    view = View(
        about.scope, reading.search(), bool(reading.choice("view", (MATRIX,))),
        bool(reading.choice("show", (ARCHIVED,))), reading.cursor(ORDER),
    )
    return Parsed(view, (*about.notices, *reading.notices))
