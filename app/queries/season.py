"""Whose season may be turned by whom, and the turns so far."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from app import database
from app.domain.readers import Reader

MOST_CHANGES = 10


@dataclass(frozen=True, slots=True)
class Year:
    """The coach whose roster it is, and what day it is in which school year there."""

    coach_id: UUID
    coach: str
    organization: str
    today: date
    starts_month: int
    teams: int


@dataclass(frozen=True, slots=True)
class Change:
    change_id: UUID
    ended_year: str
    changed_at: datetime
    changed_by: str
    undone_at: datetime | None
    people: int
    teams: int


async def get_year(reader: Reader, coach_id: UUID) -> Year | None:
    """None for a roster that is not the reader's to turn: a coach's own, or any for an admin."""
    row = await database.fetchrow(
        """select u.id as coach_id, o.name as organization, o.school_year_starts_month as starts_month,
               (now() at time zone o.time_zone)::date as today,
               coalesce(nullif(u.display_name, ''), trim(u.first_name || ' ' || u.last_name)) as coach,
               (select count(*) from teams t where t.coach_id = u.id and t.archived_at is null
                   and t.closed_at is null) as teams
           from users u join organization_members m on m.user_id = u.id join organizations o on o.id = m.organization_id
           where u.id = $1 and u.role = 'coach' and ($2 or u.id = $3) order by m.created_at limit 1""",
        coach_id, reader.is_admin, reader.user_id,
    )
    return Year(**row) if row else None


async def get_changes(coach_id: UUID) -> tuple[Change, ...]:
    """The latest first."""
    rows = await database.fetch(
        f"""select s.id as change_id, s.ended_year, s.changed_at, s.undone_at,
                coalesce(nullif(u.display_name, ''), trim(u.first_name || ' ' || u.last_name), 'somebody')
                    as changed_by,
                coalesce(jsonb_array_length(s.before->'people'), 0) as people,
                coalesce(jsonb_array_length(s.before->'teams'), 0) as teams
            from season_changes s left join users u on u.id = s.changed_by
            where s.coach_id = $1 order by s.changed_at desc, s.id limit {MOST_CHANGES}""",  # noqa: S608
        coach_id,
    )
    return tuple(Change(**row) for row in rows)
