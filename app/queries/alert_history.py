"""What became of alerts, the latest first: when each opened and resolved, and who did what about it."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

import asyncpg

from app import database
from app.domain.alert_history import KINDS, ORDER, PHRASES, View
from app.domain.alert_list import View as AlertView
from app.domain.alert_rules import RULES, Rule, Words
from app.domain.paging import Cursor
from app.queries import keyset
from app.queries.alerts import ANYBODY, conditions
from app.queries.keyset import Arguments, Key, Stretch
from app.queries.scopes import Frame

PAGE_SIZE = 50
KEYS: dict[int, tuple[Key, ...]] = {0: (Key("e.at", "timestamptz"), Key("e.id::text", "text"))}
LATEST_FIRST = False

_SOURCE = """alert_events e join alerts a on a.id = e.alert_id left join competitors c on c.id = a.competitor_id
    left join team_memberships m on m.competitor_id = c.id left join teams t on t.id = coalesce(a.team_id, m.team_id)
    left join users u on u.id = e.user_id"""
_COLUMNS = {
    "at": "e.at", "kind": "e.kind", "until": "e.until", "rule": "a.rule", "reason": "a.reason",
    "competitor_id": "a.competitor_id", "team_id": "t.id", "team": "coalesce(t.name, '')",
    "name": "coalesce(trim(c.first_name || ' ' || c.last_name), '')",
    "handle": "coalesce(c.metactf_username, '')",
    "actor": "coalesce(nullif(u.display_name, ''), trim(u.first_name || ' ' || u.last_name), '')",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """`actor` is '' where nobody did it; `until`: of what was put aside. Without competitor and team it is about the
    organization."""

    at: datetime
    kind: str
    until: datetime | None
    rule: Rule
    reason: str
    competitor_id: UUID | None
    team_id: UUID | None
    team: str
    name: str
    handle: str
    actor: str

    @property
    def words(self) -> Words:
        return RULES[self.rule]

    @property
    def phrase(self) -> str:
        return PHRASES.get(self.kind, self.kind.replace("_", " "))

    @property
    def href(self) -> str:
        if self.competitor_id:
            return f"/competitors/{self.competitor_id}"
        return f"/teams/{self.team_id}" if self.team_id else ""


@dataclass(frozen=True, slots=True)
class Page:
    rows: tuple[Event, ...]
    previous: Cursor | None
    next: Cursor | None


def understood(view: View, frame: Frame) -> tuple[View, tuple[str, ...]]:
    """The view of what this reader may know."""
    view, notices = replace(view, scope=frame.scope), frame.notices
    if view.cursor and not keyset.is_usable(view.cursor, KEYS):
        return replace(view, cursor=None), (*notices, "“cursor” belongs to another list; the first page is shown.")
    return view, notices


async def get_page(view: View, frame: Frame, *, size: int = PAGE_SIZE) -> Page:
    """One row more than shown is read, to know whether there is more."""
    arguments = Arguments()
    of_alerts = conditions(AlertView(view.scope, rule=view.rule), frame, ANYBODY, arguments)
    of_kinds = (f"e.kind = any({arguments.add(list(KINDS[view.what]))}::text[])",) if view.what else ()
    in_window = (
        f"e.at >= {arguments.add(frame.window.starts_at)}", f"e.at <= {arguments.add(frame.ends_at)}",
    )
    stretch = Stretch(0, _SOURCE, (*of_alerts, *of_kinds, *in_window), KEYS[0], LATEST_FIRST, _COLUMNS)
    found = await database.fetch(keyset.page_sql([stretch], view.cursor, size + 1, arguments), *arguments.values)
    records, previous, following = keyset.turned(found, ORDER, view.cursor, size)
    return Page(tuple(map(_event, records)), previous, following)


async def walk(view: View, frame: Frame, *, size: int = 500) -> AsyncIterator[tuple[Event, ...]]:
    """Every row of the view, a page at a time."""
    cursor = None
    while True:
        page = await get_page(replace(view, cursor=cursor), frame, size=size)
        yield page.rows
        cursor = page.next
        if cursor is None:
            return


def _event(record: asyncpg.Record) -> Event:
    values = {name: record[name] for name in Event.__dataclass_fields__}
    return Event(**{**values, "rule": Rule(record["rule"])})
