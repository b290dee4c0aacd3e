"""Rosters on both sides: ours by plain inserts, the platform's by script, and runs of what brings them together."""

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from app import database
from app.domain.readers import Reader, Sight
from app.services import outbox_drain, reconcile
from app.services.reconcile import ReconcileResult
from tests.cast import Person, make_team
from tests.services.platform import Platform, claim_run, make_onboarded

Row = tuple[str, str, str | None, str | None]


@dataclass
class Rosters:
    """One coach's teams and competitors. Teams and people are named by a letter and a number."""

    platform: Platform
    coach: Person
    teams: dict[str, UUID] = field(default_factory=dict)
    people: dict[str, UUID] = field(default_factory=dict)
    accounts: dict[str, str] = field(default_factory=dict)

    async def add_coach_there(self) -> None:
        await self.platform.tell("/users", {"syned_user_id": str(self.coach.id), "role": "coach"})
        await database.execute(
            "update users set game_platform_id = id::text, metactf_user_status = 'approved' where id = $1",
            self.coach.id,
        )

    async def add_team(self, name: str) -> UUID:
        """On both sides, as after a push."""
        team_id = self.teams[name] = await make_team(self.coach, name)
        await database.execute(
            """update teams set game_platform_id = id::text, game_platform_synced_at = now(), game_platform_name = name,
                   game_platform_division = division, game_platform_affiliation = affiliation where id = $1""",
            team_id,
        )
        await self.add_team_there(str(team_id))
        return team_id

    async def add_team_there(self, syned_team_id: str) -> None:
        await self.platform.tell("/teams", {
            "syned_team_id": syned_team_id, "syned_coach_user_id": str(self.coach.id), "team_name": syned_team_id,
            "affiliation": "Example School", "division": "high_school",
        })

    async def add(self, name: str, team: str | None = None) -> UUID:
        """With an account, on both sides' team."""
        self.people[name], self.accounts[name] = await make_onboarded(self.platform, self.coach, f"{name} Poplar")
        await database.execute(
            """update competitors set metactf_username = $2, game_platform_synced_at = now() where id = $1""",
            self.people[name], await self.username_of(name),
        )
        await self.put_here(name, team)
        await self.put_there(name, team)
        return self.people[name]

    async def username_of(self, name: str) -> str:
        async with self.platform.client() as client:
            return (await client.get_user(self.accounts[name])).metactf_username

    async def put_here(self, name: str, team: str | None) -> None:
        """As if it had always been so: nothing waits to be sent."""
        await database.execute("delete from team_memberships where competitor_id = $1", self.people[name])
        if team:
            await database.execute(
                """insert into team_memberships (team_id, competitor_id, game_platform_synced_at)
                   values ($1, $2, now())""",
                self.teams[team], self.people[name],
            )

    async def put_there(self, name: str, team: str | None) -> None:
        await self.place(self.accounts[name], str(self.teams[team]) if team else None)

    async def place(self, syned_user_id: str, syned_team_id: str | None) -> None:
        await self.platform.tell("/assignments", {"syned_user_id": syned_user_id, "syned_team_id": syned_team_id})

    async def here(self) -> dict[str, str]:
        """Who is on which team in our tables, by the platform's ids."""
        rows = await database.fetch(
            """select c.game_platform_id, coalesce(t.game_platform_id, t.id::text) as team from team_memberships m
               join competitors c on c.id = m.competitor_id join teams t on t.id = m.team_id"""
        )
        return {row["game_platform_id"]: row["team"] for row in rows}

    async def there(self) -> dict[str, str | None]:
        async with self.platform.client() as client:
            listing = await client.team_assignments()
        return {one.syned_user_id: one.syned_team_id for one in listing.assignments}


async def make_rosters(platform: Platform, coach: Person) -> Rosters:
    """Two teams of two, and one person on none; the platform is switched on."""
    await database.execute("insert into feature_flags (name, enabled) values ('game_platform', true)")
    rosters = Rosters(platform, coach)
    await rosters.add_coach_there()
    for team, members in {"Red": ("r1", "r2"), "Blue": ("b1", "b2")}.items():
        await rosters.add_team(team)
        for member in members:
            await rosters.add(member, team)
    await rosters.add("free")
    return rosters


async def look(platform: Platform, **options: Any) -> ReconcileResult:
    claim = await claim_run("game_platform_roster_reconcile")
    async with platform.client(claim) as client:
        return await reconcile.reconcile(claim, client, **options)


async def drain(platform: Platform) -> None:
    claim = await claim_run("outbox_drain")
    async with platform.client(claim) as client:
        await outbox_drain.drain(claim, client)


async def listed(state: str = "open") -> list[Row]:
    """Subject type, field, ours and theirs."""
    rows = await database.fetch(
        "select subject_type, field, ours, theirs from drift where state = $1 order by 1, 2, 3, 4", state
    )
    return [tuple(row) for row in rows]


async def the_row(field: str = "team") -> UUID:
    row: UUID = await database.fetchval("select id from drift where state <> 'resolved' and field = $1", field)
    assert row, f"no row about {field}"
    return row


def as_coach(coach: Person) -> Reader:
    return _reader(coach, Sight(coach_id=coach.id))


def as_admin(person: Person) -> Reader:
    return _reader(person, Sight(sees_everyone=True))


def _reader(person: Person, sight: Sight) -> Reader:
    return Reader(
        user_id=person.id, session_id=person.id, role=person.role, name=person.email, time_zone="UTC", theme="system",
        organization_ids=(person.organization_id,), sight=sight,
    )
