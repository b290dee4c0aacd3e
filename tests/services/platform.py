"""A real sandbox over real HTTP, as the services meet the Game Platform, and claims to work under."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import httpx

from app import database
from app.integrations.game_platform.client import GamePlatformClient
from app.jobs.clients import open_game_platform
from app.services.job_runs import Claim
from app.settings import get_settings
from tests.cast import Person, make_competitor
from tests.sandbox_server import TOKEN, SandboxHandle


class Platform:
    """The sandbox and its side door."""

    def __init__(self, handle: SandboxHandle, control: httpx.AsyncClient) -> None:
        self.handle = handle
        self.control = control

    @asynccontextmanager
    async def client(self, claim: Claim | None = None) -> AsyncIterator[GamePlatformClient]:
        settings = get_settings().model_copy(update={
            "game_platform_base_url": self.handle.base_url, "game_platform_api_token": TOKEN,
            "game_platform_max_requests_per_minute": 1_000_000,
        })
        async with open_game_platform(settings, run_id=claim.run_id if claim else None) as client:
            yield client

    async def tell(self, path: str, body: object = None) -> Any:
        answer = await self.control.post(path, json=body)
        answer.raise_for_status()
        return answer.json()

    async def hear(self, path: str) -> Any:
        answer = await self.control.get(path)
        answer.raise_for_status()
        return answer.json()

    async def fail(self, **rule: object) -> None:
        await self.tell("/faults", [rule])

    async def heal(self) -> None:
        """No more faults, and what they taught the breaker is forgotten."""
        await self.control.delete("/faults")
        await database.execute("delete from vendor_breakers")

    async def solve(self, syned_user_id: str, **solve: object) -> dict[str, Any]:
        told: dict[str, Any] = await self.tell("/solves", {"syned_user_id": syned_user_id, **solve})
        return told

    async def approve(self, syned_user_id: str, status: str = "approved") -> None:
        await self.tell(f"/users/{syned_user_id}/status", {"status": status})

    async def calls(self, operation: str) -> list[dict[str, Any]]:
        return [call for call in await self.hear("/calls") if call["operation"] == operation]

    async def created(self) -> list[str]:
        """Whom the platform has made an account for, each time it did."""
        return [told["syned_user_id"] for told in await self.hear("/effects") if told["what"] == "user_created"]


async def make_onboarded(platform: Platform, coach: Person, name: str, status: str = "approved") -> tuple[UUID, str]:
    """A competitor with an account at the platform; both their ids."""
    competitor_id = await make_competitor(coach, name)
    syned_user_id = await database.fetchval("select game_platform_id from competitors where id = $1", competitor_id)
    await database.execute("update competitors set metactf_user_status = $2 where id = $1", competitor_id, status)
    await platform.tell("/users", {"syned_user_id": syned_user_id, "status": status})
    return competitor_id, syned_user_id


async def claim_run(kind: str = "game_platform_sync") -> Claim:
    row = await database.fetchrow(
        """insert into job_runs (kind, key, state, attempts, fence, started_at, lease_until)
           values ($1::text, $1::text || gen_random_uuid(), 'running', 1, 1, now(), now() + interval '1 minute')
           returning id, fence""",
        kind,
    )
    assert row is not None
    return Claim(row["id"], row["fence"])


async def claim_again(claim: Claim) -> Claim:
    """Somebody else takes the run over."""
    fence = await database.fetchval(
        "update job_runs set fence = fence + 1 where id = $1 returning fence", claim.run_id
    )
    return Claim(claim.run_id, fence)
