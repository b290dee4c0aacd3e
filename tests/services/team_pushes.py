"""Teams as a coach changes them, what the outbox holds of it, and how both sides look."""

from typing import Any
from uuid import UUID

from app import database
from app.domain.readers import Reader, Sight
from app.services import outbox_drain
from app.services.job_runs import Claim
from app.services.outbox_drain import DrainResult
from tests.cast import Person
from tests.services.platform import Platform, claim_run

AFFILIATION = "Example School"


def reader_of(person: Person, *assisted: UUID) -> Reader:
    sight = Sight(sees_everyone=True) if person.role == "admin" else Sight(False, person.id, assisted)
    return Reader(
        user_id=person.id, session_id=person.id, role=person.role, name=person.email, time_zone="UTC", theme="system",
        organization_ids=(person.organization_id,), sight=sight,
    )


async def drain(platform: Platform, claim: Claim | None = None, **options: Any) -> DrainResult:
    claim = claim or await claim_run("outbox_drain")
    async with platform.client(claim) as client:
        return await outbox_drain.drain(claim, client, organization_ids=await organizations(), **options)


async def organizations() -> list[UUID]:
    return [row["id"] for row in await database.fetch("select id from organizations")]


async def drain_until_settled(platform: Platform, *, rounds: int = 60) -> None:
    """As the minutes go by: every retry comes due, and a breaker that opened closes."""
    for _ in range(rounds):
        if not await database.fetchval("select exists (select from outbox where state = 'waiting')"):
            return
        await database.execute("delete from vendor_breakers")
        await make_due()
        await drain(platform)
    raise AssertionError(await rows())


async def make_due() -> None:
    await database.execute("update outbox set next_attempt_at = now() where state = 'waiting'")


async def rows() -> list[dict[str, Any]]:
    return [dict(row) for row in await database.fetch("select * from outbox order by id")]


async def states() -> list[tuple[str, str]]:
    return [(row["kind"], row["state"]) for row in await rows()]


async def row_of(kind: str) -> dict[str, Any]:
    """The newest of that kind."""
    return [row for row in await rows() if row["kind"] == kind][-1]


async def effects(platform: Platform) -> list[str]:
    return [told["what"] for told in await platform.hear("/effects")]


async def ours() -> dict[str, list[str]]:
    """Who is on which team, by the ids that the platform knows."""
    found = await database.fetch(
        """select t.game_platform_id as team, c.game_platform_id as member from teams t
           left join team_memberships m on m.team_id = t.id left join competitors c on c.id = m.competitor_id"""
    )
    return {
        team: sorted(row["member"] for row in found if row["team"] == team and row["member"])
        for team in {row["team"] for row in found}
    }


async def theirs(platform: Platform) -> dict[str, list[str]]:
    return {team: told["members"] for team, told in (await platform.hear("/rosters")).items()}


async def team_row(team_id: UUID) -> dict[str, Any]:
    row = await database.fetchrow("select * from teams where id = $1", team_id)
    assert row is not None
    return dict(row)


async def membership_row(competitor_id: UUID) -> dict[str, Any]:
    row = await database.fetchrow("select * from team_memberships where competitor_id = $1", competitor_id)
    assert row is not None
    return dict(row)
