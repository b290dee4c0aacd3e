"""A real server that schedulers may call, on the database of the tests."""

import asyncio
import os
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager

import httpx
import pytest
import pytest_asyncio

from app.services import schedules

SECRET = "a-secret-of-the-scheduler"
Serve = Callable[..., str]


@contextmanager
def _server(database_url: str, **settings: str) -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    process = subprocess.Popen(
        [sys.executable, "-m", "uvicorn", "--factory", "app.main:create_app", "--port", str(port), "--no-access-log",
         "--log-level", "error"],
        env={**os.environ, "DATABASE_URL": database_url, "BASE_URL": address, "JOB_QUEUE_RUNNER_SECRET": SECRET,
             "LOG_LEVEL": "ERROR", **settings},
    )
    try:
        _wait_for(address, process)
        yield address
    finally:
        process.terminate()
        process.wait(20)


def _wait_for(address: str, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        assert process.poll() is None, "the server ended while it started"
        try:
            httpx.get(f"{address}/health/live")
        except httpx.TransportError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError("the server did not answer")


@pytest_asyncio.fixture
async def server(database_url: str) -> AsyncIterator[str]:
    await schedules.ensure_built_ins()
    with _server(database_url) as address:
        yield address


@pytest_asyncio.fixture(params=["away", "silent"])
async def server_without_queue(database_url: str, request: pytest.FixtureRequest) -> AsyncIterator[str]:
    """Its queue's store refuses connections, or takes them and never answers."""
    await schedules.ensure_built_ins()
    listener = await asyncio.start_server(lambda reader, writer: asyncio.sleep(3600), "127.0.0.1", 0)
    port = listener.sockets[0].getsockname()[1] if request.param == "silent" else 1
    with _server(database_url, QUEUE_URL=f"redis://127.0.0.1:{port}") as address:
        yield address
    listener.close()


@pytest.fixture
def bearer() -> dict[str, str]:
    return {"Authorization": f"Bearer {SECRET}"}
