"""Failures that reach a real receiver of Sentry's envelopes: one per episode, and nothing about anybody in them."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import brotli  # type: ignore[import-untyped]
import pytest
import pytest_asyncio
import sentry_sdk

from app import database
from app.jobs import runner
from app.jobs.tasks import TASKS
from app.queue import enqueue
from app.services import error_reports
from app.settings import get_settings
from app.tables.jobs import Trigger
from tests.cast import make_cast
from tests.clients import client_for
from tests.receiver import Receiver, receiving


@pytest_asyncio.fixture
async def sentry(settings_changed: pytest.MonkeyPatch) -> AsyncIterator[Receiver]:
    async with receiving() as receiver:
        settings_changed.setenv("SENTRY_DSN", f"http://key@127.0.0.1:{receiver.port}/1")
        get_settings.cache_clear()
        error_reports.start()
        yield receiver
        await asyncio.to_thread(sentry_sdk.get_client().close, 2.0)
        sentry_sdk.init()


async def events(sentry: Receiver) -> list[dict[str, Any]]:
    await asyncio.to_thread(sentry_sdk.flush, 5.0)
    found = []
    for headers, body in sentry.requests:
        assert headers[":line"].startswith("POST /api/1/envelope/")
        assert headers["content-encoding"] == "br"
        text = brotli.decompress(body)
        found += [json.loads(line) for line in text.splitlines() if b'"exception"' in line]
    return found


def fail(secret: str) -> ValueError:
    try:
        int(secret)
    except ValueError as error:
        return error
    raise AssertionError


async def test_the_same_failure_is_one_event_until_it_was_away_for_an_hour(sentry: Receiver) -> None:
    for secret in ("Zimmermann", "Ada Alder", "ada@example.org"):
        await asyncio.gather(*(error_reports.report(fail(secret), kind="job_cleanup") for _ in range(3)))
    (event,) = await events(sentry)
    assert event["exception"]["values"][0]["type"] == "ValueError" and event["tags"]["kind"] == "job_cleanup"
    await database.execute("update error_reports set seen_at = now() - interval '59 min'")
    await error_reports.report(fail("x"))
    await database.execute("update error_reports set seen_at = seen_at - interval '30 min'")
    await error_reports.report(fail("x"))
    assert len(await events(sentry)) == 1
    await database.execute("update error_reports set seen_at = now() - interval '61 min'")
    await error_reports.report(fail("x"))
    assert len(await events(sentry)) == 2


async def test_an_event_holds_nothing_about_anybody(sentry: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    cast = await make_cast()

    async def broken(*arguments: object, **options: object) -> None:
        raise ValueError("Zimmermann zimmermann@example.org")

    monkeypatch.setattr("app.queries.alarms.list_alarms", broken)
    async with await client_for(cast.admin) as client:
        answer = await client.get("/admin/alarms?q=Zimmermann", headers={"user-agent": "Zimmermann"})
    assert answer.status_code == 500
    await asyncio.gather(*error_reports._running)
    (event,) = await events(sentry)
    text = json.dumps(event)
    assert event["tags"]["route"] == "/admin/alarms"
    for word in ("Zimmermann", "@example", "203.0.113", "cookie", "Alma", str(cast.admin.id)):
        assert word not in text
    assert not set(error_reports.PERSONAL) & set(event)
    assert all("vars" not in frame for frame in event["exception"]["values"][0]["stacktrace"]["frames"])


async def test_a_run_that_fails_is_reported(sentry: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(*arguments: object) -> dict[str, int]:
        raise RuntimeError("it broke")

    monkeypatch.setitem(TASKS, "job_cleanup", broken)
    asked = await enqueue("job_cleanup", trigger=Trigger.USER)
    await runner.run(asked.run_id, "worker")
    (event,) = await events(sentry)
    assert event["tags"] == {"kind": "job_cleanup"}


async def test_without_a_dsn_nothing_is_loaded_or_kept() -> None:
    await error_reports.report(fail("x"))
    error_reports.report_soon(fail("x"))
    assert await database.fetchval("select count(*) from error_reports") == 0
