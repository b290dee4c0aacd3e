"""The command line as an operator uses it: real processes on the test database."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from app import database
from app.cli import cli
from tests.cast import make_cast
from tests.conftest import address_of

ROOT = Path(__file__).parent.parent

ROSTER = """first_name,last_name,email,division,team,affiliation,release_signed,agreement_signed,data_consent
Zoë,Ångström,zoe@example.org,high_school,Packets,Example School,yes,yes,yes
"""


def sideline(*arguments: str, typed: str | None = None, **variables: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "app.cli", *arguments], cwd=ROOT, env=os.environ | variables, input=typed,
        capture_output=True, text=True, timeout=60,
    )


def one_line(text: str) -> str:
    assert text.strip().count("\n") == 0, text
    return text.strip()


def commands() -> list[tuple[str, ...]]:
    found: list[tuple[str, ...]] = []
    for name, command in cli.commands.items():
        found += [(name, inner) for inner in getattr(command, "commands", {})] or [(name,)]
    return found


@pytest.mark.parametrize("command", commands(), ids=" ".join)
def test_every_command_has_help(command: tuple[str, ...]) -> None:
    asked = sideline(*command, "--help")
    assert asked.returncode == 0
    assert asked.stdout.startswith(f"Usage: bin/sideline {' '.join(command)}")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["create-user", "x@example.org", "--role", "king"], "Invalid value for '--role'"),
        (["create-user", "not an address", "--role", "admin"], "e-mail"),
        (["create-user", "x@example.org", "--role", "coach"], "first"),
        (["import-roster", "nowhere.csv", "--coach", "x@example.org"], "nowhere.csv"),
        (["jobs", "run", "make_coffee"], "make_coffee"),
        (["jobs", "run", "job_cleanup", "--payload", "{"], "--payload should be a JSON object"),
        (["jobs", "run", "job_cleanup", "--payload", "[1]"], "--payload should be a JSON object"),
        (["jobs", "run", "job_cleanup", "--payload", '{"x": 1}'], "x"),
        (["jobs", "run", "game_platform_sync"], "off"),
        (["flags", "set", "teleport", "on"], "teleport"),
        (["flags", "set", "game_platform", "on", "--organization", "Nobody"], "There is no organization named Nobody."),
        (["migrate", "--backwards", "never"], "never"),
        (["bench", "gravity"], "There is no bench named gravity."),
        (["dance"], "dance"),
    ],
)
def test_bad_input_is_one_clear_line_and_a_failure(arguments: list[str], said: str) -> None:
    refused = sideline(*arguments)
    assert refused.returncode in (1, 2)
    assert said in one_line(refused.stderr)


def test_a_bad_setting_is_one_clear_line() -> None:
    refused = sideline("jobs", "list", GAME_PLATFORM_SYNC_BATCH_SIZE="many")
    assert refused.returncode == 1
    assert one_line(refused.stderr) == "GAME_PLATFORM_SYNC_BATCH_SIZE should be a whole number from 1 to 1000"


def test_a_database_that_lets_nobody_in_is_one_clear_line() -> None:
    stranger = re.sub("//([^@/]*@)?", "//stranger@", address_of("postgres"), count=1)
    refused = sideline("jobs", "list", DATABASE_URL=stranger)
    assert refused.returncode == 1
    assert one_line(refused.stderr).startswith("The database refuses: ")


@pytest.mark.parametrize("service", ["serve", "worker"])
def test_a_service_without_secrets_refuses_to_start(service: str, tmp_path: Path) -> None:
    refused = sideline(service, SECRET_KEY="", ENCRYPTION_KEYS="", SIDELINE_VAR_DIR=str(tmp_path))
    assert refused.returncode == 1
    assert "SECRET_KEY, ENCRYPTION_KEYS" in one_line(refused.stderr)


async def test_a_user_is_made_with_a_link_or_with_a_password() -> None:
    link = sideline("create-user", "ana@example.org", "--role", "admin")
    assert link.returncode == 0, link.stderr
    assert "Set the password within 24 hours: http://" in link.stdout
    made = sideline(
        "create-user", "cleo@example.org", "--role", "coach", "--first-name", "Cleo", "--last-name", "Cedar",
        "--organization", "Southern League", "--organizer", "--password-stdin", typed="nineteen purple boats\n",
    )
    assert made.returncode == 0, made.stderr
    assert "http" not in made.stdout
    row = await database.fetchrow(
        """select u.first_name, u.role, m.role as membership, o.name from users u
           join organization_members m on m.user_id = u.id join organizations o on o.id = m.organization_id
           where u.email = 'cleo@example.org'"""
    )
    assert row
    assert tuple(row) == ("Cleo", "coach", "organizer", "Southern League")


async def test_a_roster_is_imported_or_named_row_by_row(tmp_path: Path) -> None:
    cast = await make_cast()
    file = tmp_path / "roster.csv"
    file.write_text(ROSTER)
    dry = sideline("import-roster", str(file), "--coach", cast.coach_a.email, "--dry-run")
    assert dry.returncode == 0, dry.stderr
    assert "1 new" in dry.stdout
    assert await database.fetchval("select count(*) from competitors") == 0
    assert sideline("import-roster", str(file), "--coach", cast.coach_a.email).returncode == 0
    assert await database.fetchval("select count(*) from competitors") == 1
    again = sideline("import-roster", str(file), "--coach", cast.coach_a.email)
    assert "1 unchanged" in again.stdout
    file.write_text(ROSTER + "Bo,,bo@example.org,university,,,,,\n")
    bad = sideline("import-roster", str(file), "--coach", cast.coach_a.email)
    assert bad.returncode == 1
    assert "row 3, last_name" in bad.stderr
    assert "row 3, division" in bad.stderr
    assert await database.fetchval("select count(*) from competitors") == 1


def test_lists_are_readable_by_programs() -> None:
    flags = json.loads(sideline("flags", "list", "--json").stdout)
    assert "game_platform.score_ingestion" in {flag["name"] for flag in flags}
    assert json.loads(sideline("jobs", "list", "--json").stdout) == []


async def test_flags_are_listed_in_words() -> None:
    cast = await make_cast()
    assert "off  game_platform  by default" in sideline("flags", "list").stdout
    sideline("flags", "set", "game_platform", "on")
    name = await database.fetchval("select name from organizations where id = $1", cast.organization_id)
    sideline("flags", "set", "game_platform", "off", "--organization", name)
    assert f"on   game_platform  set by an admin; off for {name}" in sideline("flags", "list").stdout


def test_a_flag_set_is_a_flag_listed() -> None:
    changed = sideline("flags", "set", "game_platform", "off")
    assert one_line(changed.stdout) == "game_platform is off."
    listed = json.loads(sideline("flags", "list", "--json").stdout)
    assert next(flag for flag in listed if flag["name"] == "game_platform")["is_on"] is False


def test_check_says_one_line_each_and_fails_where_something_is_broken() -> None:
    good = sideline("check")
    assert good.returncode == 0, good.stdout + good.stderr
    assert all(line.startswith("ok ") for line in good.stdout.splitlines())
    bad = sideline("check", DATABASE_URL="postgresql://nobody@127.0.0.1:1/nowhere")
    assert bad.returncode == 1
    assert "broken  database" in bad.stdout
