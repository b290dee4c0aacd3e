"""Teams as their coaches see them: the list by name, and one team, its members and how they stand at the platform."""

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

import asyncpg

from app import database
from app.domain.paging import Cursor
from app.domain.readers import Reader, Sight
from app.domain.team_list import ORDER, View
from app.queries import keyset
from app.queries.keyset import Arguments, Key, Stretch
from app.queries.scopes import Frame

PAGE_SIZE = 24
MOST_CHOICES = 500
KEYS: dict[int, tuple[Key, ...]] = {
    0: (Key("left(lower(t.name), 200)", "text", 'collate "C"'), Key("t.id", "uuid")),
}

_COACH = "coalesce(nullif(u.display_name, ''), trim(u.first_name || ' ' || u.last_name), '')"
_SOURCE = """teams t left join users u on u.id = t.coach_id
    left join outbox o on o.subject_id = t.id and o.kind in ('team', 'team_deletion')
        and o.state in ('waiting', 'parked')"""
_COLUMNS = {
    "id": "t.id", "organization_id": "t.organization_id", "coach_id": "t.coach_id", "name": "t.name",
    "division": "t.division", "affiliation": "t.affiliation", "coach": _COACH,
    "members": "(select count(*) from team_memberships m where m.team_id = t.id)",
    "is_archived": "t.archived_at is not null", "is_closed": "t.closed_at is not null",
    "push": "o.state", "push_reason": "coalesce(o.reason, t.game_platform_sync_error, '')",
    "synced_at": "t.game_platform_synced_at", "platform_name": "t.game_platform_name",
    "is_known_there": "t.game_platform_id is not null",
}


@dataclass(frozen=True, slots=True)
class Sync:
    """How something of ours stands at the platform: Synced, Pending or Error. A pending one is sent by itself."""

    state: str
    word: str
    since: datetime | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Team:
    """`platform_name` is what the platform keeps calling it; `is_known_there` ends what can be changed."""

    team_id: UUID
    organization_id: UUID
    coach_id: UUID
    name: str
    division: str
    affiliation: str
    coach: str
    members: int
    is_archived: bool
    is_closed: bool
    sync: Sync
    platform_name: str | None
    is_known_there: bool

    @property
    def can_change(self) -> bool:
        return not (self.is_archived or self.is_closed)


@dataclass(frozen=True, slots=True)
class Page:
    rows: tuple[Team, ...]
    previous: Cursor | None
    next: Cursor | None


@dataclass(frozen=True, slots=True)
class Candidate:
    """Somebody who may join; `team` is the one that they would leave."""

    competitor_id: UUID
    name: str
    handle: str
    team: str


def understood(view: View, frame: Frame) -> tuple[View, tuple[str, ...]]:
    """The view without what this reader cannot know, and without a cursor of another list."""
    view = replace(view, scope=frame.scope)
    if view.cursor and not keyset.is_usable(view.cursor, KEYS):
        return replace(view, cursor=None), ("“cursor” belongs to another list; the first page is shown.",)
    return view, ()


async def get_page(view: View, frame: Frame, *, size: int = PAGE_SIZE) -> Page:
    """By name. One row more than shown is read, to know whether there is more."""
    arguments = Arguments()
    conditions = [frame.teams(arguments), f"t.archived_at is {'not ' if view.is_archived else ''}null"]
    if view.search:
        conditions.append(f"strpos(lower(t.name || ' ' || t.affiliation), lower({arguments.add(view.search)})) > 0")
    stretch = Stretch(0, _SOURCE, tuple(conditions), KEYS[0], True, _COLUMNS)
    found = await database.fetch(keyset.page_sql([stretch], view.cursor, size + 1, arguments), *arguments.values)
    records, previous, following = keyset.turned(found, ORDER, view.cursor, size)
    return Page(tuple(map(_team, records)), previous, following)


async def get_team(sight: Sight, team_id: UUID) -> Team | None:
    """None also where it is not the reader's."""
    condition, arguments = sight.condition("t.coach_id", "t.id", 2)
    columns = ", ".join(f"{sql} as {name}" for name, sql in _COLUMNS.items())
    record = await database.fetchrow(
        f"select {columns} from {_SOURCE} where t.id = $1 and {condition}", team_id, *arguments  # noqa: S608
    )
    return None if record is None else _team(record)


async def get_candidates(sight: Sight, team: Team) -> tuple[Candidate, ...]:
    """Who may join: competitors of the same coach and division who are not on the team."""
    condition, arguments = sight.condition("c.coach_id", "m.team_id", 4)
    rows = await database.fetch(
        f"""select c.id, c.first_name, c.last_name, coalesce(c.metactf_username, '') as handle,
                coalesce(t.name, '') as team
            from competitors c left join team_memberships m on m.competitor_id = c.id
                left join teams t on t.id = m.team_id
            where c.coach_id = $1 and c.division = $2 and m.team_id is distinct from $3 and c.archived_at is null
                and {condition}
            order by m.team_id is not null, lower(c.last_name), lower(c.first_name), c.id
            limit {MOST_CHOICES}""",  # noqa: S608
        team.coach_id, team.division, team.team_id, *arguments,
    )
    return tuple(Candidate(row["id"], _name(row), row["handle"], row["team"]) for row in rows)


async def get_member_ids(team: Team) -> tuple[UUID, ...]:
    rows = await database.fetch("select competitor_id from team_memberships where team_id = $1", team.team_id)
    return tuple(row["competitor_id"] for row in rows)


async def get_others(sight: Sight, team: Team) -> tuple[tuple[str, str], ...]:
    """The teams that a member may move to, ids and names: open ones of the same coach and division."""
    condition, arguments = sight.condition("t.coach_id", "t.id", 4)
    rows = await database.fetch(
        f"""select t.id, t.name from teams t
            where t.coach_id = $1 and t.division = $2 and t.id <> $3 and t.archived_at is null and t.closed_at is null
                and {condition}
            order by lower(t.name), t.id limit {MOST_CHOICES}""",  # noqa: S608
        team.coach_id, team.division, team.team_id, *arguments,
    )
    return tuple((str(row["id"]), row["name"]) for row in rows)


async def get_coaches(reader: Reader) -> tuple[tuple[str, str], ...]:
    """To whom an admin may give a new team: ids and names."""
    if not reader.is_admin:
        return ()
    rows = await database.fetch(
        f"""select u.id, {_COACH} as name from users u
            where u.role = 'coach' and u.disabled_at is null
                and exists (select from organization_members m where m.user_id = u.id)
            order by lower({_COACH}), u.id""",  # noqa: S608
    )
    return tuple((str(row["id"]), row["name"]) for row in rows)


def _team(record: asyncpg.Record) -> Team:
    own = {name: record[name] for name in Team.__dataclass_fields__ if name not in ("team_id", "sync")}
    return Team(team_id=record["id"], sync=sync_of(record), **own)


def _name(record: asyncpg.Record) -> str:
    return f"{record['first_name']} {record['last_name']}".strip()


def sync_of(record: asyncpg.Record) -> Sync:
    if record["push"] == "waiting":
        return Sync("waiting", "Pending", reason=record["push_reason"])
    if record["push"] == "parked" or record["push_reason"]:
        return Sync("broken", "Error", reason=record["push_reason"])
    if record["synced_at"]:
        return Sync("good", "Synced", since=record["synced_at"])
    return Sync("waiting", "Pending")
