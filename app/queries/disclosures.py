"""Who has seen one person's data: every view, export and transfer, the newest first."""

from dataclasses import dataclass, replace
from datetime import datetime

import asyncpg

from app import database
from app.domain.disclosure_list import ORDER, View
from app.domain.paging import Cursor
from app.queries import keyset
from app.queries.keyset import Arguments, Key, Stretch
from app.queries.report_card import Subject

PAGE_SIZE = 50
KEYS: dict[int, tuple[Key, ...]] = {
    0: (Key("d.at", "timestamptz"), Key("lpad(d.id::text, 19, '0')", "text", 'collate "C"')),
}
_COLUMNS = {name: f"d.{name}" for name in ("at", "purpose", "recipient", "fields")}


@dataclass(frozen=True, slots=True)
class Disclosure:
    at: datetime
    purpose: str
    recipient: str
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Page:
    rows: tuple[Disclosure, ...]
    previous: Cursor | None
    next: Cursor | None


def understood(view: View) -> tuple[View, tuple[str, ...]]:
    if view.cursor and not keyset.is_usable(view.cursor, KEYS):
        return replace(view, cursor=None), ("“cursor” belongs to another list; the first page is shown.",)
    return view, ()


async def get_page(subject: Subject, view: View, *, size: int = PAGE_SIZE) -> Page:
    arguments = Arguments()
    conditions = (f"d.competitor_id = {arguments.add(subject.competitor_id)}",)
    stretch = Stretch(0, "disclosure_log d", conditions, KEYS[0], False, _COLUMNS)
    sql = keyset.page_sql([stretch], view.cursor, size + 1, arguments)
    records, previous, following = keyset.turned(
        await database.fetch(sql, *arguments.values), ORDER, view.cursor, size
    )
    return Page(tuple(map(_disclosure, records)), previous, following)


async def get_all(subject: Subject) -> tuple[Disclosure, ...]:
    rows = await database.fetch(
        "select at, purpose, recipient, fields from disclosure_log where competitor_id = $1 order by at desc, id desc",
        subject.competitor_id,
    )
    return tuple(map(_disclosure, rows))


def _disclosure(record: asyncpg.Record) -> Disclosure:
    return Disclosure(record["at"], record["purpose"], record["recipient"], tuple(record["fields"]))
