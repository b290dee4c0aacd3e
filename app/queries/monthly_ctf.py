"""The latest Flash CTFs as the people of a frame played them. Two queries, whatever the number of people."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime

from app import database
from app.domain.monthly_ctf import Chart, Event
from app.queries.keyset import Arguments
from app.queries.scopes import Frame

MOST_EVENTS = 6
LAST_MINUTE = 24 * 60

Pace = tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class MonthlyCtf:
    """Oldest first. `as_of` is the oldest successful look at anybody who may have played."""

    events: tuple[Event, ...]
    as_of: datetime | None
    is_late: bool


def _sources(frame: Frame, arguments: Arguments) -> str:
    """The people of the frame, and the latest events that began before its window ends."""
    return f"""people as materialized (
            select c.id, y.last_success_at from competitors c
                left join team_memberships m on m.competitor_id = c.id
                left join game_platform_sync_state y on y.competitor_id = c.id and c.game_platform_id is not null
            where c.archived_at is null and {frame.people(arguments)}
        ), latest as (
            select event_id, name, started_at from game_platform_flash_ctfs
            where started_at < {arguments.add(frame.ends_at)}
            order by started_at desc, event_id desc limit {MOST_EVENTS}
        )"""  # noqa: S608


async def get(frame: Frame, chart: Chart) -> MonthlyCtf:
    arguments = Arguments()
    rows = await database.fetch(
        f"""with {_sources(frame, arguments)}
            select l.event_id, l.name, l.started_at, coalesce(sum(e.score), 0)::int as points,
                coalesce(max(e.score), 0) as best,
                count(distinct e.competitor_id) filter (where e.challenges_solved > 0)::int as players,
                (select min(last_success_at) from people) as as_of
            from latest l left join game_platform_flash_ctf_events e
                on e.event_id = l.event_id and e.competitor_id in (select id from people)
            group by 1, 2, 3 order by l.started_at, l.event_id""",  # noqa: S608
        *arguments.values,
    )
    paces = await _paces(frame) if chart is Chart.PACE else {}
    events = tuple(
        Event(
            row["name"], row["started_at"], row["points"], row["players"], row["best"], paces.get(row["event_id"], ()),
        )
        for row in rows
    )
    as_of = rows[0]["as_of"] if rows else None
    return MonthlyCtf(events, as_of, frame.is_late(as_of))


async def _paces(frame: Frame) -> dict[str, Pace]:
    """Of each event the minutes in which somebody solved something, with the points until then."""
    arguments = Arguments()
    rows = await database.fetch(
        f"""with {_sources(frame, arguments)}, minutes as (
                select l.event_id, sum(s.challenge_points)::int as points,
                    least(greatest(floor(date_part('epoch', s.solved_at - l.started_at) / 60), 0), {LAST_MINUTE})::int
                        as minute
                from latest l join game_platform_challenge_solves s
                    on s.event_id = l.event_id and s.source = 'flash_ctf'
                where s.competitor_id in (select id from people)
                group by l.event_id, minute
            )
            select event_id, minute, sum(points) over (partition by event_id order by minute)::int as points
            from minutes order by event_id, minute""",  # noqa: S608
        *arguments.values,
    )
    found: defaultdict[str, list[tuple[int, int]]] = defaultdict(list)
    for row in rows:
        found[row["event_id"]].append((row["minute"], row["points"]))
    return {event_id: tuple(pace) for event_id, pace in found.items()}
