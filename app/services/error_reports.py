"""Unexpected failures to Sentry, when SENTRY_DSN is set: one event per episode of the same failure, over all processes.

The event is made here from what may be kept of a failure, and not from what the library would collect: no request, no
variables, no person. The library is loaded only when it is needed.
"""

import asyncio
import traceback
from typing import Any

import structlog

from app import database
from app.domain.failures import ROOT, describe, signature_of
from app.settings import get_settings

EPISODE = "1 hour"
MOST_FRAMES = 50
PERSONAL = ("request", "user", "breadcrumbs", "extra", "modules", "server_name", "contexts")

log = structlog.get_logger(__name__)
_running: set[asyncio.Task[None]] = set()

# A failure that goes on is one episode; an hour without it ends it.
_BEGIN = f"""
insert into error_reports as e (signature) values ($1)
on conflict (signature) do update set seen_at = clock_timestamp()
    where e.seen_at < clock_timestamp() - interval '{EPISODE}'
returning signature
"""  # noqa: S608


def start() -> None:
    """Once per process."""
    if not (dsn := get_settings().sentry_dsn):
        return
    import sentry_sdk

    sentry_sdk.init(
        dsn=dsn, default_integrations=False, auto_enabling_integrations=False, max_breadcrumbs=0,
        include_local_variables=False, include_source_context=False, auto_session_tracking=False,
        send_client_reports=False, server_name="", before_send=_without_persons,
    )


def report_soon(error: BaseException, **tags: str) -> None:
    """For where nobody can wait. Never fails."""
    if get_settings().sentry_dsn:
        task = asyncio.create_task(report(error, **tags))
        _running.add(task)
        task.add_done_callback(_running.discard)


async def report(error: BaseException, **tags: str) -> None:
    """`tags` are names of our own: a kind, a route's pattern, a run's id."""
    if not get_settings().sentry_dsn:
        return
    try:
        signature = signature_of(error)
        if await _begins(signature):
            import sentry_sdk

            sentry_sdk.capture_event(_event(error, signature, tags))
    except Exception as failure:
        log.warning("a failure was not reported", error_class=type(failure).__name__)


async def _begins(signature: str) -> bool:
    """True as well while the database is away: better twice than never."""
    try:
        if await database.fetchval(_BEGIN, signature):
            return True
        await database.execute("update error_reports set seen_at = clock_timestamp() where signature = $1", signature)
    except Exception:
        return True
    return False


def _event(error: BaseException, signature: str, tags: dict[str, str]) -> Any:
    failure = describe(error)
    frames = [
        {"filename": frame.filename.removeprefix(f"{ROOT}/"), "function": frame.name, "lineno": frame.lineno}
        for frame in traceback.extract_tb(error.__traceback__)[-MOST_FRAMES:]
    ]
    value = {"type": failure.error_class, "value": failure.text, "stacktrace": {"frames": frames}}
    return {"level": "error", "fingerprint": [signature], "tags": tags, "exception": {"values": [value]}}


def _without_persons(event: Any, hint: Any) -> Any:
    """Whatever the library adds by itself, now or in a later version, goes."""
    return {name: value for name, value in event.items() if name not in PERSONAL}
