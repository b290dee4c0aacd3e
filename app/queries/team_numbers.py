"""What people have done, one by one or added up by team: all told, in a window, and in the one before it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

import asyncpg

from app import database
from app.domain.organization_limits import promise_in_words
from app.domain.windows import Window

# Parameters: 1 whom, 2 and 3 the window, 4 the start of the one before it, 5 the zone.
PEOPLE = """
    select c.id, m.team_id, trim(c.first_name || ' ' || c.last_name) as name, c.first_name, c.last_name,
        coalesce(c.metactf_username, '') as handle, c.status, c.division, c.game_platform_id is not null as is_linked,
        coalesce(g.total_score, 0) as points, coalesce(g.challenges_completed, 0) as challenges,
        w.gain, w.gain_before, w.solves, w.days,
        w.solves > 0 or coalesce(y.last_remote_accessed_at >= $2 and y.last_remote_accessed_at < $3, false)
            as is_active,
        greatest(g.last_solved_at, y.last_remote_accessed_at) as last_active_at,
        y.last_success_at, y.last_result = 'failure' as has_failed
    from competitors c
    left join team_memberships m on m.competitor_id = c.id
    left join game_platform_stats g on g.competitor_id = c.id
    left join game_platform_sync_state y on y.competitor_id = c.id
    cross join lateral (
        select coalesce(sum(v.challenge_points) filter (where v.solved_at >= $2), 0)::int as gain,
            coalesce(sum(v.challenge_points) filter (where v.solved_at < $2), 0)::int as gain_before,
            count(*) filter (where v.solved_at >= $2)::int as solves,
            count(distinct (v.solved_at at time zone $5)::date) filter (where v.solved_at >= $2)::int as days
        from game_platform_challenge_solves v
        where v.competitor_id = c.id and v.solved_at >= $4 and v.solved_at < $3
    ) w
    where {who}
"""
ON_TEAMS = PEOPLE.format(who="m.team_id = any($1::uuid[]) and c.archived_at is null")
THEMSELVES = PEOPLE.format(who="c.id = any($1::uuid[])")


@dataclass(frozen=True, slots=True)
class Span:
    """Two windows of equal length, the later one first, in the days of one zone."""

    window: Window
    previous: Window
    now: datetime
    zone: str
    fresh_for: timedelta

    @property
    def arguments(self) -> tuple[datetime, datetime, datetime, str]:
        return self.window.starts_at, self.window.ends_at or self.now, self.previous.starts_at, self.zone


@dataclass(frozen=True, slots=True)
class Numbers:
    """`active` of `members` have solved something or opened the platform in the window; `days` have a solve."""

    members: int = 0
    points: int = 0
    challenges: int = 0
    gain: int = 0
    gain_before: int = 0
    solves: int = 0
    active: int = 0
    last_active_at: datetime | None = None
    as_of: datetime | None = None
    unread: int = 0

    @property
    def change(self) -> int:
        return self.gain - self.gain_before


@dataclass(frozen=True, slots=True)
class Age:
    """How old what is shown is: the oldest successful look at anybody of whom it tells."""

    as_of: datetime | None
    is_late: bool
    promise: str


async def of_teams(team_ids: Sequence[UUID], span: Span) -> dict[UUID, Numbers]:
    """Of teams that the caller may see; every one of them has numbers."""
    rows = await database.fetch(
        f"""select team_id, count(*)::int as members, sum(points)::int as points, sum(challenges)::int as challenges,
                sum(gain)::int as gain, sum(gain_before)::int as gain_before, sum(solves)::int as solves,
                count(*) filter (where is_active)::int as active, max(last_active_at) as last_active_at,
                min(last_success_at) filter (where is_linked) as as_of,
                count(*) filter (where is_linked and last_success_at is null)::int as unread
            from ({ON_TEAMS}) p group by team_id""",  # noqa: S608
        list(team_ids), *span.arguments,
    )
    found = {row["team_id"]: _numbers(row) for row in rows}
    return {team_id: found.get(team_id, Numbers()) for team_id in team_ids}


def age(numbers: Sequence[Numbers], span: Span) -> Age:
    as_of = min((each.as_of for each in numbers if each.as_of), default=None)
    return Age(as_of, as_of is not None and span.now - as_of > span.fresh_for, promise_in_words(span.fresh_for))


def _numbers(row: asyncpg.Record) -> Numbers:
    return replace(Numbers(), **{name: row[name] for name in Numbers.__dataclass_fields__})
