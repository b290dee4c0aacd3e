"""Migrations forwards and backwards by the real command, on an empty and on a filled database."""

import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest_asyncio

from tests.conftest import SERVER, _drop, address_of, copy_template

ROOT = Path(__file__).parent.parent


@pytest_asyncio.fixture
async def empty_url() -> AsyncIterator[str]:
    name = f"sideline_migrations_{os.getpid()}"
    connection = await asyncpg.connect(os.environ[SERVER])
    await connection.execute(f'create database "{name}"')
    await connection.close()
    yield address_of(name)
    await _drop(name)


@pytest_asyncio.fixture
async def filled_url() -> AsyncIterator[str]:
    name = await copy_template()
    connection = await asyncpg.connect(address_of(name))
    organization = await connection.fetchval("insert into organizations (name) values ('Northern League') returning id")
    await connection.execute(
        "insert into competitors (organization_id, first_name, last_name) values ($1, 'Ada', 'Alder')", organization
    )
    await connection.close()
    yield address_of(name)
    await _drop(name)


def sideline(url: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "app.cli", *arguments],
        cwd=ROOT, env=os.environ | {"DATABASE_URL": url}, capture_output=True, text=True, timeout=60,
    )


async def tables_of(url: str) -> set[str]:
    connection = await asyncpg.connect(url)
    rows = await connection.fetch("select tablename from pg_tables where schemaname = 'public'")
    await connection.close()
    return {row["tablename"] for row in rows if not row["tablename"].startswith("saq_")}


async def test_an_empty_database_goes_forwards_backwards_and_forwards_again(empty_url: str) -> None:
    assert sideline(empty_url, "migrate").returncode == 0
    everything = await tables_of(empty_url)
    assert {"users", "competitors", "job_runs", "standings"} <= everything
    undone = sideline(empty_url, "migrate", "--backwards", "all")
    assert undone.returncode == 0, undone.stderr
    assert await tables_of(empty_url) == {"migration"}
    assert sideline(empty_url, "migrate").returncode == 0
    assert await tables_of(empty_url) == everything


async def test_a_second_migrate_changes_nothing(filled_url: str) -> None:
    before = await tables_of(filled_url)
    assert sideline(filled_url, "migrate").returncode == 0
    assert await tables_of(filled_url) == before


async def test_a_filled_database_goes_backwards_and_forwards(filled_url: str) -> None:
    undone = sideline(filled_url, "migrate", "--backwards", "all")
    assert undone.returncode == 0, undone.stderr
    assert sideline(filled_url, "migrate").returncode == 0
    assert "competitors" in await tables_of(filled_url)


def test_the_tables_say_what_the_migrations_make(tmp_path: Path) -> None:
    for folder in ("app", "piccolo_migrations"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    before = sorted((tmp_path / "piccolo_migrations").glob("*.py"))
    found = subprocess.run(
        [sys.executable, "-m", "piccolo.main", "migrations", "new", "app", "--auto", "--desc=nothing"],
        cwd=tmp_path, env=os.environ | {"PICCOLO_CONF": "app.piccolo_conf"}, capture_output=True, text=True, timeout=60,
    )
    assert "No changes detected" in found.stdout + found.stderr
    assert sorted((tmp_path / "piccolo_migrations").glob("*.py")) == before


async def test_an_unreachable_database_is_one_clear_line() -> None:
    refused = sideline("postgresql://nobody@127.0.0.1:1/nowhere", "migrate")
    assert refused.returncode == 1
    assert "The database does not answer" in refused.stderr
    assert "Traceback" not in refused.stderr
