"""The members of one team: how each stands at the platform, what they have done, and what they cover."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import asyncpg

from app import database
from app.domain import windows
from app.domain.readers import Sight
from app.domain.scopes import Scope
from app.queries import coverage
from app.queries.coverage import Counts
from app.queries.team_numbers import ON_TEAMS, Numbers, Span
from app.queries.teams import Sync, sync_of


@dataclass(frozen=True, slots=True)
class Member:
    """`covers`: challenges solved at medium or above, by category."""

    competitor_id: UUID
    name: str
    handle: str
    status: str
    is_linked: bool
    points: int
    challenges: int
    gain: int
    gain_before: int
    solves: int
    days: int
    is_active: bool
    last_active_at: datetime | None
    last_success_at: datetime | None
    has_failed: bool
    sync: Sync
    covers: Counts


async def span(organization_id: UUID, scope: Scope) -> Span:
    """The window that an address asks for, in the days of the team's organization."""
    row = await database.fetchrow(
        """select time_zone, school_year_starts_month, idle_look_minutes, now() as now,
               (now() at time zone time_zone)::date as today
           from organizations where id = $1""",
        organization_id,
    )
    assert row
    zone = ZoneInfo(row["time_zone"])
    window = windows.chosen(
        scope.window, scope.first_day, scope.last_day, row["today"], zone, row["school_year_starts_month"]
    )
    fresh_for = timedelta(minutes=row["idle_look_minutes"])
    return Span(window, windows.previous(window, zone), row["now"], zone.key, fresh_for)


async def get_members(sight: Sight, team_id: UUID, span: Span) -> tuple[Member, ...]:
    """By name; nobody of a team that is not the reader's."""
    condition, arguments = sight.condition("t.coach_id", "t.id", 6)
    rows = await database.fetch(
        f"""select p.*, m.game_platform_synced_at as synced_at, o.state as push,
                coalesce(o.reason, m.game_platform_sync_error, '') as push_reason
            from ({ON_TEAMS}) p join team_memberships m on m.competitor_id = p.id join teams t on t.id = m.team_id
                left join outbox o on o.subject_id = p.id and o.kind = 'membership'
                    and o.state in ('waiting', 'parked')
            where {condition}
            order by lower(p.last_name), lower(p.first_name), p.id""",  # noqa: S608
        [team_id], *span.arguments, *arguments,
    )
    covers = await coverage.of_teams(sight, [team_id])
    return tuple(_member(row, covers.get(row["id"], {})) for row in rows)


def added_up(members: tuple[Member, ...]) -> Numbers:
    """The same numbers as the team's tile has."""
    return Numbers(
        members=len(members), points=sum(each.points for each in members),
        challenges=sum(each.challenges for each in members), gain=sum(each.gain for each in members),
        gain_before=sum(each.gain_before for each in members), solves=sum(each.solves for each in members),
        active=sum(each.is_active for each in members),
        last_active_at=max((each.last_active_at for each in members if each.last_active_at), default=None),
        as_of=min((each.last_success_at for each in members if each.is_linked and each.last_success_at), default=None),
        unread=sum(each.is_linked and each.last_success_at is None for each in members),
    )


def _member(row: asyncpg.Record, covers: Counts) -> Member:
    own = {name: row[name] for name in Member.__dataclass_fields__ if name in row.keys()}  # noqa: SIM118
    return Member(
        **own | {"has_failed": bool(row["has_failed"])}, competitor_id=row["id"], sync=sync_of(row), covers=covers
    )
