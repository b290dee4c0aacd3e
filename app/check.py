"""`sideline check`: are the settings usable, does everything answer, and what to do where it does not."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

import click

from app.settings import Settings

OLDEST_POSTGRES = 150000


@dataclass(frozen=True)
class Finding:
    is_good: bool
    subject: str
    text: str


async def look(
    read_settings: Callable[[], Settings], open_database: Callable[[], AbstractAsyncContextManager[str]]
) -> list[Finding]:
    settings = read_settings()
    findings = [_address(settings), _secret(settings), _mail(settings)]
    try:
        async with asyncio.timeout(15), open_database():
            findings += [await _database(), await _worker(), await _game_platform(settings)]
    except (click.ClickException, OSError, TimeoutError) as error:
        text = getattr(error, "message", None) or "does not answer; see DATABASE_URL"
        findings.append(Finding(False, "database", text))
    return findings


def _address(settings: Settings) -> Finding:
    kind = "production, cookies only over TLS" if settings.is_production else "plain http, for this machine"
    return Finding(True, "address", f"{settings.base_url} ({kind})")


def _secret(settings: Settings) -> Finding:
    if settings.secret_key and settings.encryption_keys:
        return Finding(True, "secrets", "SECRET_KEY and ENCRYPTION_KEYS are set")
    return Finding(False, "secrets", "set SECRET_KEY and ENCRYPTION_KEYS, or let bin/run make them")


def _mail(settings: Settings) -> Finding:
    text = "goes out by SMTP_URL" if settings.smtp_url else f"is kept in {settings.var_dir / 'mail'}"
    return Finding(True, "mail", text)


async def _database() -> Finding:
    from app import database

    number = int(await database.fetchval("show server_version_num"))
    is_good = number >= OLDEST_POSTGRES
    text = f"PostgreSQL {number // 10000}.{number % 10000}, {'migrated' if is_good else 'needs 15 or newer'}"
    return Finding(is_good, "database", text)


async def _worker() -> Finding:
    from app import database

    count = await database.fetchval("select count(*) from workers where last_heard_at > now() - interval '60 s'")
    text = f"{count} heard in the last minute" if count else "none running; start one: bin/sideline worker"
    return Finding(True, "workers", text)


async def _game_platform(settings: Settings) -> Finding:
    if not settings.game_platform_configured:
        return Finding(True, "game platform", "not configured (GAME_PLATFORM_BASE_URL, GAME_PLATFORM_API_TOKEN)")
    if not settings.game_platform_api_token:
        return Finding(False, "game platform", "GAME_PLATFORM_API_TOKEN is missing; ask the platform for one")
    from app.integrations.http import VendorError
    from app.jobs.clients import open_game_platform

    try:
        async with open_game_platform(settings, run_id=None) as client:
            await client.team_assignments()
    except VendorError as error:
        return Finding(False, "game platform", f"{settings.game_platform_base_url} refused: {error.message}")
    return Finding(True, "game platform", f"{settings.game_platform_base_url} answers")
