"""Both sides of the rosters at one moment: what the Game Platform's list shows, and what our tables hold."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import asyncpg

from app import database
from app.domain.drift import Member
from app.integrations.game_platform.client import VENDOR
from app.integrations.game_platform.schemas import TeamAssignments
from app.services import quarantine
from app.services.quarantine import BadRecord

ON_TWO_TEAMS = "is on several teams at once"

# Whose account went to another record with a merge is not meant by the id that the account bears.
MEMBERS = """
    select c.id as competitor_id, c.organization_id, coalesce(c.game_platform_id, c.id::text) as syned_user_id,
        case when c.archived_at is null then coalesce(t.game_platform_id, t.id::text) end as team,
        c.game_platform_id is not null as has_account, c.archived_at is null and t.archived_at is not null as is_kept,
        c.archived_at is null and c.metactf_user_status = 'approved' as is_expected,
        s.team_agreed_at is not null as was_agreed, s.agreed_team,
        c.metactf_user_status as status, c.metactf_username as username
    from competitors c
    left join team_memberships m on m.competitor_id = c.id
    left join teams t on t.id = m.team_id
    left join game_platform_sync_state s on s.competitor_id = c.id
    where ($1::uuid[] is null or c.organization_id = any($1))
        and (c.game_platform_id is not null
            or not exists (select from competitors holder where holder.game_platform_id = c.id::text))
"""

TEAMS = """
    select id, organization_id, coalesce(game_platform_id, id::text) as platform_id, name, division, affiliation,
        game_platform_name, game_platform_division, game_platform_affiliation,
        game_platform_synced_at is not null and archived_at is null and closed_at is null as is_comparable
    from teams where ($1::uuid[] is null or organization_id = any($1))
"""

# What became of the deletion of teams that are gone here: the platform may not have let go of them.
DELETED_TEAMS = """
    select distinct on (o.subject_id) o.subject_id as id, o.organization_id, o.platform_id, o.state from outbox o
    where o.kind = 'team_deletion' and o.platform_id is not null
        and ($1::uuid[] is null or o.organization_id = any($1))
        and not exists (select from teams t where t.id = o.subject_id)
    order by o.subject_id, o.id desc
"""

KNOWN = """
    select game_platform_id from competitors where game_platform_id = any($1::text[])
    union select id::text from competitors where id::text = any($1)
    union select game_platform_id from users where game_platform_id = any($1)
    union select id::text from users where id::text = any($1)
"""

# What the drainer will send, whether or not it has a row of its own yet, and what it has sent since we asked.
BUSY = """
    select subject_id from outbox where state = 'waiting' or finished_at >= $1
    union all
    select m.competitor_id from team_memberships m
    where m.game_platform_synced_at is null and not exists (select from outbox o where o.subject_id = m.competitor_id)
    union all
    select t.id from teams t
    where t.game_platform_synced_at is null and not exists (select from outbox o where o.subject_id = t.id)
"""


@dataclass(frozen=True, slots=True)
class Scope:
    """What is compared: some organizations or all, one team or all."""

    organization_ids: Sequence[UUID] | None = None
    team_id: UUID | None = None

    def takes(self, team_id: UUID) -> bool:
        return self.team_id in (None, team_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sides:
    """`shown`: who is on which team there. `people` is everybody, `members` without those who wait for a push."""

    shown: Mapping[str, str | None]
    strangers: Mapping[str, str | None]
    people: Sequence[Member]
    members: Sequence[Member]
    teams: Sequence[asyncpg.Record]
    deleted: Sequence[asyncpg.Record]


async def load(listing: TeamAssignments, asked_at: datetime, scope: Scope) -> Sides:
    """In a transaction. `asked_at`: when the vendor was asked, on the database's clock."""
    shown, unclear = await _shown(listing)
    teams = await database.fetch(TEAMS, scope.organization_ids)
    everybody = [Member(**row) for row in await database.fetch(MEMBERS, scope.organization_ids)]
    deleted = await database.fetch(DELETED_TEAMS, scope.organization_ids)
    # After our own rows: a change that came between is waiting, or was sent after the vendor was asked.
    busy = {row["subject_id"] for row in await database.fetch(BUSY, asked_at)}
    in_scope = {team["platform_id"] for team in teams if team["id"] == scope.team_id} if scope.team_id else None
    look = _Look(shown, unclear, busy, {team["platform_id"] for team in teams if team["id"] in busy}, in_scope)
    people = [member for member in everybody if look.takes(member)]
    return Sides(
        shown=shown,
        strangers=await _strangers({person: team for person, team in shown.items() if look.has_in_scope({team})}),
        people=people, members=[member for member in people if not look.waits(member)],
        teams=[team for team in teams if scope.takes(team["id"]) and team["id"] not in busy],
        deleted=[team for team in deleted if scope.takes(team["id"]) and team["id"] not in busy],
    )


@dataclass(frozen=True, slots=True)
class _Look:
    """Whom to compare: who belongs to the scope on either side, and whom no push is about to change."""

    shown: Mapping[str, str | None]
    unclear: Collection[str]
    busy: Collection[UUID]
    busy_teams: Collection[str]
    in_scope: Collection[str] | None

    def takes(self, member: Member) -> bool:
        return member.syned_user_id not in self.unclear and self.has_in_scope(self._teams(member))

    def waits(self, member: Member) -> bool:
        return member.competitor_id in self.busy or not self._teams(member).isdisjoint(self.busy_teams)

    def _teams(self, member: Member) -> set[str | None]:
        return {member.team, self.shown.get(member.syned_user_id)}

    def has_in_scope(self, teams: set[str | None]) -> bool:
        return self.in_scope is None or not teams.isdisjoint(self.in_scope)


async def _shown(listing: TeamAssignments) -> tuple[dict[str, str | None], Collection[str]]:
    """Who is on which team, and who is on several at once: they are put aside, for nobody can tell which one counts."""
    teams: dict[str, set[str | None]] = {}
    for assignment in listing.assignments:
        teams.setdefault(assignment.syned_user_id, set()).add(assignment.syned_team_id)
    unclear = sorted(person for person, named in teams.items() if len(named) > 1)
    await quarantine.put_aside(VENDOR, [
        BadRecord("team_assignment", person, None, sorted(map(str, teams[person])), ON_TWO_TEAMS) for person in unclear
    ])
    return {person: next(iter(named)) for person, named in teams.items() if len(named) == 1}, unclear


async def _strangers(shown: Mapping[str, str | None]) -> dict[str, str | None]:
    known = {row[0] for row in await database.fetch(KNOWN, list(shown))}
    return {person: team for person, team in shown.items() if person not in known}
