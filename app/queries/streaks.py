"""Whose days with a solve run on until today."""

from dataclasses import dataclass
from datetime import date, timedelta

from app import database
from app.domain.active_days import Break, is_active, streak
from app.domain.timeline import Person
from app.domain.windows import midnight
from app.queries.keyset import Arguments
from app.queries.scopes import Frame

LONGEST = 90
SHORTEST = 2
MOST = 8
MOST_READ = 50

# Of each person the newest active day without a solve: days are looked at one after the other and no further than it.
# Whoever has solved nothing since the last active day is not looked at; of the others the longest are read in full.
_LONGEST = """
with people as materialized (
    select c.id, c.first_name, c.last_name, coalesce(c.metactf_username, '') as handle
    from competitors c left join team_memberships m on m.competitor_id = c.id
    where c.archived_at is null and {people} and c.id in (
        select competitor_id from game_platform_challenge_solves where solved_at >= ($2::timestamptz[])[1])
), longest as (
    select p.*, missed.ends_at from people p left join lateral (
        select day.ends_at from (
            select * from unnest($2::timestamptz[], $3::timestamptz[]) as d (starts_at, ends_at) order by 1 desc) day
        where (select s.id from game_platform_challenge_solves s where s.competitor_id = p.id
            and s.solved_at >= day.starts_at and s.solved_at < day.ends_at limit 1) is null
        limit 1) missed on true
    order by missed.ends_at nulls first, p.id limit {most}
)
select l.*, (select array_agg(distinct (s.solved_at at time zone $1)::date) from game_platform_challenge_solves s
    where s.competitor_id = l.id and s.solved_at >= coalesce(l.ends_at, ($2::timestamptz[])[$4])) as days
from longest l
"""


@dataclass(frozen=True, slots=True)
class Streak:
    person: Person
    days: int


async def running(frame: Frame, breaks: tuple[Break, ...]) -> tuple[Streak, ...]:
    """The longest first."""
    days = _active_days(frame.today, breaks)
    arguments = Arguments([
        frame.zone.key, [midnight(day, frame.zone) for day in days],
        [midnight(day + timedelta(days=1), frame.zone) for day in days], len(days),
    ])
    people = frame.people(arguments)
    rows = await database.fetch(_LONGEST.format(people=people, most=MOST_READ), *arguments.values)
    found = [
        Streak(
            Person(row["id"], f"{row['first_name']} {row['last_name']}".strip(), row["handle"]),
            streak(row["days"] or (), frame.today, breaks),
        )
        for row in rows
    ]
    longest = sorted(found, key=lambda each: (-each.days, each.person.name))
    return tuple(each for each in longest[:MOST] if each.days >= SHORTEST)


def _active_days(today: date, breaks: tuple[Break, ...]) -> list[date]:
    """Before today, the newest first; where there are none, the day that is farthest back."""
    days = [today - timedelta(days=before) for before in range(1, LONGEST + 1)]
    return [day for day in days if is_active(day, breaks)] or days[-1:]
