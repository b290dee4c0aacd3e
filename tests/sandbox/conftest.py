"""A sandbox in this process for what the platform answers, and a real one in its own for what the network does."""

from collections.abc import AsyncIterator, Iterator

import httpx
import pytest
import pytest_asyncio

from app.sandbox.contract import PREFIX
from app.sandbox.server import TOKEN, create_sandbox
from tests.sandbox_server import SandboxHandle, start_sandbox

NOW = 1_795_219_200.0
COACH = {
    "first_name": "Cora", "last_name": "Coach", "email": "cora@example.com", "role": "coach", "syned_user_id": "coach-1"
}
STUDENT = {
    "first_name": "Ada", "last_name": "Alder", "email": "ada@example.com", "role": "user", "syned_user_id": "user-1",
    "syned_coach_user_id": "coach-1",
}
TEAM = {
    "syned_coach_user_id": "coach-1", "syned_team_id": "team-1", "team_name": "Firewall",
    "affiliation": "Example High School", "division": "high_school",
}


class Clock:
    """Time that moves when it is told to."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest_asyncio.fixture
async def platform(clock: Clock) -> AsyncIterator[httpx.AsyncClient]:
    """The platform of a blank world with one approved coach, one student and one team."""
    transport = httpx.ASGITransport(create_sandbox(has_league=False, clock=clock))
    async with httpx.AsyncClient(transport=transport, base_url=f"http://sandbox{PREFIX}") as client:
        client.headers["authorization"] = f"Bearer {TOKEN}"
        for path, body in (("/users", COACH), ("/users", STUDENT), ("/teams", TEAM)):
            assert (await client.post(path, json=body)).status_code == 201
        yield client


@pytest.fixture(scope="module")
def blank() -> Iterator[SandboxHandle]:
    """A real server with a blank world."""
    handle = start_sandbox(league=False)
    yield handle
    handle.stop()


@pytest_asyncio.fixture
async def wire(blank: SandboxHandle) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the real server, whose world has just one user: user-1, with one solve."""
    async with httpx.AsyncClient(base_url=blank.base_url, timeout=5) as client:
        client.headers["authorization"] = f"Bearer {TOKEN}"
        await client.post(f"{blank.control_url}/reset", json={})
        await client.post(f"{blank.control_url}/users", json={"syned_user_id": "user-1"})
        await client.post(f"{blank.control_url}/solves", json={"syned_user_id": "user-1"})
        yield client
