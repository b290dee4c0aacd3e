"""Jobs for other programs: every status of the promised table."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
import pytest_asyncio

from app import database
from app.controllers import jobs_api
from app.domain.pauses import Scope
from app.main import create_app
from app.services import job_runs, pauses, schedules
from app.services.cron import BadCron
from app.settings import get_settings

SECRET, NEXT_SECRET = "a-secret-of-the-scheduler", "the-secret-that-comes-next"
CONFIGURED = {"JOB_QUEUE_RUNNER_SECRET": f"{SECRET}, {NEXT_SECRET}", "GAME_PLATFORM_API_TOKEN": "a-token"}


def _client(secret: str | None = SECRET) -> httpx.AsyncClient:
    headers = {"Authorization": f"Bearer {secret}"} if secret else {}
    app: Any = create_app(get_settings())
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://localhost", headers=headers)


@pytest.fixture
def configured(settings_changed: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name, value in CONFIGURED.items():
        settings_changed.setenv(name, value)
    return settings_changed


@pytest_asyncio.fixture
async def api(configured: pytest.MonkeyPatch) -> AsyncIterator[httpx.AsyncClient]:
    async with _client() as client:
        yield client


async def _run(api: httpx.AsyncClient, task_type: object, payload: object = None) -> httpx.Response:
    body = {"task_type": task_type} | ({} if payload is None else {"payload": payload})
    return await api.post("/api/jobs/run", content=json.dumps(body))


async def test_a_run_is_queued_at_once_and_without_waiting(api: httpx.AsyncClient) -> None:
    started = time.monotonic()
    answer = await _run(api, "game_platform_sync", {"dry_run": True})
    assert time.monotonic() - started < 2
    assert answer.status_code == 202
    assert answer.json() == {"run_id": answer.json()["run_id"], "state": "queued"}
    row = await database.fetchrow("select trigger, payload from job_runs where id = $1", UUID(answer.json()["run_id"]))
    assert row and tuple(row) == ("scheduler", '{"dry_run": true}')


async def test_the_same_work_again_answers_with_the_run_that_waits_or_runs(api: httpx.AsyncClient) -> None:
    first = await _run(api, "job_cleanup")
    second = await _run(api, "job_cleanup", {})
    assert (second.status_code, second.json()) == (200, first.json())
    await job_runs.claim(UUID(first.json()["run_id"]), "worker")
    assert (await _run(api, "job_cleanup")).json() == first.json() | {"state": "running"}


async def test_twenty_requests_at_once_make_one_run(api: httpx.AsyncClient) -> None:
    answers = await asyncio.gather(*(_run(api, "job_cleanup") for _ in range(20)))
    assert sorted({answer.status_code for answer in answers}) == [200, 202]
    assert len({answer.json()["run_id"] for answer in answers}) == 1


async def test_both_secrets_of_a_rotation_open(configured: pytest.MonkeyPatch) -> None:
    async with _client(NEXT_SECRET) as api:
        assert (await _run(api, "job_cleanup")).status_code == 202


@pytest.mark.parametrize(
    "header",
    [None, "", "Bearer", "Bearer wrong", SECRET, f"Basic {SECRET}", f"Bearer {SECRET}x", f"Bearer {SECRET[:-1]}"],
)
@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/api/jobs/run"), ("POST", "/api/jobs/tick"), ("GET", f"/api/jobs/runs/{UUID(int=0)}")],
)
async def test_without_the_secret_nothing_opens(
    configured: pytest.MonkeyPatch, header: str | None, method: str, path: str
) -> None:
    async with _client(None) as api:
        answer = await api.request(method, path, headers={"Authorization": header} if header is not None else {})
    assert answer.status_code == 401
    assert "Authorization header should be Bearer" in answer.json()["error"]
    assert SECRET not in answer.text
    assert await database.fetchval("select count(*) from job_runs") == 0


@pytest.mark.parametrize("scheme", ["bearer", "BEARER"])
async def test_the_scheme_may_be_written_in_any_case(configured: pytest.MonkeyPatch, scheme: str) -> None:
    async with _client() as api:
        answer = await api.post("/api/jobs/tick", headers={"Authorization": f"{scheme} {SECRET}"})
    assert answer.status_code == 200


async def test_wrong_secrets_are_slowed_down_and_the_right_one_is_not(configured: pytest.MonkeyPatch) -> None:
    async with _client("wrong") as guesser:
        statuses = [(await guesser.post("/api/jobs/tick")).status_code for _ in range(25)]
    assert statuses[:20] == [401] * 20
    assert statuses[-1] == 429
    async with _client() as api:
        assert (await api.post("/api/jobs/tick")).status_code == 200


async def test_right_secrets_have_a_generous_limit_of_their_own(
    configured: pytest.MonkeyPatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert jobs_api.REQUESTS.per_account >= 600
    monkeypatch.setattr(jobs_api, "REQUESTS", replace(jobs_api.REQUESTS, per_account=5, free=5))
    async with _client() as api:
        answers = [await api.post("/api/jobs/tick") for _ in range(7)]
    assert [answer.status_code for answer in answers] == [200] * 5 + [429] * 2
    assert 0 < int(answers[-1].headers["retry-after"]) <= 60


async def test_a_paused_kind_is_taken_and_said_to_be_paused(api: httpx.AsyncClient) -> None:
    await pauses.pause(Scope.KIND, "job_cleanup", reason="x", actor=None, actor_label="test")
    first = await _run(api, "job_cleanup")
    assert first.status_code == 202
    assert first.json() == {"run_id": first.json()["run_id"], "state": "queued", "paused": True}
    second = await _run(api, "job_cleanup")
    assert (second.status_code, second.json()) == (200, first.json())
    await pauses.resume(Scope.KIND, "job_cleanup", actor=None, actor_label="test")
    assert "paused" not in (await _run(api, "job_cleanup")).json()


async def test_without_a_secret_in_the_settings_the_requests_do_not_exist(
    settings_changed: pytest.MonkeyPatch,
) -> None:
    async with _client() as api:
        answers = [
            await _run(api, "job_cleanup"), await api.post("/api/jobs/tick"), await api.get(f"/api/jobs/runs/{uuid4()}")
        ]
    assert [answer.status_code for answer in answers] == [404] * 3
    assert "JOB_QUEUE_RUNNER_SECRET" in answers[0].json()["error"]


async def test_an_unknown_kind_is_404_and_names_the_kinds(api: httpx.AsyncClient) -> None:
    answer = await _run(api, "make_coffee")
    assert answer.status_code == 404
    assert "game_platform_sync" in answer.json()["error"]


async def test_a_feature_that_is_off_is_409(configured: pytest.MonkeyPatch) -> None:
    configured.setenv("GAME_PLATFORM_ENABLED", "false")
    async with _client() as api:
        answer = await _run(api, "game_platform_sync")
    assert answer.status_code == 409
    assert "game_platform.score_ingestion is off" in answer.json()["error"]


@pytest.mark.parametrize(
    ("payload", "field"),
    [
        ({"surprise": 1}, "surprise"), ({"coach_id": "x"}, "coach_id"), ({"full": "yes"}, "full"),
        ({"competitor_ids": [1]}, "competitor_ids.0"), ([], "payload"), ("x", "payload"), (7, "payload"),
        ({"\ud800": 1}, "payload"), ({"a\r\nb": 1}, "a\\r\\nb"),
    ],
)
async def test_a_wrong_payload_is_422_and_names_the_field(
    api: httpx.AsyncClient, payload: object, field: str
) -> None:
    answer = await _run(api, "game_platform_sync", payload)
    assert answer.status_code == 422
    assert answer.json()["field"] == field
    assert field in answer.json()["error"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400), (b"{", 400), (b"\xff\xfe", 400), (b"[" * 100_000, 400), (b"1" * 5_000, 400),
        (b"[]", 422), (b"null", 422), (b'{"payload": {}}', 422), (b'{"task_type": 7}', 422),
        (b'{"task_type": "job_cleanup", "more": 1}', 422),
        (b'{"task_type": "\\ud800"}', 404), (b'{"task_type": "a\\u0000b"}', 404),
        (b'{"task_type": "job_cleanup", "payload": null}', 422),
        (b'{"task_type": "game_platform_totals_sweep", "payload": {"batch_size": NaN}}', 422),
        (b'{"task_type": "job_cleanup", "payload": {"x": "' + b"x" * 2_000_000 + b'"}}', 413),
    ],
)
async def test_a_body_that_cannot_be_used_is_told_so(api: httpx.AsyncClient, body: bytes, status: int) -> None:
    answer = await api.post("/api/jobs/run", content=body)
    assert answer.status_code == status
    assert answer.json()["error"]
    assert await database.fetchval("select count(*) from job_runs") == 0


async def test_a_tick_starts_what_is_due_once(api: httpx.AsyncClient) -> None:
    await schedules.ensure_built_ins()
    await database.execute("update job_schedules set next_run_at = now() - interval '1 h' where name = 'job_cleanup'")
    answers = await asyncio.gather(*(api.post("/api/jobs/tick") for _ in range(8)))
    assert {answer.status_code for answer in answers} == {200}
    started = [run for answer in answers for run in answer.json()["started"]]
    run_id = await database.fetchval("select id from job_runs")
    assert started == [{"task_type": "job_cleanup", "run_id": str(run_id)}]


async def test_a_run_can_be_looked_at_until_its_end(api: httpx.AsyncClient) -> None:
    run_id = (await _run(api, "job_cleanup")).json()["run_id"]
    waiting = (await api.get(f"/api/jobs/runs/{run_id}")).json()
    assert waiting == {
        "run_id": run_id, "task_type": "job_cleanup", "state": "queued", "trigger": "scheduler", "attempts": 0,
        "queued_at": waiting["queued_at"], "started_at": None, "finished_at": None, "result": None, "error": None,
    }
    claimed = await job_runs.claim(UUID(run_id), "worker")
    assert claimed
    await job_runs.finish(claimed.claim, {"job_runs": 3})
    finished = (await api.get(f"/api/jobs/runs/{run_id}")).json()
    assert (finished["state"], finished["attempts"], finished["result"]) == ("succeeded", 1, {"job_runs": 3})
    assert finished["finished_at"]


async def test_a_failed_run_says_why(api: httpx.AsyncClient) -> None:
    run_id = (await _run(api, "job_cleanup")).json()["run_id"]
    claimed = await job_runs.claim(UUID(run_id), "worker")
    assert claimed
    await job_runs.fail(claimed.claim, BadCron("'x' never comes"), retry_seconds=1, is_final=True)
    run = (await api.get(f"/api/jobs/runs/{run_id}")).json()
    assert (run["state"], run["error"]) == ("failed", "BadCron: 'x' never comes")


@pytest.mark.parametrize("run_id", ["00000000-0000-0000-0000-000000000000", "x", "1", "%F0%9F%98%80"])
async def test_a_run_that_does_not_exist_is_404(api: httpx.AsyncClient, run_id: str) -> None:
    answer = await api.get(f"/api/jobs/runs/{run_id}")
    assert answer.status_code == 404
    assert answer.json()["error"] == "There is no such run."
