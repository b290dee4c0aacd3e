"""Real PostgreSQL for every test: one server for the run, one database per test process, emptied after each test.

The server is the one that DATABASE_URL names, else an embedded one made for this run. Tests commit for real, so
concurrency, constraints and workers behave as they do in production.
"""

import asyncio
import os
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator, Coroutine, Iterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest
import pytest_asyncio

TEMPLATE = "SIDELINE_TEST_TEMPLATE"
SERVER = "SIDELINE_TEST_SERVER"

_server: "subprocess.Popen[bytes] | None" = None
_folder: Path | None = None

for name in list(os.environ):
    if name.startswith(("GAME_PLATFORM_", "JOB_QUEUE_", "SMTP_", "BASE_URL", "QUEUE_URL")):
        del os.environ[name]
os.environ.setdefault("SECRET_KEY", "a-test-secret-key-of-thirty-two-characters")
os.environ.setdefault("ENCRYPTION_KEYS", "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=")


def pytest_configure(config: pytest.Config) -> None:
    """The first process makes server and template; workers inherit their addresses."""
    if SERVER not in os.environ:
        os.environ[SERVER] = os.environ.get("DATABASE_URL") or _start_embedded()
    if TEMPLATE not in os.environ:
        os.environ[TEMPLATE] = f"sideline_template_{secrets.token_hex(4)}"
        _run(_make_template())
    os.environ["SIDELINE_VAR_DIR"] = tempfile.mkdtemp(prefix="sideline-var-")


def pytest_unconfigure(config: pytest.Config) -> None:
    shutil.rmtree(os.environ["SIDELINE_VAR_DIR"], ignore_errors=True)
    if hasattr(config, "workerinput"):
        return
    _run(_drop(os.environ[TEMPLATE]))
    if _server is not None and _folder is not None:
        from app import embedded_postgres

        embedded_postgres.stop(_server)
        shutil.rmtree(_folder, ignore_errors=True)


def _start_embedded() -> str:
    global _server, _folder
    from app import embedded_postgres

    _folder = Path(tempfile.mkdtemp(prefix="sideline-test-"))
    _folder.chmod(0o755)
    server = embedded_postgres.locate(_folder)
    _server = embedded_postgres.start(server, fsync="off", synchronous_commit="off", full_page_writes="off")
    return server.maintenance_url


def _run(work: Coroutine[None, None, None]) -> None:
    asyncio.run(work)


def address_of(database: str) -> str:
    return urlunsplit(urlsplit(os.environ[SERVER])._replace(path=f"/{database}"))


async def _make_template() -> None:
    from app import database, migrations

    await migrations.create_database(address_of(os.environ[TEMPLATE]))
    await database.open_pool(address_of(os.environ[TEMPLATE]))
    await migrations.migrate_forwards()
    await database.close_pool()


async def _drop(name: str) -> None:
    connection = await asyncpg.connect(os.environ[SERVER])
    await connection.execute(f'drop database if exists "{name}" with (force)')
    await connection.close()


async def copy_template() -> str:
    """A fresh database with all tables; its name."""
    name = f"sideline_test_{secrets.token_hex(6)}"
    connection = await asyncpg.connect(os.environ[SERVER])
    await connection.execute(f'create database "{name}" template "{os.environ[TEMPLATE]}"')
    await connection.close()
    return name


@pytest_asyncio.fixture(scope="session", autouse=True)
async def database_url() -> AsyncIterator[str]:
    """The test process's own database, with the engine's pool open on it."""
    from app import database, queue
    from app.settings import get_settings

    name = await copy_template()
    os.environ["DATABASE_URL"] = address_of(name)
    get_settings.cache_clear()
    await database.open_pool(address_of(name))
    yield address_of(name)
    await queue.close_queue()
    await database.close_pool()
    await _drop(name)


EMPTY_ALL = """
do $$
declare
    filled text[] := '{}';
    name text;
    has_rows boolean;
begin
    for name in select tablename from pg_tables where schemaname = 'public' and tablename not in ('migration')
        and tablename not like 'saq\\_%' loop
        execute format('select exists (select 1 from %I)', name) into has_rows;
        if has_rows then filled := filled || quote_ident(name); end if;
    end loop;
    if filled <> '{}' then execute 'truncate ' || array_to_string(filled, ', ') || ' cascade'; end if;
end $$
"""


@pytest_asyncio.fixture(autouse=True)
async def empty_database(database_url: str) -> AsyncIterator[None]:
    """Whatever a test committed is gone before the next one."""
    from app import database

    yield
    await database.execute_script(EMPTY_ALL)


@pytest.fixture
def settings_changed(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """Set variables on it, then call `get_settings()`; the real ones are back after the test."""
    from app.settings import get_settings

    get_settings.cache_clear()
    yield monkeypatch
    get_settings.cache_clear()
