"""A whole roster to another coach: every competitor and every team, archived ones too. Scores stay where they are."""

import json
from dataclasses import dataclass
from uuid import UUID

from app import database
from app.domain.readers import Reader
from app.security import audit
from app.services import outbox, roster, standings
from app.services.outbox import NotFound
from app.tables.outbox import PushKind

__all__ = ["HandOverError", "HandedOver", "NotFound", "hand_over"]

SAME_COACH = "Choose two different coaches."
NOBODY = "This coach has no competitors and no teams."

# Teams of both that would have one name afterwards.
SAME_NAMES = """
    select theirs.name from teams theirs join teams own on lower(own.name) = lower(theirs.name)
    where theirs.coach_id = $1 and own.coach_id = $2 and theirs.archived_at is null and own.archived_at is null
    order by theirs.name
"""


class HandOverError(Exception):
    """What stands in the way, and what to do."""


@dataclass(frozen=True, slots=True)
class HandedOver:
    competitors: int
    teams: int


async def hand_over(reader: Reader, from_coach_id: UUID, to_coach_id: UUID) -> HandedOver:
    """Raises HandOverError, and NotFound for whom the new coach cannot be. For admins."""
    if not reader.is_admin:
        raise NotFound
    if from_coach_id == to_coach_id:
        raise HandOverError(SAME_COACH)
    async with database.transaction():
        people = await _lock("competitors", from_coach_id)
        teams = await _lock("teams", from_coach_id)
        organizations = {*people.values(), *teams.values()}
        if not organizations:
            raise HandOverError(NOBODY)
        await _require_fitting(from_coach_id, to_coach_id, organizations)
        await _move(list(people), list(teams), to_coach_id)
        handed = HandedOver(len(people), len(teams))
        for organization_id in sorted(organizations):
            await _push(organization_id, [team for team, owner in teams.items() if owner == organization_id], reader)
        for organization_id in sorted(organizations):
            await _remember(reader, organization_id, from_coach_id, to_coach_id, handed)
    await roster.follow()
    return handed


async def _lock(table: str, coach_id: UUID) -> dict[UUID, UUID]:
    """Each row's organization."""
    rows = await database.fetch(
        f"select id, organization_id from {table} where coach_id = $1 order by id for no key update",  # noqa: S608
        coach_id,
    )
    return {row["id"]: row["organization_id"] for row in rows}


async def _require_fitting(from_coach_id: UUID, to_coach_id: UUID, organizations: set[UUID]) -> None:
    coach = await database.fetchrow(
        """select array(select m.organization_id from organization_members m where m.user_id = u.id) as organizations
           from users u where u.id = $1 and u.role = 'coach' and u.disabled_at is null""",
        to_coach_id,
    )
    if coach is None:
        raise NotFound
    if not organizations <= set(coach["organizations"]):
        raise HandOverError("The new coach is not in the organization of this roster. Add them to it first.")
    same = [row["name"] for row in await database.fetch(SAME_NAMES, from_coach_id, to_coach_id)]
    if same:
        raise HandOverError(f"Both coaches have a team called {', '.join(same)}. Rename one of them first.")


async def _move(competitor_ids: list[UUID], team_ids: list[UUID], coach_id: UUID) -> None:
    """Whoever assisted a team that is theirs now assists it no longer."""
    for table, ids in (("competitors", competitor_ids), ("teams", team_ids)):
        await database.execute(
            f"update {table} set coach_id = $2, updated_at = now() where id = any($1::uuid[])", ids, coach_id  # noqa: S608
        )
    await database.execute(
        "delete from team_assistants where user_id = $1 and team_id = any($2::uuid[])", coach_id, team_ids
    )


async def _push(organization_id: UUID, team_ids: list[UUID], reader: Reader) -> None:
    """Teams that the platform does not have yet are made there for the new coach. The others stay with the old one."""
    rows = await database.fetch(
        """select id from teams where id = any($1::uuid[]) and game_platform_synced_at is null
               and archived_at is null and closed_at is null order by id""",
        team_ids,
    )
    await outbox.add_many(PushKind.TEAM, [row["id"] for row in rows], organization_id=organization_id, actor=reader)


async def _remember(
    reader: Reader, organization_id: UUID, from_coach_id: UUID, to_coach_id: UUID, handed: HandedOver
) -> None:
    counts = {"competitors": handed.competitors, "teams": handed.teams}
    await audit.record(
        "roster.handed_over", actor=reader, subject_type="coach", subject_id=from_coach_id,
        before={"coach_id": from_coach_id}, after={"coach_id": to_coach_id, **counts},
        organization_id=organization_id,
    )
    await database.execute(
        """insert into activity_events (organization_id, kind, user_id, details)
           values ($1, 'roster_handed_over', $2, $3::jsonb)""",
        organization_id, to_coach_id, json.dumps(counts),
    )
    await standings.mark_stale(organization_id)
