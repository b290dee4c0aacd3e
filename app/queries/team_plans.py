"""Whom a coach may plan with: the groups, and one group's teams and people with what they can do and where they are."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import asyncpg

from app import database
from app.domain.competitor_status import MINORS
from app.domain.team_plans import Group, Person, Squad, Team
from app.queries import coverage
from app.queries.keyset import Arguments
from app.queries.scopes import Frame

MOST_TEAMS = 40
MOST_PEOPLE = 200

_COACH = "coalesce(nullif(u.display_name, ''), trim(u.first_name || ' ' || u.last_name), '')"
_OPEN = "t.archived_at is null and t.closed_at is null"


@dataclass(frozen=True, slots=True)
class Known:
    """A squad and how old what is known of it is; `is_cut` where there are more than can be planned at once."""

    squad: Squad
    as_of: datetime | None
    is_late: bool
    is_cut: bool


async def get_groups(frame: Frame) -> tuple[Group, ...]:
    """By coach and division, those that have a team which can be changed."""
    arguments = Arguments([frame.organization_id])
    rows = await database.fetch(
        f"""select t.coach_id, {_COACH} as coach, t.division, count(*)::int as teams,
                u.game_platform_id is not null as is_coach_known,
                coalesce(u.metactf_user_status = 'approved', false) as is_coach_approved
            from teams t join users u on u.id = t.coach_id
            where t.organization_id = $1 and {_OPEN} and {arguments.sight(frame.sight, "t.coach_id", "t.id")}
            group by t.coach_id, u.id, t.division order by lower({_COACH}), t.coach_id, t.division""",  # noqa: S608
        *arguments.values,
    )
    return tuple(Group(**row) for row in rows)


async def get_squad(group: Group, frame: Frame) -> Known:
    """The teams by name; the people by rank, as far as they are on one of these teams or on none."""
    teams = await _teams(group, frame)
    records = await _people(group, frame, [team.team_id for team in teams])
    shown = records[:MOST_PEOPLE]
    strengths = await coverage.of_competitors(frame.sight, [record["id"] for record in shown])
    as_of = min((record["as_of"] for record in shown if record["as_of"]), default=None)
    people = tuple(_person(record, strengths.get(record["id"], {})) for record in shown)
    return Known(
        Squad(group, teams[:MOST_TEAMS], people), as_of, frame.is_late(as_of),
        is_cut=len(teams) > MOST_TEAMS or len(records) > MOST_PEOPLE,
    )


async def _teams(group: Group, frame: Frame) -> tuple[Team, ...]:
    arguments = Arguments([frame.organization_id, group.coach_id, group.division])
    rows = await database.fetch(
        f"""select t.id as team_id, t.name, coalesce(t.game_platform_id, t.id::text) as platform_id,
                t.game_platform_synced_at is null and coalesce(t.game_platform_id, t.id::text) = t.id::text as is_new
            from teams t where t.organization_id = $1 and t.coach_id = $2 and t.division = $3 and {_OPEN}
                and {arguments.sight(frame.sight, "t.coach_id", "t.id")}
            order by lower(t.name), t.id limit {MOST_TEAMS + 1}""",  # noqa: S608
        *arguments.values,
    )
    return tuple(Team(**row) for row in rows)


async def _people(group: Group, frame: Frame, team_ids: Sequence[UUID]) -> list[asyncpg.Record]:
    """Where the platform has them: on our team when both sides agreed, while a change is on its way where they
    agreed last."""
    arguments = Arguments(
        [frame.organization_id, group.coach_id, group.division, list(team_ids[:MOST_TEAMS]), list(MINORS)]
    )
    rows: list[asyncpg.Record] = await database.fetch(
        f"""select c.id, trim(c.first_name || ' ' || c.last_name) as name, coalesce(c.metactf_username, '') as handle,
                coalesce(s.rank, 0) as rank, coalesce(s.points, 0) as points, m.team_id, o.id is not null as is_moving,
                case when o.id is not null then y.agreed_team
                    when m.game_platform_synced_at is not null then t.game_platform_id end as there,
                c.game_platform_id is not null and coalesce(c.metactf_user_status = 'approved', false)
                    as has_account,
                c.data_consent or c.division <> all($5::text[]) as may_be_told,
                y.last_success_at as as_of
            from competitors c left join team_memberships m on m.competitor_id = c.id
                left join teams t on t.id = m.team_id left join standings s on s.competitor_id = c.id
                left join game_platform_sync_state y on y.competitor_id = c.id
                left join outbox o on o.subject_id = c.id and o.kind = 'membership'
                    and o.state in ('waiting', 'parked')
            where c.organization_id = $1 and c.coach_id = $2 and c.division = $3 and c.archived_at is null
                and (m.team_id is null or m.team_id = any($4::uuid[]))
                and {arguments.sight(frame.sight, "c.coach_id", "m.team_id")}
            order by s.rank nulls last, lower(c.last_name), lower(c.first_name), c.id
            limit {MOST_PEOPLE + 1}""",  # noqa: S608
        *arguments.values,
    )
    return rows


def _person(record: asyncpg.Record, solved: coverage.Counts) -> Person:
    names = ("name", "handle", "rank", "points", "team_id", "there", "is_moving", "has_account", "may_be_told")
    return Person(
        competitor_id=record["id"], strengths=frozenset(solved), **{name: record[name] for name in names}
    )
