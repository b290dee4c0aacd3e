"""Bringing the database to the newest migration, and asking whether it already is there."""

import contextlib
import io
from urllib.parse import urlsplit, urlunsplit

import asyncpg

from app.settings import ROOT

MIGRATIONS = ROOT / "piccolo_migrations"


class MigrationError(Exception):
    """A migration failed; the text is what the database said."""


def migration_ids() -> list[str]:
    """The ids of all migrations, oldest first, read from the files without importing them."""
    texts = (path.read_text() for path in sorted(MIGRATIONS.glob("*_*.py")))
    return [line.split('"')[1] for text in texts for line in text.splitlines() if line.startswith("ID = ")]


async def is_up_to_date(database_url: str) -> bool:
    connection = await asyncpg.connect(database_url)
    try:
        if not await connection.fetchval("select to_regclass('migration')"):
            return False
        done = {row["name"] for row in await connection.fetch("select name from migration where app_name = 'app'")}
    finally:
        await connection.close()
    return done >= set(migration_ids())


async def create_database(database_url: str) -> None:
    """Makes the database of the address where it is missing; needs the right to do so."""
    try:
        await (await asyncpg.connect(database_url)).close()
    except asyncpg.InvalidCatalogNameError:
        address = urlsplit(database_url)
        connection = await asyncpg.connect(urlunsplit(address._replace(path="/postgres")))
        try:
            await connection.execute(f'create database "{address.path.lstrip("/")}"')
        finally:
            await connection.close()


async def migrate(database_url: str) -> None:
    """Tables and the queue's own, once, before any web or worker process starts. Raises MigrationError."""
    from app import database, queue
    from app.settings import get_settings

    await database.open_pool(database_url, max_size=2)
    try:
        await migrate_forwards()
    finally:
        await database.close_pool()
    await queue.prepare_queue(get_settings().queue_url or database_url)


async def migrate_forwards() -> None:
    """Runs what is missing, on the engine's pool. Raises MigrationError."""
    from piccolo.apps.migrations.commands.forwards import run_forwards  # slow to import, and rarely needed

    await _quietly(run_forwards("all"))


async def migrate_backwards(target: str) -> None:
    """Undoes migrations down to and including `target` ('all' for every one). Raises MigrationError."""
    if target != "all" and target not in migration_ids():
        raise MigrationError(f"There is no migration {target}. There are: {', '.join(migration_ids())}")
    from piccolo.apps.migrations.commands.backwards import run_backwards

    await _quietly(run_backwards("app", target, auto_agree=True))


async def _quietly(work: object) -> None:
    """Piccolo prints its progress and answers success or failure with a value instead of an exception."""
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        result = await work  # type: ignore[misc]
    if not result.success:
        raise MigrationError(result.message or said.getvalue().strip())


