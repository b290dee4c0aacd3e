"""A web process and a database that is slow, or not there yet."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, cast

import asyncpg
import httpx
import pytest
from litestar import get

from app import database, logs, main
from app.security.policy import anyone
from app.settings import get_settings

NOBODY_THERE = "postgresql://nobody@127.0.0.1:1/none"


@get("/sleeps", guards=[anyone])
async def sleeps() -> None:
    await database.fetchval("select 1 from pg_sleep(5)")


@pytest.fixture(autouse=True)
async def own_pool(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[None]:
    """The web process opens its own; the tests' pool is back afterwards."""
    kept, patience = database.DB.pool, database.DB.patience_seconds
    monkeypatch.setattr(logs, "configure", lambda settings: None)
    database.DB.pool = None
    yield
    database.DB.pool, database.DB.patience_seconds = kept, patience


@asynccontextmanager
async def web_process(database_url: str) -> AsyncIterator[httpx.AsyncClient]:
    app = main.create_app(get_settings().model_copy(update={"database_url": database_url}))
    app.register(sleeps)
    async with app.lifespan(), httpx.AsyncClient(
        transport=httpx.ASGITransport(cast(Any, app)), base_url="http://localhost", cookies={"session": "x"}
    ) as client:
        yield client


async def test_a_web_process_starts_while_the_database_is_away() -> None:
    async with web_process(NOBODY_THERE) as client:
        answers = [(await client.get(path)).status_code for path in ("/login", "/health/live", "/health/ready")]
    assert answers == [503, 200, 503]


async def test_it_serves_its_pages_once_the_database_is_there(database_url: str) -> None:
    async with web_process(database_url) as client:
        assert (await client.get("/login")).status_code == 200


async def test_a_statement_that_takes_too_long_is_given_up(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(main, "STATEMENT_SECONDS", 0.3)
    async with web_process(database_url) as client:
        began = time.monotonic()
        answer = await client.get("/sleeps")
        assert time.monotonic() - began < 2
        assert answer.status_code == 503 and "Nothing was lost" in answer.text
        running = "select count(*) from pg_stat_activity where query like '%pg_sleep(5)%' and pid <> pg_backend_pid()"
        assert await cast(asyncpg.Pool, database.DB.pool).fetchval(running + " and state = 'active'") == 0
