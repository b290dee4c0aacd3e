"""What one person was told, newest first, and what became of the mail about it."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import asyncpg

from app import database
from app.domain.alert_rules import RULES, Rule
from app.domain.notification_list import ORDER, View
from app.domain.paging import Cursor
from app.domain.readers import Reader
from app.queries import keyset
from app.queries.keyset import Arguments, Key, Stretch

PAGE_SIZE = 50
KEYS: dict[int, tuple[Key, ...]] = {0: (Key("n.id"),)}

_SOURCE = """notifications n left join alerts a on a.id = n.alert_id left join saved_views v on v.id = n.saved_view_id
    left join competitors c on c.id = n.competitor_id left join team_memberships m on m.competitor_id = c.id
    left join teams t on t.id = a.team_id"""
_COLUMNS = {name: f"n.{name}" for name in ("kind", "at", "read_at", "mail_state", "mail_reason", "mailed_at")} | {
    "notice_id": "n.id", "rule": "a.rule", "reason": "coalesce(a.reason, '')", "alert_state": "coalesce(a.state, '')",
    "view_name": "coalesce(v.name, '')", "view_path": "coalesce(v.path, '')", "view_query": "coalesce(v.query, '')",
    "is_about_all": "a.competitor_id is null and a.team_id is null",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """Person and team only where the reader may still see them."""

    notice_id: int
    kind: str
    at: datetime
    read_at: datetime | None
    mail_state: str
    mail_reason: str | None
    mailed_at: datetime | None
    rule: str | None
    reason: str
    alert_state: str
    view_name: str
    view_path: str
    view_query: str
    competitor_id: UUID | None
    name: str
    handle: str
    team_id: UUID | None
    team: str
    is_about_all: bool

    @property
    def title(self) -> str:
        if self.rule:
            return RULES[Rule(self.rule)].title
        return {"view_entered": "Entered", "view_left": "Left"}.get(self.kind, "Test")

    @property
    def view_url(self) -> str:
        return f"{self.view_path}?{self.view_query}" if self.view_query else self.view_path


@dataclass(frozen=True, slots=True)
class Page:
    """`newest` is the latest notice there is: what "all read" means."""

    rows: tuple[Notice, ...]
    previous: Cursor | None
    next: Cursor | None
    unread: int
    newest: int


async def get_page(view: View, reader: Reader, *, size: int = PAGE_SIZE) -> Page:
    arguments = Arguments([reader.user_id])
    sight = arguments.sight(reader.sight, "c.coach_id", "m.team_id")
    teams_sight = arguments.sight(reader.sight, "t.coach_id", "t.id")
    columns = _COLUMNS | {
        "competitor_id": f"case when {sight} then c.id end",
        "name": f"case when {sight} then coalesce(trim(c.first_name || ' ' || c.last_name), '') else '' end",
        "handle": f"case when {sight} then coalesce(c.metactf_username, '') else '' end",
        "team_id": f"case when {teams_sight} then t.id end",
        "team": f"case when {teams_sight} then coalesce(t.name, '') else '' end",
    }
    conditions = ("n.user_id = $1", "n.read_at is null") if view.is_unread_only else ("n.user_id = $1",)
    stretch = Stretch(0, _SOURCE, conditions, KEYS[0], False, columns)
    cursor = view.cursor if view.cursor and keyset.is_usable(view.cursor, KEYS) else None
    found = await database.fetch(keyset.page_sql([stretch], cursor, size + 1, arguments), *arguments.values)
    records, previous, following = keyset.turned(found, ORDER, cursor, size)
    unread, newest = await _counts(reader.user_id)
    return Page(tuple(map(_notice, records)), previous, following, unread, newest)


async def _counts(user_id: UUID) -> tuple[int, int]:
    row = await database.fetchrow(
        """select count(*) filter (where read_at is null)::int as unread, coalesce(max(id), 0) as newest
           from notifications where user_id = $1""",
        user_id,
    )
    assert row
    return row["unread"], row["newest"]


def _notice(record: asyncpg.Record) -> Notice:
    return Notice(**{name: record[name] for name in Notice.__dataclass_fields__})
