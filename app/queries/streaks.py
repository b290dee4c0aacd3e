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


@dataclass(frozen=True, slots=True)
class Streak:
    person: Person
    days: int


async def running(frame: Frame, breaks: tuple[Break, ...]) -> tuple[Streak, ...]:
    """The longest first. Only who has solved something since the last active day can have one."""
    arguments = Arguments([
        frame.zone.key, midnight(frame.today - timedelta(days=LONGEST), frame.zone),
        midnight(_last_active_day(frame.today, breaks), frame.zone),
    ])
    rows = await database.fetch(
        f"""with people as materialized (
                select c.id, c.first_name, c.last_name, coalesce(c.metactf_username, '') as handle
                from competitors c left join team_memberships m on m.competitor_id = c.id
                where c.archived_at is null and {frame.people(arguments)}
                    and exists (select from game_platform_challenge_solves s
                        where s.competitor_id = c.id and s.solved_at >= $3)
            )
            select p.*, (select array_agg(distinct (s.solved_at at time zone $1)::date)
                from game_platform_challenge_solves s
                where s.competitor_id = p.id and s.solved_at >= $2) as days
            from people p""",  # noqa: S608
        *arguments.values,
    )
    found = [
        Streak(
            Person(row["id"], f"{row['first_name']} {row['last_name']}".strip(), row["handle"]),
            streak(row["days"], frame.today, breaks),
        )
        for row in rows
    ]
    longest = sorted(found, key=lambda each: (-each.days, each.person.name))
    return tuple(each for each in longest[:MOST] if each.days >= SHORTEST)


def _last_active_day(today: date, breaks: tuple[Break, ...]) -> date:
    """Before today, within what is looked at."""
    days = (today - timedelta(days=before) for before in range(1, LONGEST))
    return next((day for day in days if is_active(day, breaks)), today - timedelta(days=LONGEST))
