"""What the address of the alerts' history says. Parsed once, never failing."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from app.domain import scopes
from app.domain.addresses import Reading
from app.domain.alert_rules import RULES
from app.domain.paging import Cursor
from app.domain.scopes import Scope

PATH = "/alerts/history"
ORDER = "alert-history"
PHRASES = {
    "opened": "opened", "reopened": "came back", "flapping": "comes and goes", "unknown": "became unknown",
    "known_again": "is known again", "resolved": "resolved", "taken": "taken", "given_back": "given back",
    "snoozed": "put aside", "woken": "brought back",
}
DONE_BY_PEOPLE = ("taken", "given_back", "snoozed", "woken")
WHAT = {"acts": "What people did", "resolved": "Resolved", "opened": "Opened or came back"}
KINDS = {"acts": DONE_BY_PEOPLE, "resolved": ("resolved",), "opened": ("opened", "reopened")}


@dataclass(frozen=True, slots=True)
class View:
    """`what` '' is everything that happened."""

    scope: Scope = field(default_factory=Scope)
    what: str = ""
    rule: str = ""
    cursor: Cursor | None = None

    @property
    def is_filtered(self) -> bool:
        return bool(self.scope.is_filtered or self.what or self.rule)

    @property
    def others(self) -> dict[str, object]:
        return {"what": self.what, "rule": self.rule}

    def url(self, *, scope: dict[str, Any] | None = None, **changes: Any) -> str:
        """The address of this view with other values; a page further on only where `cursor` is given."""
        view = replace(self, **{"cursor": None, **changes})
        others = {**view.others, "cursor": view.cursor.encode() if view.cursor else ""}
        return view.scope.url(PATH, others, **(scope or {}))

    @property
    def file_url(self) -> str:
        return self.scope.url(PATH, {**self.others, "format": "csv"})

    @property
    def clear_url(self) -> str:
        return self.url(what="", rule="", scope={"coach_id": None, "team_id": None, "division": ""})


@dataclass(frozen=True, slots=True)
class Parsed:
    view: View
    notices: tuple[str, ...]
    is_export: bool


def parse(pairs: Iterable[tuple[str, str]]) -> Parsed:
    pairs = list(pairs)
    scope, reading = scopes.parse(pairs), Reading(pairs)
    view = View(
        scope.scope, what=reading.choice("what", WHAT), rule=reading.choice("rule", RULES),
        cursor=reading.cursor(ORDER),
    )
    is_export = reading.choice("format", ("csv",)) == "csv"
    return Parsed(view, (*scope.notices, *reading.notices), is_export)
