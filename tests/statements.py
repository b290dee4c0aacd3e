"""How many statements a page sends, once the server knows them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import httpx

from app import database

DRIVERS_OWN = ("pg_catalog.", "set_config('jit'")
"""A new connection asks once what the types are, and keeps the compiler out of it."""


@asynccontextmanager
async def listening() -> AsyncIterator[list[str]]:
    """Every statement that is sent meanwhile, on whichever connection."""
    statements: list[str] = []
    is_listening = True

    def note(record: asyncpg.connection.LoggedQuery) -> None:
        if is_listening and not any(words in record.query for words in DRIVERS_OWN):
            statements.append(record.query)

    pool = database.DB.pool
    assert pool
    connections = [await pool.acquire() for _ in range(pool.get_size())]
    for connection in connections:
        connection.add_query_logger(note)
        await pool.release(connection)
    yield statements
    is_listening = False


async def count_statements(client: httpx.AsyncClient, path: str) -> int:
    """Of one page, the session's own included."""
    for _ in range(2):
        assert (await client.get(path)).status_code == 200
    async with listening() as statements:
        await client.get(path)
    return len(statements)
