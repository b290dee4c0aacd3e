"""The challenges that one person has solved: a page of the table, or all of its rows for a file."""

from dataclasses import dataclass, replace
from datetime import datetime

import asyncpg

from app import database
from app.domain.paging import Cursor
from app.domain.report_card import Sort, View
from app.queries import keyset
from app.queries.keyset import Arguments, Key, Stretch
from app.queries.report_card import Subject

PAGE_SIZE = 25

_CATEGORY = "coalesce(nullif(v.category, ''), 'Other')"
_AT, _ID = Key("v.solved_at", "timestamptz"), Key("lpad(v.id::text, 19, '0')", "text", 'collate "C"')
_KEYS = {
    Sort.SOLVED: (_AT, _ID),
    Sort.CHALLENGE: (Key("left(lower(v.challenge_title), 200)", "text", 'collate "C"'), _AT, _ID),
    Sort.CATEGORY: (Key(f"left({_CATEGORY}, 200)", "text", 'collate "C"'), _AT, _ID),
    Sort.POINTS: (Key("v.challenge_points"), _AT, _ID),
    Sort.SOURCE: (Key("v.source", "text", 'collate "C"'), _AT, _ID),
}
_SOURCE = """game_platform_challenge_solves v left join game_platform_flash_ctf_events e
    on e.syned_user_id = v.syned_user_id and e.event_id = v.event_id and v.event_id <> ''"""
_COLUMNS = {
    "solved_at": "v.solved_at", "challenge": "v.challenge_title", "category": _CATEGORY,
    "label": "v.challenge_category", "points": "v.challenge_points", "source": "v.source",
    "flash_ctf": "coalesce(e.name, '')", "ingested_at": "v.ingested_at",
    "is_retired": "coalesce(v.raw_payload->>'challenge_retired', '') = 'true'",
    "work_roles": """array(select left(role, 200) from jsonb_array_elements_text(
        case jsonb_typeof(v.raw_payload->'nist_nice_work_roles') when 'array'
            then v.raw_payload->'nist_nice_work_roles' else '[]' end) as role)""",
}


@dataclass(frozen=True, slots=True)
class Row:
    """One solve. `label` is the platform's own word for the category."""

    solved_at: datetime
    challenge: str
    category: str
    label: str
    points: int
    source: str
    flash_ctf: str
    ingested_at: datetime
    is_retired: bool
    work_roles: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Counts:
    """`matching` and `points` are of every row of the filter, `total` and `categories` of those without one too."""

    matching: int
    points: int
    total: int
    categories: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Page:
    rows: tuple[Row, ...]
    previous: Cursor | None
    next: Cursor | None
    counts: Counts


def understood(view: View) -> tuple[View, tuple[str, ...]]:
    if view.cursor and not keyset.is_usable(view.cursor, {0: _KEYS[view.sort]}):
        return replace(view, cursor=None), ("“cursor” belongs to another list; the first page is shown.",)
    return view, ()


async def get_page(subject: Subject, view: View, *, size: int = PAGE_SIZE) -> Page:
    """One row more than shown is read, to know whether there is more."""
    arguments = Arguments()
    sql = keyset.page_sql([_stretch(subject, view, arguments)], view.cursor, size + 1, arguments)
    found = await database.fetch(sql, *arguments.values)
    records, previous, following = keyset.turned(found, view.order_name, view.cursor, size)
    return Page(tuple(map(_row, records)), previous, following, await _counts(subject, view))


async def get_all(subject: Subject, view: View) -> tuple[Row, ...]:
    arguments = Arguments()
    stretch = _stretch(subject, view, arguments)
    order = ", ".join(key.expression + ("" if stretch.is_upwards else " desc") for key in stretch.keys)
    columns = ", ".join(f"{sql} as {name}" for name, sql in _COLUMNS.items())
    rows = await database.fetch(
        f"select {columns} from {_SOURCE} where {' and '.join(stretch.conditions)} order by {order}",  # noqa: S608
        *arguments.values,
    )
    return tuple(map(_row, rows))


def _stretch(subject: Subject, view: View, arguments: Arguments) -> Stretch:
    conditions = (f"v.competitor_id = {arguments.add(subject.competitor_id)}", *_filters(view, arguments))
    return Stretch(0, _SOURCE, conditions, _KEYS[view.sort], not view.is_descending, _COLUMNS)


def _filters(view: View, arguments: Arguments) -> list[str]:
    filters = []
    if view.search:
        filters.append(f"strpos(lower(v.challenge_title), lower({arguments.add(view.search)})) > 0")
    if view.category:
        filters.append(f"{_CATEGORY} = {arguments.add(view.category)}")
    if view.source:
        filters.append(f"v.source = {arguments.add(view.source)}")
    return filters


async def _counts(subject: Subject, view: View) -> Counts:
    arguments = Arguments([subject.competitor_id])
    matches = " and ".join(("true", *_filters(view, arguments)))
    record = await database.fetchrow(
        f"""select count(*)::int as total, (count(*) filter (where {matches}))::int as matching,
                coalesce(sum(v.challenge_points) filter (where {matches}), 0) as points,
                coalesce(array_agg(distinct {_CATEGORY}), '{{}}') as categories
            from game_platform_challenge_solves v where v.competitor_id = $1""",  # noqa: S608
        *arguments.values,
    )
    assert record is not None
    categories = tuple(sorted(record["categories"], key=str.casefold))
    return Counts(record["matching"], record["points"], record["total"], categories)


def _row(record: asyncpg.Record) -> Row:
    own = {name: record[name] for name in _COLUMNS if name != "work_roles"}
    return Row(**own, work_roles=tuple(record["work_roles"]))
