"""What the address of the alerts' list says. Parsed once, never failing."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from app.domain import scopes
from app.domain.addresses import Reading
from app.domain.alert_rules import RULES, Group
from app.domain.paging import Cursor
from app.domain.scopes import Scope

PATH = "/alerts"
ORDER = "alerts"
UNTOUCHED_DAYS = 7
STATES = {
    "open": "Open", "unknown": "Unknown", "snoozed": "Snoozed", "untouched": "Nobody acted", "resolved": "Resolved",
}
OWNERS = {"me": "Me", "nobody": "Nobody"}
GROUPS = {Group.ACCESS: "Access problems", Group.PEOPLE: "Silent and stuck people", Group.DATA: "Our data"}


@dataclass(frozen=True, slots=True)
class View:
    """One state of the page. `state` '' is the open ones; `group` is one of the overview's cards."""

    scope: Scope = field(default_factory=Scope)
    state: str = ""
    rule: str = ""
    group: str = ""
    owner: str = ""
    cursor: Cursor | None = None

    @property
    def shown_state(self) -> str:
        return self.state or "open"

    @property
    def is_filtered(self) -> bool:
        return bool(self.scope.is_filtered or self.rule or self.group or self.owner)

    def url(self, path: str = PATH, /, *, scope: dict[str, Any] | None = None, **changes: Any) -> str:
        """The address of this view with other values; a page further on only where `cursor` is given."""
        view = replace(self, **{"cursor": None, **changes})
        return view.scope.url(path, {
            "state": "" if view.state == "open" else view.state, "rule": view.rule, "group": view.group,
            "owner": view.owner, "cursor": view.cursor.encode() if view.cursor else "",
        }, **(scope or {}))


@dataclass(frozen=True, slots=True)
class Parsed:
    """`seen`: what a page that asks again shows already."""

    view: View
    notices: tuple[str, ...]
    is_export: bool
    seen: str


def parse(pairs: Iterable[tuple[str, str]]) -> Parsed:
    pairs = list(pairs)
    scope, reading = scopes.parse(pairs), Reading(pairs)
    view = View(
        scope=scope.scope, state=reading.choice("state", STATES), rule=reading.choice("rule", RULES),
        group=reading.choice("group", GROUPS), owner=reading.choice("owner", OWNERS), cursor=reading.cursor(ORDER),
    )
    is_export = reading.choice("format", ("csv",)) == "csv"
    return Parsed(view, (*scope.notices, *reading.notices), is_export, reading.text("seen"))
