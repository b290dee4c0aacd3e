"""The demo: coaches and rosters that the vendor sandbox tells of, loaded by the same import as any other roster."""

import asyncio
import json
import secrets
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import httpx

from app import database, local
from app.security import passwords
from app.services import accounts, roster_import, schedules

ADMIN_EMAIL = "admin@example.org"
ACTOR = "demo"
EVERY_MINUTE = "* * * * *"
PATIENCE_SECONDS = 20


class NoSandbox(Exception):
    """There is no vendor sandbox where GAME_PLATFORM_BASE_URL points."""


@dataclass(frozen=True)
class League:
    """As the sandbox describes it: each roster is a CSV file under its coach's address."""

    organization: str
    time_zone: str
    coaches: list[dict[str, str]]
    rosters: dict[str, str]


@dataclass(frozen=True)
class SignIn:
    """How to sign in to the demo, as it is printed and kept for the next start."""

    role: str
    email: str
    password: str


async def load(base_url: str, var_dir: Path) -> list[SignIn]:
    """Loads the sandbox's league, once; a second call changes nothing. Raises NoSandbox.

    The passwords are kept before anything is made and the admin is made last, so that a load broken off half-way is
    finished by the next one.
    """
    sign_ins = _kept(var_dir)
    if await _exists(ADMIN_EMAIL):
        return sign_ins
    league = await _league(base_url)
    sign_ins = sign_ins or _new_sign_ins(league)
    local.write_private(_file(var_dir), json.dumps([asdict(sign_in) for sign_in in sign_ins]))
    known = {sign_in.email: sign_in.password for sign_in in sign_ins}
    for coach in league.coaches:
        await _ensure_user(league, "coach", coach["email"], coach["first_name"], coach["last_name"], known)
    for email, content in league.rosters.items():
        await roster_import.import_roster(
            content.encode(), coach_email=email, dry_run=False, actor=None, actor_label=ACTOR
        )
    await schedules.change_cron("game_platform_sync", EVERY_MINUTE, actor_label=ACTOR)
    await _ensure_user(league, "admin", ADMIN_EMAIL, "Alma", "Admin", known)
    return sign_ins


async def tell(sign_ins: list[SignIn]) -> list[str]:
    """How to sign in, line by line; a password is told as long as it is the one that holds."""
    if not sign_ins:
        return ["The demo league was loaded before; its passwords are not kept here. Set new ones at /forgot-password."]
    return [f"Sign in as {each.role}: {each.email} with {await _password_of(each)}" for each in sign_ins]


async def _password_of(sign_in: SignIn) -> str:
    stored = await database.fetchval("select password_hash from users where lower(email) = lower($1)", sign_in.email)
    return sign_in.password if await passwords.verify(stored, sign_in.password) else "the password that was set since"


def _new_sign_ins(league: League) -> list[SignIn]:
    return [
        SignIn("coach", league.coaches[0]["email"], secrets.token_urlsafe(12)),
        SignIn("admin", ADMIN_EMAIL, secrets.token_urlsafe(12)),
    ]


def _file(var_dir: Path) -> Path:
    return var_dir / "demo.json"


def _kept(var_dir: Path) -> list[SignIn]:
    try:
        return [SignIn(**entry) for entry in json.loads(_file(var_dir).read_text())]
    except FileNotFoundError:
        return []


async def _exists(email: str) -> bool:
    found = await database.fetchval("select 1 from users where lower(email) = lower($1)", email)
    return found is not None


async def _league(base_url: str) -> League:
    """What the sandbox tells of its league. It may still be starting."""
    address = urlunsplit(urlsplit(base_url)._replace(path="/sandbox/league"))
    deadline = time.monotonic() + PATIENCE_SECONDS
    async with httpx.AsyncClient(timeout=5) as client:
        while True:
            try:
                answer = await client.get(address)
                answer.raise_for_status()
                return League(**answer.json())
            except (httpx.HTTPError, ValueError, TypeError) as error:
                if time.monotonic() > deadline:
                    raise NoSandbox(f"No sandbox answers at {base_url}; start one: bin/sideline sandbox") from error
            await asyncio.sleep(0.1)


async def _ensure_user(
    league: League, role: str, email: str, first_name: str, last_name: str, known: dict[str, str]
) -> None:
    if not await _exists(email):
        await accounts.create_user(
            email=email, role=role, first_name=first_name, last_name=last_name, organization=league.organization,
            organizer=False, password=known.get(email, secrets.token_urlsafe(24)), actor_label=ACTOR,
        )
