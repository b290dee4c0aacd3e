"""/metrics: for admins and for whoever has the token; valid, and without anything about anybody."""

import re
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from app import database
from app.domain.alarm_rules import SCHEDULE_GRACE, WORKER_SILENCE
from app.queries import metrics
from app.settings import Settings, get_settings
from tests.cast import Cast, make_cast, make_competitor
from tests.clients import client_for, stranger

TOKEN = "a-metrics-token-for-tests"


@pytest.fixture
async def cast() -> Cast:
    return await make_cast()


@pytest.fixture
def settings() -> Settings:
    return get_settings().model_copy(update={"metrics_token": TOKEN})


async def scrape(settings: Settings) -> dict[str, list[Any]]:
    async with stranger(settings) as collector:
        answer = await collector.get("/metrics", headers={"authorization": f"Bearer {TOKEN}"})
    assert answer.status_code == 200 and answer.headers["content-type"].startswith("text/plain")
    return {family.name: family.samples for family in text_string_to_metric_families(answer.text)}


def values(samples: list[Any]) -> dict[tuple[str, ...], float]:
    """By the labels' values, of which the last by name stands first."""
    return {
        tuple(value for _, value in sorted(sample.labels.items(), reverse=True)): sample.value for sample in samples
    }


async def test_who_may_see_them(cast: Cast, settings: Settings) -> None:
    async with stranger(settings) as client:
        for header in ({}, {"authorization": "Bearer wrong"}, {"authorization": f"Basic {TOKEN}"},
                       {"authorization": "Bearer "}, {"authorization": "Bearer \xe4"}):
            raw = {name.encode(): value.encode("latin-1") for name, value in header.items()}
            answer = await client.get("/metrics", headers=raw)
            assert answer.status_code == 401 and answer.headers["www-authenticate"] == "Bearer"
        assert (await client.get("/metrics", headers={"authorization": f"bearer {TOKEN}"})).status_code == 200
    async with await client_for(cast.admin, settings) as admin, await client_for(cast.coach_a, settings) as coach:
        assert (await admin.get("/metrics")).status_code == 200
        assert (await coach.get("/metrics")).status_code == 403


async def test_without_a_token_no_token_is_right(cast: Cast) -> None:
    async with stranger() as client:
        for presented in ("None", "", TOKEN):
            assert (await client.get("/metrics", headers={"authorization": f"Bearer {presented}"})).status_code == 401


async def test_guessing_is_limited(settings: Settings) -> None:
    async with stranger(settings) as client:
        statuses = [
            (await client.get("/metrics", headers={"authorization": "Bearer no"})).status_code for _ in range(60)
        ]
        assert statuses[0] == 401 and statuses[-1] == 429
        assert (await client.get("/metrics", headers={"authorization": f"Bearer {TOKEN}"})).status_code == 200


async def test_the_numbers_come_from_the_database(cast: Cast, settings: Settings) -> None:
    await make_competitor(cast.coach_a, "Ana Ash")
    await database.execute(
        """insert into job_runs (kind, key, state, next_attempt_at, queued_at)
           select 'job_cleanup', n::text, case when n < 3 then 'failed' else 'queued' end,
               now() - interval '90 s', now() - interval '90 s' from generate_series(1, 4) n"""
    )
    await database.execute("insert into alarms (cause, reason) values ('worker', 'x')")
    await database.execute(
        """insert into vendor_calls (vendor, token_key, kind, outcome)
           values ('game_platform', 'k', 'get', 'ok'), ('game_platform', 'k', 'get', null)"""
    )
    await database.execute("insert into vendor_breakers (vendor, opened_at) values ('game_platform', now())")
    found = await scrape(settings)
    assert values(found["sideline_runs_ended_last_hour"]) == {("failed", "job_cleanup"): 2}
    assert values(found["sideline_runs_active"]) == {("queued", "job_cleanup"): 2}
    assert values(found["sideline_queue_due"]) == {(): 2}
    assert 89 < found["sideline_queue_oldest_due_seconds"][0].value < 120
    assert values(found["sideline_alarms_open"])[("worker",)] == 1
    assert values(found["sideline_alarms_open"])[("disk",)] == 0
    assert values(found["sideline_vendor_calls_last_5_minutes"]) == {
        ("game_platform", "ok"): 1, ("game_platform", "unfinished"): 1,
    }
    assert values(found["sideline_vendor_breaker_open"]) == {("game_platform",): 1}
    assert values(found["sideline_people"])[("idle",)] == 1
    assert values(found["sideline_outbox_rows"]) == {("waiting",): 0, ("parked",): 0}
    assert values(found["sideline_workers_alive"]) == {(): 0}
    assert values(found["sideline_alarms_looked_at_seconds"]) == {(): -1}


async def test_requests_are_counted_by_route_and_nothing_names_anybody(cast: Cast, settings: Settings) -> None:
    person = await make_competitor(cast.coach_a, "Ana Ash")
    async with await client_for(cast.admin, settings) as admin:
        for path in (f"/competitors/{person}", "/leaderboard?q=Ana", "/nowhere/Ana"):
            await admin.get(path)
    found = await scrape(settings)
    routes = {sample.labels["route"] for sample in found["sideline_process_requests"]}
    assert any(route.startswith("/competitors/{") for route in routes) and "/{path}" in routes
    labels = {value for samples in found.values() for sample in samples for value in sample.labels.values()}
    assert not [value for value in labels if "Ana" in value or "@" in value or re.search(r"[0-9a-f]{8}-", value)]


async def test_a_long_ledger_is_not_read_through(settings: Settings) -> None:
    await database.execute(
        """insert into job_runs (kind, key, state, queued_at, next_attempt_at)
           select 'job_cleanup', n::text, 'succeeded', now() - n * interval '10 s', now()
           from generate_series(1, 100000) n"""
    )
    await database.execute("analyze job_runs")
    found = await scrape(settings)
    assert 350 < values(found["sideline_runs_ended_last_hour"])[("succeeded", "job_cleanup")] <= 360
    for sql, arguments in (
        (metrics._RUNS_ENDED, ()), (metrics._RUNS_ACTIVE, ()), (metrics._ONE_ROW, (SCHEDULE_GRACE, WORKER_SILENCE)),
    ):
        plan = "\n".join(row[0] for row in await database.fetch(f"explain {sql}", *arguments))
        assert "Seq Scan on job_runs" not in plan, plan
