"""What the address of a number's explanation says. Parsed once, never failing."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from app.domain import scopes
from app.domain.addresses import Reading
from app.domain.kpis import Kpi
from app.domain.paging import Cursor
from app.domain.scopes import Scope


@dataclass(frozen=True, slots=True)
class View:
    kpi: Kpi
    scope: Scope
    cursor: Cursor | None = None

    @property
    def path(self) -> str:
        return f"/numbers/{self.kpi}"

    @property
    def order_name(self) -> str:
        """What a cursor belongs to: other days or people make it worthless."""
        return " ".join(["numbers", self.kpi, *(f"{name}={value}" for name, value in self.scope.parameters().items())])

    def url(self, *, others: dict[str, str] | None = None, **changes: Any) -> str:
        """The address of this view with other values; a page further on only where `cursor` is given."""
        view = replace(self, **{"cursor": None, **changes})
        cursor = {"cursor": view.cursor.encode()} if view.cursor else {}
        return view.scope.url(view.path, {**cursor, **(others or {})})


@dataclass(frozen=True, slots=True)
class Parsed:
    view: View
    notices: tuple[str, ...]
    is_export: bool


def parse(kpi: Kpi, pairs: Iterable[tuple[str, str]]) -> Parsed:
    pairs = list(pairs)
    scope = scopes.parse(pairs)
    reading = Reading(pairs)
    view = View(kpi, scope.scope)
    view = replace(view, cursor=reading.cursor(view.order_name))
    is_export = reading.choice("format", ("csv",)) == "csv"
    return Parsed(view, (*scope.notices, *reading.notices), is_export)
