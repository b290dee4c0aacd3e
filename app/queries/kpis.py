"""The five cards: each number for the window, for the equal one before it, and piece by piece as a small line.

Counted from the rows themselves, so that a card is never older than what is stored and always the sum of its rows.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from app import database
from app.domain import kpis
from app.domain.kpis import Amount, Card, Kpi, Stay
from app.queries.keyset import Arguments
from app.queries.scopes import Frame

FRESH_FOR = timedelta(hours=8)
MOST_EVENTS = 8

ONBOARDED = "(c.game_platform_id is not null and c.metactf_user_status = 'approved')"

SOURCE = """competitors c left join team_memberships m on m.competitor_id = c.id
    left join game_platform_sync_state y on y.competitor_id = c.id"""


@dataclass(frozen=True, slots=True)
class Freshness:
    """How old the platform's numbers are: the oldest successful look at anybody who counts."""

    as_of: datetime | None
    is_late: bool
    failed: int
    unread: int


@dataclass(frozen=True, slots=True)
class Cards:
    cards: tuple[Card, ...]
    freshness: Freshness
    now: datetime


class Event(NamedTuple):
    """A Flash CTF and how many of the onboarded people solved something in it."""

    event_id: str
    name: str
    started_at: datetime
    took_part: int
    onboarded: int


async def get_cards(frame: Frame) -> Cards:
    marks = kpis.marks(frame.window, frame.zone)
    stays, freshness = await _roster(frame, marks)
    activity = await _activity(frame, marks)
    events = await get_events(frame)
    enrolled = [kpis.enrolled(stays, piece) for piece in range(len(marks))]
    active = tuple(piece.active for piece in activity.pieces)
    solved = tuple(piece.solves for piece in activity.pieces)
    cards = (
        Card(Kpi.ACTIVE, Amount(activity.active), Amount(activity.before.active), active),
        _roster_card(Kpi.REGISTERED, [Amount(amount.whole or 0) for amount in enrolled]),
        _roster_card(Kpi.ENROLLED, enrolled),
        Card(Kpi.SOLVED, Amount(sum(solved)), Amount(activity.before.solves), solved),
        _ctf_card(events, frame.window.starts_at),
    )
    return Cards(cards, freshness, frame.now)


def _roster_card(kpi: Kpi, at_ends: Sequence[Amount]) -> Card:
    """The first is from when the window began, which is when the one before it ended."""
    return Card(kpi, at_ends[-1], at_ends[0], tuple(amount.value or 0 for amount in at_ends[1:]))


def _ctf_card(events: Sequence[Event], starts_at: datetime) -> Card:
    """Newest first. Where no Flash CTF began in the window, there is nothing newer to compare."""
    shares = [Amount(event.took_part, event.onboarded) for event in events]
    before = next((share for event, share in zip(events, shares, strict=True) if event.started_at < starts_at), None)
    is_new = bool(events) and events[0].started_at >= starts_at
    return Card(
        Kpi.MONTHLY_CTF, shares[0] if shares else Amount(0, 0), before if is_new else None,
        tuple(share.value or 0 for share in reversed(shares)), note=events[0].name if events else "",
    )


async def _roster(frame: Frame, marks: list[datetime]) -> tuple[list[Stay], Freshness]:
    arguments = Arguments([marks])
    rows = await database.fetch(
        f"""select width_bucket(c.created_at, $1::timestamptz[]) as created,
                width_bucket(m.created_at, $1::timestamptz[]) as joined,
                width_bucket(c.archived_at, $1::timestamptz[]) as archived, count(*) as people,
                min(y.last_success_at) filter (where {ONBOARDED} and c.archived_at is null) as as_of,
                count(*) filter (where {ONBOARDED} and c.archived_at is null and y.last_result = 'failure') as failed,
                count(*) filter (where {ONBOARDED} and c.archived_at is null and y.last_success_at is null) as unread
            from {SOURCE} where {frame.people(arguments)} group by 1, 2, 3""",  # noqa: S608
        *arguments.values,
    )
    stays = [Stay(row["created"], row["joined"], row["archived"], row["people"]) for row in rows]
    as_of = min((row["as_of"] for row in rows if row["as_of"]), default=None)
    return stays, Freshness(
        as_of, as_of is not None and frame.now - as_of > FRESH_FOR, sum(row["failed"] for row in rows),
        sum(row["unread"] for row in rows),
    )


class Piece(NamedTuple):
    active: int = 0
    solves: int = 0


@dataclass(frozen=True, slots=True)
class Activity:
    """`active`: different people in the whole window; `before` is the window before as one piece."""

    pieces: tuple[Piece, ...]
    before: Piece
    active: int


async def _activity(frame: Frame, marks: list[datetime]) -> Activity:
    """Of the people who are on the roster today, in both windows: the same people are compared."""
    arguments = Arguments([marks, frame.previous.starts_at, marks[-1]])
    rows = await database.fetch(
        f"""with people as materialized (
                select c.id, y.last_remote_accessed_at as accessed_at from {SOURCE}
                where c.archived_at is null and {frame.people(arguments)}
            ), done as (
                select v.competitor_id, width_bucket(v.solved_at, $1::timestamptz[]) as piece, count(*) as solves
                from game_platform_challenge_solves v
                where v.solved_at >= $2 and v.solved_at < $3 and v.competitor_id in (select id from people)
                group by 1, 2
                union all
                select id, width_bucket(accessed_at, $1::timestamptz[]), 0 from people
                where accessed_at >= $2 and accessed_at < $3
            )
            select piece, count(distinct competitor_id)::int as active, sum(solves)::int as solves
            from done group by piece
            union all
            select null, count(distinct competitor_id)::int, 0 from done where piece > 0""",  # noqa: S608
        *arguments.values,
    )
    found = {row["piece"]: Piece(row["active"], row["solves"]) for row in rows}
    pieces = tuple(found.get(piece, Piece()) for piece in range(1, len(marks)))
    return Activity(pieces, found.get(0, Piece()), found[None].active)


async def get_events(frame: Frame) -> tuple[Event, ...]:
    """The latest Flash CTFs that began before the window ends, newest first; one from before it began is among them."""
    arguments = Arguments([frame.window.starts_at, kpis.end_of(frame.window)])
    rows = await database.fetch(
        f"""with people as materialized (
                select c.id from {SOURCE} where c.archived_at is null and {ONBOARDED} and {frame.people(arguments)}
            ), latest as (
                (select event_id, name, started_at from game_platform_flash_ctfs where started_at < $2
                    order by started_at desc, event_id desc limit {MOST_EVENTS})
                union
                (select event_id, name, started_at from game_platform_flash_ctfs where started_at < $1
                    order by started_at desc, event_id desc limit 1)
            )
            select l.event_id, l.name, l.started_at, count(p.id)::int as took_part,
                (select count(*) from people)::int as onboarded
            from latest l
            left join game_platform_flash_ctf_events e on e.event_id = l.event_id and e.challenges_solved > 0
            left join people p on p.id = e.competitor_id
            group by 1, 2, 3 order by l.started_at desc, l.event_id desc""",  # noqa: S608
        *arguments.values,
    )
    return tuple(Event(*row) for row in rows)
