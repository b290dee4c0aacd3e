"""One sandbox process for all tests of the services; every test starts with an empty platform."""

from collections.abc import AsyncIterator, Iterator

import httpx
import pytest
import pytest_asyncio

from tests.cast import Person, make_organization, make_user
from tests.sandbox_server import SandboxHandle, start_sandbox
from tests.services.platform import Platform


@pytest.fixture(scope="session")
def sandbox_process() -> Iterator[SandboxHandle]:
    handle = start_sandbox(league=False)
    yield handle
    handle.stop()


@pytest_asyncio.fixture
async def platform(sandbox_process: SandboxHandle) -> AsyncIterator[Platform]:
    async with httpx.AsyncClient(base_url=sandbox_process.control_url, trust_env=False) as control:
        platform = Platform(sandbox_process, control)
        await platform.tell("/reset", {"league": False})
        yield platform


@pytest_asyncio.fixture
async def coach() -> Person:
    return await make_user(await make_organization(), "coach", "Cora Cedar")
