"""Teams as coaches change them. Each change is one transaction with its traces and its push; then a drainer is woken.

Locks are taken in the order competitors, teams, memberships, outbox, as the roster import takes them.
"""

import json
from typing import Any
from uuid import UUID

import asyncpg

from app import database
from app.domain import platform_limits
from app.domain.readers import Reader
from app.security import audit
from app.services import outbox, standings
from app.services.outbox import NotFound
from app.tables.outbox import PushKind
from app.tables.rosters import Division

__all__ = [
    "NotFound", "TeamError", "add_member", "create", "edit", "find_team", "place", "remember", "remove_member",
    "rename", "take_off",
]

MAX_CHARACTERS = 100
NAME_TAKEN = "This coach has a team with that name already."
CLOSED = "This team is being deleted. It cannot be changed until the Game Platform has answered."
ARCHIVED = "This team is archived and cannot be changed."

FIND = """
    select t.id, t.organization_id, t.coach_id, t.name, t.division, t.affiliation, t.game_platform_id,
        t.game_platform_synced_at, t.closed_at, t.archived_at
    from teams t where t.id = $1 and {condition} for {lock}
"""


class TeamError(Exception):
    """A change that is refused; the text says why and what to do, `field` where in a form it belongs."""

    def __init__(self, text: str, field: str = "") -> None:
        super().__init__(text)
        self.text = text
        self.field = field


async def create(
    reader: Reader, *, name: str, division: str, affiliation: str, coach_id: UUID | None = None
) -> UUID:
    """A coach's own team; an admin names the coach."""
    name, affiliation = _named(name, "name"), _named(affiliation, "affiliation")
    wanted = _division(division)
    async with database.transaction():
        coach_id, organization_id = await _coach(reader, coach_id)
        row = await database.fetchrow(
            """insert into teams (organization_id, coach_id, name, division, affiliation) values ($1, $2, $3, $4, $5)
               on conflict do nothing returning id, organization_id""",
            organization_id, coach_id, name, wanted, affiliation,
        )
        if row is None:
            raise TeamError(NAME_TAKEN, "name")
        team, team_id = dict(row), UUID(str(row["id"]))
        await outbox.add(PushKind.TEAM, team_id, organization_id=organization_id, actor=reader)
        await remember("team.created", team, reader, after=_facts(name, wanted, affiliation))
    await outbox.wake()
    return team_id


async def rename(reader: Reader, team_id: UUID, name: str) -> str | None:
    """Here only. Answers what the coach should know when the platform has the team already."""
    name = _named(name, "name")
    async with database.transaction():
        team = await _open_team(reader, team_id)
        if name != team["name"]:
            await _set_name(team_id, name)
            await remember("team.renamed", team, reader, before={"name": team["name"]}, after={"name": name})
    return platform_limits.RENAME_TEAM if team["game_platform_id"] else None


async def edit(reader: Reader, team_id: UUID, *, division: str, affiliation: str) -> None:
    """Only while the platform does not have the team: it cannot change either."""
    affiliation, wanted = _named(affiliation, "affiliation"), _division(division)
    async with database.transaction():
        team = await _open_team(reader, team_id)
        if (wanted, affiliation) == (team["division"], team["affiliation"]):
            return
        if team["game_platform_id"]:
            raise TeamError(platform_limits.CHANGE_TEAM, "division" if wanted != team["division"] else "affiliation")
        await _require_fitting_members(team_id, wanted)
        await database.execute(
            "update teams set division = $2, affiliation = $3, updated_at = now() where id = $1",
            team_id, wanted, affiliation,
        )
        await outbox.add(PushKind.TEAM, team_id, organization_id=team["organization_id"], actor=reader)
        before = {name: team[name] for name in ("division", "affiliation")}
        after = {"division": wanted, "affiliation": affiliation}
        await remember("team.edited", team, reader, before=before, after=after)
    await outbox.wake()


async def add_member(reader: Reader, team_id: UUID, competitor_id: UUID) -> None:
    """Puts a competitor on the team, taking them off another one of the same coach."""
    async with database.transaction():
        is_changed = await place(reader, team_id, competitor_id)
    if is_changed:
        await outbox.wake()


async def place(reader: Reader, team_id: UUID, competitor_id: UUID) -> bool:
    """In the caller's transaction, which wakes the outbox after it; False where they are on the team already."""
    competitor = await _competitor(reader, competitor_id)
    team = await _open_team(reader, team_id, lock="share of t")
    _require_fitting(competitor, team)
    before = await database.fetchval(
        "select team_id from team_memberships where competitor_id = $1 for update", competitor_id
    )
    if before == team_id:
        return False
    await database.execute(
        """insert into team_memberships (team_id, competitor_id) values ($1, $2)
           on conflict (competitor_id) do update set team_id = excluded.team_id, game_platform_synced_at = null,
               game_platform_sync_error = null""",
        team_id, competitor_id,
    )
    await _membership_changed("member.added", team, competitor_id, reader, before=before, after=team_id)
    return True


async def remove_member(reader: Reader, team_id: UUID, competitor_id: UUID) -> None:
    """Takes a competitor off the team; who is not on it any more stays so."""
    async with database.transaction():
        is_changed = await take_off(reader, team_id, competitor_id)
    if is_changed:
        await outbox.wake()


async def take_off(reader: Reader, team_id: UUID, competitor_id: UUID) -> bool:
    """In the caller's transaction, which wakes the outbox after it; False where they are not on the team."""
    await _competitor(reader, competitor_id)
    team = await find_team(reader, team_id, lock="share of t")
    removed = await database.execute(
        "delete from team_memberships where team_id = $1 and competitor_id = $2", team_id, competitor_id
    )
    if removed:
        await _membership_changed("member.removed", team, competitor_id, reader, before=team_id, after=None)
    return bool(removed)


async def _coach(reader: Reader, coach_id: UUID | None) -> tuple[UUID, UUID]:
    """The coach who gets the team, and their organization."""
    wanted = reader.user_id if reader.is_coach else coach_id if reader.is_admin else None
    if reader.is_admin and wanted is None:
        raise TeamError("Choose the coach of the team.", "coach_id")
    row = await database.fetchrow(
        """select u.id, m.organization_id from users u join organization_members m on m.user_id = u.id
           where u.id = $1 and u.role = 'coach' and u.disabled_at is null order by m.created_at limit 1""",
        wanted,
    )
    if row is None:
        raise NotFound
    return row["id"], row["organization_id"]


async def find_team(reader: Reader, team_id: UUID, *, lock: str = "no key update of t") -> dict[str, Any]:
    condition, arguments = reader.sight.condition("t.coach_id", "t.id", 2)
    row = await database.fetchrow(FIND.format(condition=condition, lock=lock), team_id, *arguments)
    if row is None:
        raise NotFound
    return dict(row)


async def _open_team(reader: Reader, team_id: UUID, *, lock: str = "no key update of t") -> dict[str, Any]:
    team = await find_team(reader, team_id, lock=lock)
    if team["closed_at"] or team["archived_at"]:
        raise TeamError(CLOSED if team["closed_at"] else ARCHIVED)
    return team


async def _competitor(reader: Reader, competitor_id: UUID) -> dict[str, Any]:
    condition, arguments = reader.sight.condition("c.coach_id", "m.team_id", 2)
    row = await database.fetchrow(
        f"""select c.id, c.coach_id, c.division, c.archived_at from competitors c
            left join team_memberships m on m.competitor_id = c.id
            where c.id = $1 and {condition} for no key update of c""",  # noqa: S608
        competitor_id, *arguments,
    )
    if row is None:
        raise NotFound
    return dict(row)


def _require_fitting(competitor: dict[str, Any], team: dict[str, Any]) -> None:
    if competitor["archived_at"]:
        raise TeamError("This competitor is archived. Bring them back first.", "competitor_id")
    if competitor["coach_id"] != team["coach_id"]:
        raise TeamError("This competitor has another coach than the team.", "competitor_id")
    if competitor["division"] != team["division"]:
        raise TeamError(f"This team is for the division {_words(team['division'])}.", "competitor_id")


async def _require_fitting_members(team_id: UUID, division: str) -> None:
    others = await database.fetchval(
        """select count(*) from team_memberships m join competitors c on c.id = m.competitor_id
           where m.team_id = $1 and c.division is distinct from $2""",
        team_id, division,
    )
    if others:
        raise TeamError(f"{others} of the members are in another division than {_words(division)}.", "division")


async def _set_name(team_id: UUID, name: str) -> None:
    try:
        await database.execute("update teams set name = $2, updated_at = now() where id = $1", team_id, name)
    except asyncpg.UniqueViolationError:
        raise TeamError(NAME_TAKEN, "name") from None


async def _membership_changed(
    action: str, team: dict[str, Any], competitor_id: UUID, reader: Reader, *, before: UUID | None, after: UUID | None
) -> None:
    """A team that was chosen by hand is noted, so that no import of a roster takes it back."""
    await database.execute(
        """update competitors set edited_fields = edited_fields || '["team"]' where id = $1
               and not edited_fields ? 'team'""",
        competitor_id,
    )
    await outbox.add(PushKind.MEMBERSHIP, competitor_id, organization_id=team["organization_id"], actor=reader)
    await remember(
        action, team, reader, competitor_id=competitor_id, before={"team_id": before}, after={"team_id": after}
    )


async def remember(
    action: str, team: dict[str, Any], reader: Reader, *, competitor_id: UUID | None = None,
    before: dict[str, Any] | None = None, after: dict[str, Any] | None = None,
) -> None:
    """The traces of one change, and the standings that name the team."""
    organization_id = team["organization_id"]
    await audit.record(
        action, actor=reader, subject_type="competitor" if competitor_id else "team",
        subject_id=competitor_id or team["id"], before=before, after=after, organization_id=organization_id,
    )
    await database.execute(
        """insert into activity_events (organization_id, kind, team_id, competitor_id, user_id, details)
           values ($1, $2, $3, $4, $5, $6::jsonb)""",
        organization_id, action.replace(".", "_"), team["id"], competitor_id, reader.user_id,
        json.dumps(after or {}, default=str),
    )
    await standings.mark_stale(organization_id)


def _named(text: str, field: str) -> str:
    words = " ".join(text.split())
    if not words or len(words) > MAX_CHARACTERS or not words.isprintable():
        raise TeamError(f"The {field} should have 1 to {MAX_CHARACTERS} printable characters.", field)
    return words


def _division(division: str) -> str:
    try:
        return Division(division).value
    except ValueError:
        known = ", ".join(_words(known) for known in Division)
        raise TeamError(f"The division should be one of {known}.", "division") from None


def _words(division: str) -> str:
    return division.replace("_", " ")


def _facts(name: str, division: str, affiliation: str) -> dict[str, str]:
    return {"name": name, "division": division, "affiliation": affiliation}
