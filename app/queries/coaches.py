"""Who coaches and who assists which team, and the rosters that an admin may hand over."""

import json
from dataclasses import dataclass
from uuid import UUID

from app import database
from app.domain.readers import Reader
from app.queries.keyset import Arguments

MOST_TEAMS = 200

Choice = tuple[str, str]

_NAME = "coalesce(nullif(u.display_name, ''), trim(u.first_name || ' ' || u.last_name), '')"


@dataclass(frozen=True, slots=True)
class CoachedTeam:
    """`can_change`: the reader may choose who assists it. `assistants`: ids and names."""

    team_id: UUID
    name: str
    coach: str
    can_change: bool
    assistants: tuple[Choice, ...]


@dataclass(frozen=True, slots=True)
class Roster:
    coach_id: UUID
    coach: str
    is_disabled: bool
    competitors: int
    teams: int


async def get_teams(reader: Reader, search: str) -> tuple[tuple[CoachedTeam, ...], bool]:
    """By name, and whether there are more than these."""
    arguments = Arguments()
    conditions = ["t.archived_at is null", "t.closed_at is null", arguments.sight(reader.sight, "t.coach_id", "t.id")]
    if search:
        conditions.append(f"strpos(lower(t.name || ' ' || {_NAME}), lower({arguments.add(search)})) > 0")
    rows = await database.fetch(
        f"""select t.id, t.name, t.coach_id, {_NAME} as coach, (
                select coalesce(jsonb_agg(jsonb_build_array(a.id, coalesce(nullif(a.display_name, ''),
                    trim(a.first_name || ' ' || a.last_name))) order by lower(a.last_name), a.id), '[]')
                from team_assistants s join users a on a.id = s.user_id where s.team_id = t.id) as assistants
            from teams t join users u on u.id = t.coach_id where {" and ".join(conditions)}
            order by lower(t.name), t.id limit {MOST_TEAMS + 1}""",  # noqa: S608
        *arguments.values,
    )
    teams = tuple(
        CoachedTeam(
            row["id"], row["name"], row["coach"], reader.is_admin or row["coach_id"] == reader.user_id,
            tuple((one[0], one[1]) for one in json.loads(row["assistants"])),
        ) for row in rows[:MOST_TEAMS]
    )
    return teams, len(rows) > MOST_TEAMS


async def get_coaches(reader: Reader) -> tuple[Choice, ...]:
    """The coaches of the reader's organizations but the reader: who could assist, or take over."""
    rows = await database.fetch(
        f"""select u.id, {_NAME} as name from users u where u.role = 'coach' and u.disabled_at is null and u.id <> $2
                and exists (select from organization_members m
                    where m.user_id = u.id and m.organization_id = any($1::uuid[]))
            order by lower({_NAME}), u.id""",  # noqa: S608
        list(reader.organization_ids), reader.user_id,
    )
    return tuple((str(row["id"]), row["name"]) for row in rows)


async def get_rosters(reader: Reader) -> tuple[Roster, ...]:
    """Of everybody who has one, also of coaches who have left. For admins."""
    if not reader.is_admin:
        return ()
    rows = await database.fetch(
        f"""select u.id as coach_id, {_NAME} as coach, u.disabled_at is not null as is_disabled,
                coalesce(c.count, 0) as competitors, coalesce(t.count, 0) as teams
            from users u
                left join (select coach_id, count(*) from competitors group by 1) c on c.coach_id = u.id
                left join (select coach_id, count(*) from teams group by 1) t on t.coach_id = u.id
            where c.count > 0 or t.count > 0 order by lower({_NAME}), u.id""",  # noqa: S608
    )
    return tuple(Roster(**row) for row in rows)
