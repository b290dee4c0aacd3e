"""A throw-away database on the server that DATABASE_URL names, else on an embedded server made for the bench."""

import secrets
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg

from app import database, embedded_postgres, migrations
from app.settings import get_settings


@asynccontextmanager
async def throw_away_database() -> AsyncIterator[str]:
    """Its address, migrated and with the pool open on it."""
    configured = get_settings().database_url
    if configured:
        async with _database_on(configured) as address:
            yield address
        return
    folder = Path(tempfile.mkdtemp(prefix="sideline-bench-"))
    folder.chmod(0o755)  # noqa: ASYNC240
    server = embedded_postgres.locate(folder)
    process = embedded_postgres.start(server)
    try:
        async with _database_on(server.maintenance_url) as address:
            yield address
    finally:
        embedded_postgres.stop(process)
        shutil.rmtree(folder, ignore_errors=True)


@asynccontextmanager
async def _database_on(server: str) -> AsyncIterator[str]:
    name = f"sideline_bench_{secrets.token_hex(4)}"
    address = urlunsplit(urlsplit(server)._replace(path=f"/{name}"))
    await migrations.create_database(address)
    await database.open_pool(address)
    try:
        await migrations.migrate_forwards()
        yield address
    finally:
        await database.close_pool()
        connection = await asyncpg.connect(server)
        await connection.execute(f'drop database if exists "{name}" with (force)')
        await connection.close()
