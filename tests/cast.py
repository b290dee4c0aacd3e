"""The people of every test: coach of team A, coach of team B, an admin, a player. Made by plain inserts, on demand."""

import secrets
from dataclasses import dataclass
from uuid import UUID

from app import database


@dataclass(frozen=True)
class Person:
    id: UUID
    email: str
    role: str
    organization_id: UUID


@dataclass(frozen=True)
class Cast:
    organization_id: UUID
    coach_a: Person
    coach_b: Person
    admin: Person
    player: Person
    team_a: UUID
    team_b: UUID


async def make_organization(name: str = "Northern League") -> UUID:
    return UUID(str(await database.fetchval("insert into organizations (name) values ($1) returning id", name)))


async def make_user(organization_id: UUID, role: str, name: str) -> Person:
    email = f"{name.lower().replace(' ', '.')}@example.org"
    first, _, last = name.partition(" ")
    user_id = await database.fetchval(
        """insert into users (email, first_name, last_name, display_name, role)
           values ($1, $2, $3, $4, $5) returning id""",
        email, first, last, name, role,
    )
    await database.execute(
        "insert into organization_members (organization_id, user_id) values ($1, $2)", organization_id, user_id
    )
    return Person(id=user_id, email=email, role=role, organization_id=organization_id)


async def make_team(coach: Person, name: str, division: str = "high_school") -> UUID:
    return UUID(
        str(
            await database.fetchval(
                """insert into teams (organization_id, coach_id, name, division, affiliation)
                   values ($1, $2, $3, $4, 'Example School') returning id""",
                coach.organization_id, coach.id, name, division,
            )
        )
    )


async def make_competitor(
    coach: Person,
    name: str,
    *,
    team_id: UUID | None = None,
    division: str = "high_school",
    status: str = "complete",
    data_consent: bool = True,
) -> UUID:
    """A competitor with papers; one who is `complete` also has an account at the platform."""
    first, _, last = name.partition(" ")
    account = f"syned-{secrets.token_hex(6)}" if status == "complete" else None
    signed = status in ("compliance", "complete")
    competitor_id = UUID(
        str(
            await database.fetchval(
                """insert into competitors (organization_id, coach_id, first_name, last_name, email, division, status,
                       release_signed, agreement_signed, data_consent, game_platform_id, metactf_user_status)
                   values ($1, $2, $3, $4, $5, $6, $7, $8, $8, $9, $10, $11) returning id""",
                coach.organization_id, coach.id, first, last, f"{secrets.token_hex(4)}@example.org", division, status,
                signed, data_consent, account, "approved" if account else None,
            )
        )
    )
    if team_id:
        await database.execute(
            "insert into team_memberships (team_id, competitor_id) values ($1, $2)", team_id, competitor_id
        )
    if account:
        await database.execute(
            "insert into game_platform_sync_state (syned_user_id, competitor_id) values ($1, $2)",
            account, competitor_id,
        )
    return competitor_id


async def make_cast() -> Cast:
    organization_id = await make_organization()
    coach_a = await make_user(organization_id, "coach", "Ada Alder")
    coach_b = await make_user(organization_id, "coach", "Ben Birch")
    return Cast(
        organization_id=organization_id,
        coach_a=coach_a,
        coach_b=coach_b,
        admin=await make_user(organization_id, "admin", "Alma Admin"),
        player=await make_user(organization_id, "player", "Pia Player"),
        team_a=await make_team(coach_a, "Firewall"),
        team_b=await make_team(coach_b, "Backdoor"),
    )
