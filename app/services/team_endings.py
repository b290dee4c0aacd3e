"""How teams end: put into the archive and brought back, or deleted here and at the platform."""

from typing import Any
from uuid import UUID

import asyncpg

from app import database
from app.domain.readers import Reader
from app.features import Feature, is_enabled
from app.services import outbox
from app.services.teams import CLOSED, TeamError, find_team, remember
from app.tables.outbox import PushKind


async def archive(reader: Reader, team_id: UUID) -> None:
    """Keeps the team and who is on it, for reading only. At the platform nothing changes."""
    async with database.transaction():
        team = await find_team(reader, team_id)
        if team["closed_at"]:
            raise TeamError(CLOSED)
        if team["archived_at"]:
            return
        await database.execute("update teams set archived_at = now(), updated_at = now() where id = $1", team_id)
        await remember("team.archived", team, reader)


async def restore(reader: Reader, team_id: UUID) -> None:
    """Brings an archived team back with whoever is still on it. What was not sent meanwhile is sent now."""
    async with database.transaction():
        team = await find_team(reader, team_id)
        if not team["archived_at"]:
            return
        try:
            await database.execute(
                "update teams set archived_at = null, updated_at = now() where id = $1", team_id
            )
        except asyncpg.UniqueViolationError:
            raise TeamError("This coach has another team with that name by now. Rename that one first.") from None
        if team["game_platform_synced_at"] is None:
            await outbox.add(PushKind.TEAM, team_id, organization_id=team["organization_id"], actor=reader)
        await _send_members(team, reader)
        await remember("team.restored", team, reader)
    await outbox.wake()


async def _send_members(team: dict[str, Any], reader: Reader) -> None:
    """Those whom the platform does not have on the team: while it was archived, their pushes were dropped."""
    members = await database.fetch(
        "select competitor_id from team_memberships where team_id = $1 and game_platform_synced_at is null", team["id"]
    )
    people = [member["competitor_id"] for member in members]
    await outbox.add_many(PushKind.MEMBERSHIP, people, organization_id=team["organization_id"], actor=reader)


async def delete(reader: Reader, team_id: UUID) -> None:
    """Closes a team without members and asks the platform. It goes when the platform has answered."""
    async with database.transaction():
        team = await find_team(reader, team_id, lock="update of t")
        if team["closed_at"]:
            return
        if await database.fetchval("select exists (select from team_memberships where team_id = $1)", team_id):
            raise TeamError("This team still has members. Take them off the team first.")
        await remember("team.closed", team, reader, after={"name": team["name"]})
        await _close(team, reader)
    await outbox.wake()


async def _close(team: dict[str, Any], reader: Reader) -> None:
    """A team that the platform never heard of goes at once where nothing is sent anyway."""
    await outbox.drop(PushKind.TEAM, team["id"], "The team was deleted.")
    if not team["game_platform_id"] and not await is_enabled(Feature.ROSTER_SYNC, team["organization_id"]):
        await database.execute("delete from teams where id = $1", team["id"])
        return
    await database.execute(
        "update teams set closed_at = now(), game_platform_sync_error = null, updated_at = now() where id = $1",
        team["id"],
    )
    await outbox.add(PushKind.TEAM_DELETION, team["id"], organization_id=team["organization_id"], actor=reader)
