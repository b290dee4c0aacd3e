"""Organizations, who belongs to them with which right, and who assists which team."""

from uuid import UUID

from app import database
from app.domain.readers import Reader
from app.security import audit
from app.tables.accounts import Membership, Role

DEFAULT_NAME = "Main"
MAX_NAME_CHARACTERS = 120


class OrganizationError(Exception):
    """The text says what is wrong and what to do."""


class NoSuchTeam(OrganizationError):
    """Not there, or not for this person to change: the same answer, so that nobody learns which."""


def clean_name(name: str) -> str:
    """As it is stored; raises OrganizationError for what is no name."""
    wanted = " ".join(name.split())
    if not wanted or not wanted.isprintable() or len(wanted) > MAX_NAME_CHARACTERS:
        raise OrganizationError(f"An organization's name has 1 to {MAX_NAME_CHARACTERS} printable characters.")
    return wanted


async def find_or_make(name: str, *, actor_label: str) -> UUID:
    """The organization of that name. Two who make it at once get the same one."""
    wanted = clean_name(name)
    made: UUID | None = await database.fetchval(
        "insert into organizations (name) values ($1) on conflict (name) do nothing returning id",
        wanted,
    )
    if made:
        await audit.record(
            "organization.made", actor=None, actor_label=actor_label, subject_type="organization", subject_id=made,
            after={"name": wanted}, organization_id=made,
        )
    found: UUID = made or await database.fetchval("select id from organizations where name = $1", wanted)
    return found


async def the_only_one(*, actor_label: str) -> UUID:
    """For those who have one organization and never name it; the first is made on demand."""
    ids = [row["id"] for row in await database.fetch("select id from organizations limit 2")]
    if len(ids) > 1:
        raise OrganizationError("There are several organizations. Name one with --organization.")
    return ids[0] if ids else await find_or_make(DEFAULT_NAME, actor_label=actor_label)


async def add_member(organization_id: UUID, user_id: UUID, *, organizer: bool) -> None:
    await database.execute(
        """insert into organization_members (organization_id, user_id, role) values ($1, $2, $3)
           on conflict (organization_id, user_id) do update set role = excluded.role""",
        organization_id, user_id, Membership.ORGANIZER if organizer else Membership.MEMBER,
    )


async def set_organizer(organization_id: UUID, user_id: UUID, organizer: bool, *, actor: Reader) -> None:
    """Gives or takes the organizer right of somebody who belongs to the organization."""
    role = Membership.ORGANIZER if organizer else Membership.MEMBER
    async with database.transaction():
        changed = await database.fetchval(
            """update organization_members set role = $3
               where organization_id = $1 and user_id = $2 and role <> $3 returning id""",
            organization_id, user_id, role,
        )
        if changed:
            await audit.record(
                "organization.role_changed", actor=actor, subject_type="user", subject_id=user_id,
                after={"role": role}, organization_id=organization_id,
            )


async def is_organizer(organization_id: UUID, user_id: UUID) -> bool:
    found = await database.fetchval(
        "select 1 from organization_members where organization_id = $1 and user_id = $2 and role = $3",
        organization_id, user_id, Membership.ORGANIZER,
    )
    return found is not None


async def add_assistant(team_id: UUID, user_id: UUID, *, actor: Reader) -> None:
    """Lets another coach of the same organization see the team as its own coach does."""
    async with database.transaction():
        organization_id = await _organization_of_team(team_id, actor)
        if not await _may_assist(organization_id, user_id):
            raise OrganizationError("Only a coach of the same organization can assist a team.")
        added = await database.fetchval(
            """insert into team_assistants (team_id, user_id) values ($1, $2)
               on conflict (team_id, user_id) do nothing returning id""",
            team_id, user_id,
        )
        if added:
            await _record_assistant("team.assistant_added", team_id, user_id, organization_id, actor)


async def remove_assistant(team_id: UUID, user_id: UUID, *, actor: Reader) -> None:
    async with database.transaction():
        organization_id = await _organization_of_team(team_id, actor)
        if await database.execute("delete from team_assistants where team_id = $1 and user_id = $2", team_id, user_id):
            await _record_assistant("team.assistant_removed", team_id, user_id, organization_id, actor)


async def _organization_of_team(team_id: UUID, actor: Reader) -> UUID:
    """Only the team's coach and admins hand out its sight; for everybody else there is no such team."""
    organization_id: UUID | None = await database.fetchval(
        "select organization_id from teams where id = $1 and ($2 or coach_id = $3) for share",
        team_id, actor.is_admin, actor.user_id,
    )
    if organization_id is None:
        raise NoSuchTeam("There is no such team, or it is not yours.")
    return organization_id


async def _may_assist(organization_id: UUID, user_id: UUID) -> bool:
    found = await database.fetchval(
        """select 1 from users u join organization_members m on m.user_id = u.id
           where u.id = $2 and u.role = $3 and u.disabled_at is null and m.organization_id = $1""",
        organization_id, user_id, Role.COACH,
    )
    return found is not None


async def _record_assistant(action: str, team_id: UUID, user_id: UUID, organization_id: UUID, actor: Reader) -> None:
    await audit.record(
        action, actor=actor, subject_type="team", subject_id=team_id, after={"user_id": user_id},
        organization_id=organization_id,
    )
    await database.execute(
        "insert into activity_events (organization_id, kind, team_id, user_id) values ($1, $2, $3, $4)",
        organization_id, action.replace(".", "_"), team_id, user_id,
    )
