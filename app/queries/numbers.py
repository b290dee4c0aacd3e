"""The rows behind a number: one per competitor, with the part that each adds to it."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from app import database
from app.domain import kpis
from app.domain.kpis import Amount, Kpi
from app.domain.numbers import View
from app.domain.paging import Cursor
from app.queries import keyset
from app.queries.competitors import NAME
from app.queries.keyset import Arguments, Key, Stretch
from app.queries.kpis import ONBOARDED, SOURCE, Event, get_events
from app.queries.scopes import Frame

PAGE_SIZE = 50
EXPORT_SIZE = 5000
ID = Key("c.id", "uuid")
# Not a bare 1, which an order would take for the first column.
ONE = "(c.id is not null)::int"


@dataclass(frozen=True, slots=True)
class Counting:
    """How a number is counted: what it needs beside the person, who is a row, how much each adds, and since when."""

    part: str
    moment: str
    conditions: tuple[str, ...]
    joins: str = ""
    brought_at: str = "null::timestamptz"

    @property
    def keys(self) -> tuple[Key, ...]:
        return Key(f"(-({self.part}))"), NAME, ID


class Row(NamedTuple):
    """`run_id` is the sync that brought what counts, where a sync did."""

    competitor_id: UUID
    name: str
    handle: str
    division: str
    team_id: UUID | None
    team: str
    part: int
    moment: datetime | None
    run_id: UUID | None
    brought_at: datetime | None


@dataclass(frozen=True, slots=True)
class Page:
    rows: tuple[Row, ...]
    previous: Cursor | None
    next: Cursor | None


async def latest_event(view: View, frame: Frame) -> Event | None:
    """The Flash CTF that the participation is about; None for every other number."""
    if view.kpi is not Kpi.MONTHLY_CTF:
        return None
    return next(iter(await get_events(frame)), None)


def understood(view: View, frame: Frame) -> tuple[View, tuple[str, ...]]:
    """The view of the people that this reader may see; a cursor may be of another one."""
    view = replace(view, scope=frame.scope)
    keys = _counting(view.kpi, frame, Arguments(), None).keys
    if view.cursor and not (view.cursor.sort == view.order_name and keyset.is_usable(view.cursor, {0: keys})):
        return replace(view, cursor=None), ("“cursor” belongs to another list; the first page is shown.",)
    return view, ()


async def get_total(view: View, frame: Frame, event: Event | None) -> Amount:
    """The sum of all rows, out of how many where the number is a share."""
    arguments = Arguments()
    counting = _counting(view.kpi, frame, arguments, event)
    row = await database.fetchrow(
        f"""select coalesce(sum({counting.part}), 0)::bigint as part, count(*) as whole from {_source(counting)}
            where {" and ".join(counting.conditions)} and {frame.people(arguments)}""",  # noqa: S608
        *arguments.values,
    )
    assert row
    return Amount(row["part"], row["whole"] if kpis.MEANINGS[view.kpi].is_share else None)


async def get_page(view: View, frame: Frame, event: Event | None, *, size: int = PAGE_SIZE) -> Page:
    """Whoever adds most first, then by name. One row more than shown is read, to know whether there is more."""
    arguments = Arguments()
    counting = _counting(view.kpi, frame, arguments, event)
    columns = {
        "id": "c.id", "name": "trim(c.first_name || ' ' || c.last_name)", "handle": "coalesce(c.metactf_username, '')",
        "division": "coalesce(c.division, '')", "team_id": "m.team_id", "part": counting.part,
        "moment": counting.moment, "brought_at": counting.brought_at,
    }
    stretch = Stretch(
        0, _source(counting), (*counting.conditions, frame.people(arguments)), counting.keys, True, columns
    )
    page = keyset.page_sql([stretch], view.cursor, size + 1, arguments)
    found = await database.fetch(
        f"""select p.id, p.name, p.handle, p.division, p.team_id, coalesce(t.name, '') as team, p.part, p.moment,
                r.run_id, r.at, p.keys
            from ({page}) p left join teams t on t.id = p.team_id left join lateral (
                select a.run_id, a.at from activity_events a
                where a.competitor_id = p.id and a.kind = 'solves_found' and a.at <= p.brought_at
                order by a.at desc limit 1
            ) r on true order by p.n""",  # noqa: S608
        *arguments.values,
    )
    records, previous, following = keyset.turned(found, view.order_name, view.cursor, size)
    return Page(tuple(Row(*record[:-1]) for record in records), previous, following)


async def walk(view: View, frame: Frame, event: Event | None) -> AsyncIterator[tuple[Row, ...]]:
    """Every row, page after page."""
    following: Cursor | None = None
    while True:
        page = await get_page(replace(view, cursor=following), frame, event, size=EXPORT_SIZE)
        if page.rows:
            yield page.rows
        following = page.next
        if following is None:
            return


def _source(counting: Counting) -> str:
    return f"{SOURCE} left join standings s on s.competitor_id = c.id {counting.joins}"


def _counting(kpi: Kpi, frame: Frame, arguments: Arguments, event: Event | None) -> Counting:
    match kpi:
        case Kpi.ACTIVE | Kpi.SOLVED:
            return _activity(kpi, arguments.add(frame.window.starts_at), arguments.add(kpis.end_of(frame.window)))
        case Kpi.REGISTERED | Kpi.ENROLLED:
            return _roster(kpi, arguments.add(kpis.end_of(frame.window)))
    return _participation(arguments.add(event.event_id if event else None))


def _activity(kpi: Kpi, starts_at: str, ends_at: str) -> Counting:
    accessed = f"(y.last_remote_accessed_at >= {starts_at} and y.last_remote_accessed_at < {ends_at})"
    is_active = f"(w.solves > 0 or {accessed})"
    last_access = f"case when {accessed} then y.last_remote_accessed_at end"
    return Counting(
        part=ONE if kpi is Kpi.ACTIVE else "w.solves",
        moment=f"greatest(w.last_solved_at, {last_access})" if kpi is Kpi.ACTIVE else "w.last_solved_at",
        conditions=("c.archived_at is null", is_active if kpi is Kpi.ACTIVE else "w.solves > 0"),
        joins=f"""cross join lateral (
            select count(*)::int as solves, max(v.solved_at) as last_solved_at, max(v.ingested_at) as brought_at
            from game_platform_challenge_solves v
            where v.competitor_id = c.id and v.solved_at >= {starts_at} and v.solved_at < {ends_at}) w""",  # noqa: S608
        brought_at="w.brought_at",
    )


def _roster(kpi: Kpi, ends_at: str) -> Counting:
    is_registered = (f"c.created_at < {ends_at}", f"(c.archived_at is null or c.archived_at >= {ends_at})")
    if kpi is Kpi.REGISTERED:
        return Counting(ONE, "c.created_at", is_registered)
    is_enrolled = f"coalesce(m.created_at < {ends_at}, false)"
    return Counting(f"{is_enrolled}::int", f"case when {is_enrolled} then m.created_at end", is_registered)


def _participation(event_id: str) -> Counting:
    took_part = "coalesce(e.challenges_solved > 0, false)"
    return Counting(
        part=f"{took_part}::int", moment=f"case when {took_part} then e.started_at end",
        conditions=("c.archived_at is null", ONBOARDED, f"{event_id}::text is not null"),
        joins=f"""left join game_platform_flash_ctf_events e
            on e.competitor_id = c.id and e.event_id = {event_id}::text""",
        brought_at="e.ingested_at",
    )
