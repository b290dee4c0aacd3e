"""What the address of one person's disclosure log says. Parsed once, never failing."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from app.domain import competitor_list
from app.domain.addresses import Reading, address
from app.domain.paging import Cursor

ORDER = "disclosures"


@dataclass(frozen=True, slots=True)
class View:
    competitor_id: UUID
    cursor: Cursor | None = None

    def url(self, cursor: Cursor | None = None) -> str:
        path = f"{competitor_list.PATH}/{self.competitor_id}/disclosures"
        return address(path, {"cursor": cursor.encode() if cursor else ""})


@dataclass(frozen=True, slots=True)
class Parsed:
    view: View
    notices: tuple[str, ...]
    is_export: bool


def parse(competitor_id: UUID, pairs: Iterable[tuple[str, str]]) -> Parsed:
    reading = Reading(pairs)
    view = View(competitor_id, reading.cursor(ORDER))
    return Parsed(view, tuple(reading.notices), reading.choice("format", ("csv",)) == "csv")
