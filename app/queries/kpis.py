"""The five cards: each number for the window, for the equal one before it, and piece by piece as a small line.

Counted from the rows themselves, so that a card is never older than what is stored and always the sum of its rows.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from app import database
from app.domain import kpis
from app.domain.kpis import Amount, Card, Kpi, Stay
from app.queries.keyset import Arguments
from app.queries.scopes import Frame

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
    stays = await _stays(frame, marks)
    activity = await _activity(frame, marks)
    events = await get_events(frame)
    enrolled = [kpis.enrolled(stays, piece) for piece in range(len(marks))]
    cards = (
        Card(Kpi.ACTIVE, Amount(activity.active_now), Amount(activity.active[0]), activity.active[1:]),
        _roster_card(Kpi.REGISTERED, [Amount(amount.whole or 0) for amount in enrolled]),
        _roster_card(Kpi.ENROLLED, enrolled),
        Card(Kpi.SOLVED, Amount(sum(activity.solved[1:])), Amount(activity.solved[0]), activity.solved[1:]),
        _ctf_card(events, frame.window.starts_at),
    )
    return Cards(cards, await get_freshness(frame), frame.now)


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


async def _stays(frame: Frame, marks: list[datetime]) -> list[Stay]:
    arguments = Arguments([marks])
    rows = await database.fetch(
        f"""select width_bucket(c.created_at, $1::timestamptz[]) as created,
                width_bucket(m.created_at, $1::timestamptz[]) as joined,
                width_bucket(c.archived_at, $1::timestamptz[]) as archived, count(*) as people
            from {SOURCE} where {frame.people(arguments)} group by 1, 2, 3""",  # noqa: S608
        *arguments.values,
    )
    return [Stay(**row) for row in rows]


async def get_freshness(frame: Frame) -> Freshness:
    arguments = Arguments()
    row = await database.fetchrow(
        f"""select min(y.last_success_at) as as_of, count(*) filter (where y.last_result = 'failure') as failed,
                count(*) filter (where y.last_success_at is null) as unread
            from {SOURCE} where c.archived_at is null and {ONBOARDED} and {frame.people(arguments)}""",  # noqa: S608
        *arguments.values,
    )
    assert row
    return Freshness(row["as_of"], frame.is_late(row["as_of"]), row["failed"], row["unread"])


@dataclass(frozen=True, slots=True)
class Activity:
    """Piece by piece, the window before as the first one; `active_now`: different people in the whole window."""

    solved: tuple[int, ...]
    active: tuple[int, ...]
    active_now: int


async def _activity(frame: Frame, marks: list[datetime]) -> Activity:
    """Of the people who are on the roster today, in both windows: the same people are compared."""
    active, active_now = await _active(frame, marks)
    return Activity(await _solved(frame, marks), active, active_now)


async def _solved(frame: Frame, marks: list[datetime]) -> tuple[int, ...]:
    arguments = Arguments([marks, frame.previous.starts_at, marks[-1]])
    rows = await database.fetch(
        f"""select width_bucket(v.solved_at, $1::timestamptz[]) as piece, count(*)::int as solves
            from {SOURCE} join game_platform_challenge_solves v on v.competitor_id = c.id
            where v.solved_at >= $2 and v.solved_at < $3 and c.archived_at is null and {frame.people(arguments)}
            group by 1""",  # noqa: S608
        *arguments.values,
    )
    found = {row["piece"]: row["solves"] for row in rows}
    return tuple(found.get(piece, 0) for piece in range(len(marks)))


async def _active(frame: Frame, marks: list[datetime]) -> tuple[tuple[int, ...], int]:
    """One bit per piece and person: far fewer rows to tell apart than a row for each of their days."""
    arguments = Arguments([marks, frame.previous.starts_at, marks[-1]])
    accessed, bit = "y.last_remote_accessed_at", "1::bigint << width_bucket({}, $1::timestamptz[])"
    sums = ", ".join(f"coalesce(sum(bits >> {piece} & 1), 0)::int" for piece in range(len(marks)))
    row = await database.fetchrow(
        f"""select {sums}, count(*) filter (where bits > 1)::int from (
                select coalesce(bit_or({bit.format("v.solved_at")}), 0)
                    | case when {accessed} >= $2 and {accessed} < $3 then {bit.format(accessed)} else 0 end as bits
                from {SOURCE} left join game_platform_challenge_solves v
                    on v.competitor_id = c.id and v.solved_at >= $2 and v.solved_at < $3
                where c.archived_at is null and {frame.people(arguments)}
                group by c.id, {accessed}
            ) people""",  # noqa: S608
        *arguments.values,
    )
    assert row
    return tuple(row[:-1]), row[-1]


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
