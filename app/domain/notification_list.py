"""What the address of the notification centre says. Parsed once, never failing."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from app.domain.addresses import Reading, address
from app.domain.paging import Cursor

PATH = "/notifications"
ORDER = "notifications"
UNREAD = "unread"


@dataclass(frozen=True, slots=True)
class View:
    is_unread_only: bool = False
    cursor: Cursor | None = None

    def url(self, path: str = PATH, **changes: Any) -> str:
        """The address of this view with other values; a page further on only where `cursor` is given."""
        view = replace(self, **{"cursor": None, **changes})
        return address(path, {
            "show": UNREAD if view.is_unread_only else "", "cursor": view.cursor.encode() if view.cursor else "",
        })


@dataclass(frozen=True, slots=True)
class Parsed:
    view: View
    notices: tuple[str, ...]


def parse(pairs: Iterable[tuple[str, str]]) -> Parsed:
    reading = Reading(pairs)
    view = View(reading.choice("show", (UNREAD,)) == UNREAD, reading.cursor(ORDER))
    return Parsed(view, tuple(reading.notices))
