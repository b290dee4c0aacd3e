"""What is new to a reader since they last looked: solves, ranks, alerts and the roster, of the frame's people."""

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from app import database
from app.queries import alerts
from app.queries.alerts import Alert
from app.queries.keyset import Arguments
from app.queries.kpis import SOURCE
from app.queries.scopes import Frame

MOST_NAMED = 5
MOST_COUNTED = 50

_WHO = "c.id, trim(c.first_name || ' ' || c.last_name) as name, coalesce(c.metactf_username, '') as handle"


class Change(NamedTuple):
    """Of one competitor: how many solves were found, or by how many ranks they rose."""

    competitor_id: UUID
    name: str
    handle: str
    amount: int


@dataclass(frozen=True, slots=True)
class Changes:
    """The largest few, how many people there are, and the sum over all of them."""

    named: tuple[Change, ...] = ()
    people: int = 0
    total: int = 0


@dataclass(frozen=True, slots=True)
class RosterChanges:
    came: int
    archived: int
    joined_team: int

    @property
    def total(self) -> int:
        return self.came + self.archived + self.joined_team


@dataclass(frozen=True, slots=True)
class News:
    seen_at: datetime
    solves: Changes
    risen: Changes
    fallen: Changes
    alerts: tuple[Alert, ...]
    roster: RosterChanges

    @property
    def has_any(self) -> bool:
        return bool(
            self.solves.people or self.risen.people or self.fallen.people or self.alerts or self.roster.total
        )


async def get_news(frame: Frame, reader_id: UUID) -> News | None:
    """None for who has never marked anything as seen."""
    seen_at: datetime | None = await database.fetchval(
        "select seen_at from looks where user_id = $1 and organization_id = $2", reader_id, frame.organization_id
    )
    if seen_at is None:
        return None
    opened = await alerts.open_alerts(frame, limit=MOST_COUNTED)
    moves = await _moves(frame, reader_id)
    return News(
        seen_at, await _solves(frame, seen_at), moves[True], moves[False],
        tuple(alert for alert in opened if alert.opened_at > seen_at), await _roster(frame, seen_at),
    )


async def _solves(frame: Frame, seen_at: datetime) -> Changes:
    """As the synchronization found them: a solve may be older than the look."""
    arguments = Arguments([seen_at, frame.organization_id])
    rows = await database.fetch(
        f"""with found as (
                select competitor_id, sum((details->>'new_solves')::int)::int as amount from activity_events
                where organization_id = $2 and kind = 'solves_found' and at > $1 group by 1
            )
            select {_WHO}, f.amount, (count(*) over ())::int as people, (sum(f.amount) over ())::int as total
            from found f join {SOURCE} on true
            where c.id = f.competitor_id and c.archived_at is null and {frame.people(arguments)}
            order by f.amount desc, c.id limit {MOST_NAMED}""",  # noqa: S608
        *arguments.values,
    )
    if not rows:
        return Changes()
    return Changes(tuple(Change(*row[:4]) for row in rows), rows[0]["people"], rows[0]["total"])


async def _moves(frame: Frame, reader_id: UUID) -> dict[bool, Changes]:
    """Who rose and who fell, against the ranks that were kept with the look."""
    arguments = Arguments([reader_id, frame.organization_id])
    rows = await database.fetch(
        f"""with kept as (
                select unnest(competitor_ids) as competitor_id, unnest(ranks) as rank from looks
                where user_id = $1 and organization_id = $2
            ), moved as (
                select {_WHO}, k.rank - s.rank as amount
                from kept k join standings s on s.competitor_id = k.competitor_id and s.rank <> k.rank
                    join {SOURCE} on true
                where c.id = k.competitor_id and c.archived_at is null and {frame.people(arguments)}
            )
            select *, (count(*) over way)::int as people, (sum(amount) over way)::int as total, row_number() over (
                partition by amount > 0 order by abs(amount) desc, id) as place
            from moved window way as (partition by amount > 0)
            order by place limit {2 * MOST_NAMED}""",  # noqa: S608
        *arguments.values,
    )
    ways = {is_up: [row for row in rows if (row["amount"] > 0) is is_up] for is_up in (True, False)}
    return {
        is_up: Changes(
            tuple(Change(*row[:4]) for row in found[:MOST_NAMED]), found[0]["people"], found[0]["total"]
        ) if found else Changes()
        for is_up, found in ways.items()
    }


async def _roster(frame: Frame, seen_at: datetime) -> RosterChanges:
    arguments = Arguments([seen_at])
    row = await database.fetchrow(
        f"""select count(*) filter (where c.created_at > $1 and c.archived_at is null),
                count(*) filter (where c.archived_at > $1),
                count(*) filter (where m.created_at > $1 and c.created_at <= $1)
            from {SOURCE} where {frame.people(arguments)}""",  # noqa: S608
        *arguments.values,
    )
    assert row
    return RosterChanges(*row)
