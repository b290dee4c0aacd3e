"""What the address of the teams' list says. Parsed once, never failing."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from app.domain.addresses import Reading, address
from app.domain.paging import Cursor

PATH = "/teams"
ORDER = "teams"
ARCHIVED = "archived"


@dataclass(frozen=True, slots=True)
class View:
    search: str = ""
    is_archived: bool = False
    cursor: Cursor | None = None

    def url(self, **changes: Any) -> str:
        """The address of this view with other values; a page further on only where `cursor` is given."""
        view = replace(self, **{"cursor": None, **changes})
        return address(PATH, {
            "q": view.search, "show": ARCHIVED if view.is_archived else "",
            "cursor": view.cursor.encode() if view.cursor else "",
        })


@dataclass(frozen=True, slots=True)
class Parsed:
    view: View
    notices: tuple[str, ...]


def parse(pairs: Iterable[tuple[str, str]]) -> Parsed:
    reading = Reading(pairs)
    is_archived = bool(reading.choice("show", (ARCHIVED,)))
    view = View(reading.search(), is_archived, reading.cursor(ORDER))
    return Parsed(view, tuple(reading.notices))
