"""Ten thousand generated requests over every route, as every role: any answer but a 5xx is an answer."""

import random
import string
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from app.main import create_app
from app.methods import REFUSAL
from tests.cast import make_cast, make_competitor
from tests.clients import client_for, stranger
from tests.controllers.test_route_policies import routes

CHUNKS = 20
REQUESTS_PER_CHUNK = 500
SCHEDULER_SECRET = "a-scheduler-secret-for-tests"

NAMES = [
    "q", "sort", "dir", "cursor", "window", "from", "to", "team", "coach", "division", "category", "source", "format",
    "seen", "organization", "next", "page", "page[]", "theme", "compact", "density", "as_of", "limit", "state",
    "status", "run", "show", "missing", "trouble", "age", "competitor", "action", "key",
    "period", "sum", "group", "mode", "size", "changes", "kind", "person", "full", "chart", "at",
]
VALUES = [
    "", "-1", "0", "1", "50", "1000000000000000000", "NaN", "null", "true", "rank", "-rank", "points", "name;drop",
    "id desc,(select 1)", "csv", "xlsx", "30", "year", "2026-02-30", "2026-01-01", "9999-12-31", "0001-01-01", "''",
    "<script>", "{{7*7}}", "../../etc/passwd", "%", "%00", "\x00", "\ud800", "ä" * 50, "a" * 9000, "\u202e", "٣",
    "high_school", "Cryptography", "odl", "00000000-0000-0000-0000-000000000000", "//evil.example",
    "https://evil.example", "/leaderboard",
    "eyJhIjoxfQ", "W10", "bnVsbA", "e30",
]
BODIES: list[Any] = [
    None, b"", b"{}", b"[]", b"null", b"{", b"\xff\xfe\x00", b"a=b&a=c", b"email=%00&password=x", b"[" * 2000, b"1e999",
    b'{"task_type": 1}', b'{"task_type": "game_platform_sync", "payload": {"coach_id": "x"}}', b'{"payload": []}',
    b'{"task_type": "\\u0000", "payload": {}}', b'{"task_type": "job_cleanup", "payload": {"x": 1}}',
]
TYPES = [
    "application/x-www-form-urlencoded", "application/json", "text/plain", "multipart/form-data; boundary=x",
    "multipart/form-data", "", "application/json; charset=utf-16",
]


def generated_value(chance: random.Random) -> str:
    if chance.random() < 0.3:
        return "".join(chance.choices(string.printable + "éß中\u0301\U0001f600", k=chance.randint(0, 40)))
    return chance.choice(VALUES)


def generated_url(chance: random.Random, path: str) -> str:
    while "{" in path:
        start, end = path.index("{"), path.index("}")
        value = quote(generated_value(chance)[:200].encode("utf-8", "surrogatepass"), safe="")
        path = path[:start] + value + path[end + 1 :]
    pairs = [
        f"{chance.choice(NAMES)}={quote(generated_value(chance).encode('utf-8', 'surrogatepass'))}"
        for _ in range(chance.randint(0, 4))
    ]
    return f"{path}?{'&'.join(pairs)}" if pairs else path


def generated_headers(chance: random.Random) -> dict[str, str]:
    headers = {"content-type": chance.choice(TYPES)}
    if chance.random() < 0.3:
        headers |= {"hx-request": "true", "hx-request-type": chance.choice(["partial", "full", "x"])}
    if chance.random() < 0.2:
        headers["authorization"] = chance.choice([f"Bearer {SCHEDULER_SECRET}", "Bearer x", "Basic x", "Bearer"])
    if chance.random() < 0.1:
        headers["cookie"] = chance.choice(["session=x", "session=" + "y" * 5000, "theme=<script>", "=;;="])
    return headers


async def send(client: httpx.AsyncClient, chance: random.Random, method: str, path: str) -> httpx.Response:
    unsafe = method in ("POST", "PUT", "PATCH", "DELETE")
    return await client.request(
        chance.choice([method, method, method, "GET", "POST", "PUT", "DELETE", "PATCH"]), generated_url(chance, path),
        headers=generated_headers(chance), content=chance.choice(BODIES) if unsafe or chance.random() < 0.1 else None,
    )


@pytest.mark.parametrize("chunk", range(CHUNKS))
async def test_no_input_gives_a_500(chunk: int, settings_changed: pytest.MonkeyPatch) -> None:
    settings_changed.setenv("JOB_QUEUE_RUNNER_SECRET", SCHEDULER_SECRET)
    chance = random.Random(chunk)
    cast = await make_cast()
    for name in ("Ada Lovelace", "李 小龍", "Zoë O'Neil"):
        await make_competitor(cast.coach_a, name, team_id=cast.team_a)
    people = [cast.player, cast.coach_a, cast.admin]
    clients = [stranger(), *[await client_for(person) for person in people]]
    table = [
        (method, path) for method, path, handler in routes(create_app())
        if path != "/logout" and REFUSAL not in handler.opt
    ]
    for number in range(REQUESTS_PER_CHUNK):
        method, path = table[number % len(table)]
        response = await send(chance.choice(clients), chance, method, path)
        is_health = path.startswith("/health/") and response.status_code == 503
        asked = f"{response.request.method} {response.request.url}"
        assert response.status_code < 500 or is_health, f"{asked}: {response.text[:300]}"
    for client in clients:
        await client.aclose()
