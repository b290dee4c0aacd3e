"""What a push to the Game Platform reads of our rosters, and what it writes when the platform has answered."""

import json
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from app import database
from app.domain.competitor_status import MINORS
from app.domain.drift import THERE, Field, Subject
from app.integrations.game_platform.schemas import NewTeam, PlatformTeam, UserStatus
from app.security import audit
from app.services import job_runs, standings
from app.services.job_runs import Claim
from app.services.outbox_rows import Push
from app.tables.outbox import PushKind

ACTOR = "outbox_drain"
RECIPIENT = "Game Platform"

# Once a team was sent, possibly without our hearing of it, the same is sent again: later changes are ours alone.
RESERVE_TEAM = """
    update teams set game_platform_id = id::text,
        game_platform_name = coalesce(game_platform_name, name),
        game_platform_division = coalesce(game_platform_division, division),
        game_platform_affiliation = coalesce(game_platform_affiliation, affiliation)
    where id = $1 and closed_at is null and game_platform_synced_at is null
        and coalesce(game_platform_id, id::text) = id::text
    returning game_platform_id, game_platform_name, game_platform_affiliation, game_platform_division
"""

UNRESERVE_TEAM = """
    update teams set game_platform_id = null, game_platform_name = null, game_platform_division = null,
        game_platform_affiliation = null
    where id = $1 and game_platform_synced_at is null
"""

STORE_TEAM = """
    update teams set game_platform_synced_at = now(), game_platform_sync_error = null,
        metactf_team_id = coalesce($3, metactf_team_id), metactf_coach_id = coalesce($4, metactf_coach_id),
        game_platform_name = coalesce($5, game_platform_name),
        game_platform_division = coalesce($6, game_platform_division),
        game_platform_affiliation = coalesce($7, game_platform_affiliation)
    where id = $1 and game_platform_id = $2 and game_platform_synced_at is null returning organization_id
"""

# Somebody who joined the team may bring it there although its own push was given up for the time being.
UNPARK_TEAM = """
    update outbox set state = 'sent', reason = null, finished_at = now()
    where kind = 'team' and subject_id = $1 and state = 'parked'
"""

PUT_DRIFT = """
    insert into drift (organization_id, subject_type, subject_id, field, theirs, reason)
    values ($1, $2, $3, $4, $5, $6)
    on conflict (vendor, subject_type, subject_id, field) where state <> 'resolved'
    do update set reason = excluded.reason where drift.reason is distinct from excluded.reason
"""

SETTLE_DRIFT = """
    update drift set state = 'resolved', resolved_at = now()
    where vendor = 'game_platform' and subject_type = $1 and subject_id = $2 and field = $3 and state <> 'resolved'
"""


@dataclass(frozen=True, slots=True)
class TeamToPush:
    id: UUID
    coach_id: UUID
    game_platform_id: str | None
    is_synced: bool
    is_closed: bool
    is_archived: bool

    @property
    def syned_team_id(self) -> str:
        return self.game_platform_id or str(self.id)

    @property
    def was_sent(self) -> bool:
        """By an earlier attempt of ours, of which nobody knows what came."""
        return self.game_platform_id == str(self.id)

    @property
    def names_a_team(self) -> bool:
        """A team that exists at the platform, by the id that a roster gave."""
        return self.game_platform_id not in (None, str(self.id))


@dataclass(frozen=True, slots=True)
class Member:
    """A competitor and the team that they should be on; None for none."""

    id: UUID
    organization_id: UUID
    division: str | None
    data_consent: bool
    syned_user_id: str | None
    metactf_user_status: str | None
    team_id: UUID | None
    team_is_archived: bool

    @property
    def is_approved(self) -> bool:
        return self.syned_user_id is not None and self.metactf_user_status == UserStatus.APPROVED

    @property
    def may_be_disclosed(self) -> bool:
        return self.data_consent or self.division not in (*MINORS, None)


async def read_team(team_id: UUID) -> TeamToPush | None:
    row = await database.fetchrow(
        """select id, coach_id, game_platform_id, game_platform_synced_at is not null as is_synced,
               closed_at is not null as is_closed, archived_at is not null as is_archived
           from teams where id = $1""",
        team_id,
    )
    return TeamToPush(**row) if row else None


async def read_member(competitor_id: UUID) -> Member | None:
    row = await database.fetchrow(
        """select c.id, c.organization_id, c.division, c.data_consent, c.game_platform_id as syned_user_id,
               c.metactf_user_status, t.id as team_id, t.archived_at is not null as team_is_archived
           from competitors c
           left join team_memberships m on m.competitor_id = c.id and c.archived_at is null
           left join teams t on t.id = m.team_id
           where c.id = $1""",
        competitor_id,
    )
    return Member(**row) if row else None


async def are_leaving(syned_user_ids: set[str]) -> bool:
    """Whether for each of these people a change of team is still on its way."""
    leaving = await database.fetchval(
        """select count(distinct c.game_platform_id) from competitors c
           join outbox o on o.subject_id = c.id and o.kind = 'membership' and o.state = 'waiting'
           where c.game_platform_id = any($1::text[])""",
        list(syned_user_ids),
    )
    return bool(leaving == len(syned_user_ids))


async def reserve_team(claim: Claim, team_id: UUID, coach_syned_user_id: str) -> NewTeam | None:
    """Fixes what is sent before it is sent. None when the team was closed or given another id."""
    async with database.transaction():
        await job_runs.keep(claim)
        row = await database.fetchrow(RESERVE_TEAM, team_id)
    if row is None:
        return None
    return NewTeam(
        syned_team_id=row["game_platform_id"], syned_coach_user_id=coach_syned_user_id,
        team_name=row["game_platform_name"], affiliation=row["game_platform_affiliation"],
        division=row["game_platform_division"],
    )


async def unreserve_team(claim: Claim, team_id: UUID) -> None:
    """The platform does not have it: the coach may change what was refused."""
    async with database.transaction():
        await job_runs.keep(claim)
        await database.execute(UNRESERVE_TEAM, team_id)


async def store_team(claim: Claim, team: TeamToPush, made: PlatformTeam | None) -> None:
    told = (made.metactf_team_id, made.metactf_coach_id, made.team_name, made.division, made.affiliation) \
        if made else (None,) * 5
    async with database.transaction():
        await job_runs.keep(claim)
        organization_id = await database.fetchval(STORE_TEAM, team.id, team.syned_team_id, *told)
        if organization_id is not None:
            await database.execute(UNPARK_TEAM, team.id)
            action = "team.adopted" if team.names_a_team else "team.pushed"
            await _remember(action, "team", team.id, organization_id, {"syned_team_id": team.syned_team_id})


async def store_membership(member: Member) -> None:
    """In the caller's transaction: both sides have them on this team."""
    await database.execute(
        """update team_memberships set game_platform_synced_at = now(), game_platform_sync_error = null
           where competitor_id = $1 and team_id = $2
               and (game_platform_synced_at is null or game_platform_sync_error is not null)""",
        member.id, member.team_id,
    )


async def store_trouble(push: Push, reason: str | None) -> None:
    """In the caller's transaction: why the subject is not in line yet, where people look for it."""
    if push.kind in (PushKind.TEAM, PushKind.TEAM_DELETION):
        await database.execute(
            """update teams set game_platform_sync_error = $2
               where id = $1 and game_platform_sync_error is distinct from $2""",
            push.subject_id, reason,
        )
    elif push.kind is PushKind.MEMBERSHIP:
        await database.execute(
            """update team_memberships set game_platform_sync_error = $2
               where competitor_id = $1 and game_platform_sync_error is distinct from $2""",
            push.subject_id, reason,
        )


async def store_traces(push: Push, effects: list[str], state: str, reason: str | None) -> None:
    """In the caller's transaction: whose data the platform was told, and what became of the push."""
    if effects and push.kind is PushKind.MEMBERSHIP:
        await audit.disclose(
            [push.subject_id], purpose="roster", recipient=RECIPIENT, user_id=push.actor_id, fields=["team"]
        )
    if push.kind is PushKind.MEMBERSHIP and (effects or state == "parked"):
        await _remember(
            f"membership.{'pushed' if state == 'sent' else state}", "competitor", push.subject_id,
            push.organization_id, {"effects": effects, "reason": reason},
        )


async def remove_team(push: Push, drift: str | None = None) -> None:
    """In the caller's transaction: gone here. With `drift` the platform may still have it, and why."""
    removed = await database.fetchval(
        "delete from teams where id = $1 and closed_at is not null returning name", push.subject_id
    )
    about = (Subject.TEAM.value, push.platform_id, Field.EXISTENCE.value)
    if drift is None:
        await database.execute(SETTLE_DRIFT, *about)
    else:
        await database.execute(PUT_DRIFT, push.organization_id, *about, THERE, drift)
    if removed is not None:
        details = {"name": removed, "drift": drift}
        await _remember("team.deleted", "team", push.subject_id, push.organization_id, details, push.actor_id)
        await standings.mark_stale(push.organization_id)


async def reopen_team(push: Push, reason: str) -> None:
    """In the caller's transaction: the platform keeps it, so it stays here too."""
    reopened = await database.fetchval(
        """update teams set closed_at = null, game_platform_sync_error = $2, updated_at = now()
           where id = $1 and closed_at is not null returning id""",
        push.subject_id, reason,
    )
    if reopened is not None:
        await _remember("team.reopened", "team", push.subject_id, push.organization_id, {"reason": reason})


async def _remember(
    action: str, subject_type: str, subject_id: UUID, organization_id: UUID, details: dict[str, Any],
    asked_by: UUID | None = None,
) -> None:
    """`asked_by` reads of it in the timeline, also where the team that it is about is gone."""
    await audit.record(
        action, actor=None, actor_label=ACTOR, subject_type=subject_type, subject_id=subject_id, after=details,
        organization_id=organization_id,
    )
    await database.execute(
        """insert into activity_events (organization_id, kind, team_id, competitor_id, details, user_id)
           values ($1, $2, (select id from teams where id = $3), (select id from competitors where id = $3),
               $4::jsonb, $5)""",
        organization_id, action.replace(".", "_"), subject_id, json.dumps(details), asked_by,
    )
