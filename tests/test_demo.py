"""Loading the demo league, against the real sandbox: once, and to the end even where a first load was broken off."""

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from app import database, demo
from app.services import accounts, roster_import
from tests.sandbox_server import start_sandbox


@pytest_asyncio.fixture
async def base_url() -> AsyncIterator[str]:
    sandbox = start_sandbox()
    yield sandbox.base_url
    sandbox.stop()


async def test_a_second_load_changes_nothing_and_tells_the_same(base_url: str, tmp_path: Path) -> None:
    first = await demo.load(base_url, tmp_path)
    people = await database.fetchval("select count(*) from competitors")
    assert await demo.load(base_url, tmp_path) == first
    assert await database.fetchval("select count(*) from competitors") == people == 72


async def test_a_load_broken_off_half_way_is_finished_by_the_next_one(
    base_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, calls = roster_import.import_roster, []

    async def breaks_at_the_second(*arguments: object, **named: object) -> object:
        calls.append(arguments)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return await real(*arguments, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(roster_import, "import_roster", breaks_at_the_second)
    with pytest.raises(KeyboardInterrupt):
        await demo.load(base_url, tmp_path)
    monkeypatch.undo()
    sign_ins = await demo.load(base_url, tmp_path)
    assert await database.fetchval("select count(*) from competitors") == 72
    for sign_in in sign_ins:
        assert await accounts.check_password(sign_in.email, sign_in.password)


async def test_a_password_is_told_only_while_it_holds(base_url: str, tmp_path: Path) -> None:
    coach, admin = await demo.load(base_url, tmp_path)
    await database.execute("update users set password_hash = null where email = $1", coach.email)
    assert await demo.tell([coach, admin]) == [
        f"Sign in as coach: {coach.email} with the password that was set since",
        f"Sign in as admin: {admin.email} with {admin.password}",
    ]
    shutil.rmtree(tmp_path)
    assert await demo.tell(await demo.load(base_url, tmp_path)) == [
        "The demo league was loaded before; its passwords are not kept here. Set new ones at /forgot-password."
    ]
