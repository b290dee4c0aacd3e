"""Whatever goes wrong: a page for people, a message for htmx, JSON for programs, and never more than they may know."""

import asyncio
import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, cast

import asyncpg
import httpx
import pytest
import structlog
from litestar import Litestar, get, post
from litestar.exceptions import HTTPException, TooManyRequestsException
from litestar.params import FromPath, FromQuery, JSONBody

from app import database
from app.errors import WORDS
from app.main import create_app
from app.security.policy import anyone, signed_in

PARTIAL = {"HX-Request": "true", "HX-Request-Type": "partial", "HX-Current-URL": "http://localhost/leaderboard?q=a"}
SECRET = "hunter2-in-an-exception"


@get("/fails/{status:int}", guards=[anyone])
async def fails(status: FromPath[int]) -> None:
    raise HTTPException(status_code=status)


@get("/breaks", guards=[anyone])
async def breaks() -> None:
    raise RuntimeError(SECRET)


@get("/api/breaks", guards=[anyone])
async def breaks_for_programs() -> None:
    raise RuntimeError(SECRET)


@get("/api/fails", guards=[anyone])
async def fails_for_programs(count: FromQuery[int]) -> None:
    raise HTTPException(status_code=409, detail="never reached")


@get("/private", guards=[signed_in])
async def private() -> None:
    raise AssertionError("nobody may come here")


@get("/waits", guards=[anyone])
async def waits() -> None:
    raise TooManyRequestsException(detail="Wait 30 s.", headers={"Retry-After": "30"})


@get("/times-out", guards=[anyone])
async def times_out() -> None:
    raise TimeoutError("of something else")


@get("/queries", guards=[anyone])
async def queries() -> None:
    await database.fetchval("select 1")


@post("/changes", guards=[anyone], opt={"exclude_from_csrf": True})
async def changes(data: JSONBody[dict[str, Any]]) -> None:
    raise AssertionError("too large to get here")


HANDLERS = (fails, breaks, breaks_for_programs, fails_for_programs, private, waits, times_out, queries, changes)


@pytest.fixture
def app() -> Litestar:
    app = create_app()
    for handler in HANDLERS:
        app.register(handler)
    return app


@pytest.fixture
async def client(app: Litestar) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(cast(Any, app)), base_url="http://localhost") as client:
        yield client


@pytest.mark.parametrize("status", [400, 403, 404, 405, 409, 413, 422, 429, 500, 503])
async def test_a_page_says_what_happened_and_what_to_do(client: httpx.AsyncClient, status: int) -> None:
    answer = await client.get(f"/fails/{status}")
    assert answer.status_code == status
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["cache-control"] == "private, no-store"
    assert f"<h1>{WORDS[status][0]}</h1>" in answer.text
    assert "<html" in answer.text and "Go to the sign-in" in answer.text


@pytest.mark.parametrize("status", [400, 403, 404, 405, 409, 413, 422, 429, 500, 503])
async def test_htmx_gets_a_message_for_the_region_that_every_page_has(client: httpx.AsyncClient, status: int) -> None:
    answer = await client.get(f"/fails/{status}", headers=PARTIAL)
    assert answer.status_code == status
    assert answer.headers["hx-retarget"] == "#messages"
    assert WORDS[status][0] in answer.text and "<html" not in answer.text
    assert "HX-Request" in answer.headers["vary"]


async def test_a_stranger_is_sent_to_the_sign_in_and_back(client: httpx.AsyncClient) -> None:
    answer = await client.get("/private?team=a&x=1")
    assert answer.status_code == 303
    assert answer.headers["location"] == "/login?next=/private%3Fteam%3Da%26x%3D1"


async def test_htmx_of_a_stranger_leaves_the_page_for_the_sign_in(client: httpx.AsyncClient) -> None:
    answer = await client.get("/private", headers=PARTIAL)
    assert answer.status_code == 204
    assert answer.headers["hx-redirect"] == "/login?next=/leaderboard%3Fq%3Da"


async def test_an_unexpected_error_shows_a_reference_that_is_in_the_log(client: httpx.AsyncClient) -> None:
    with structlog.testing.capture_logs() as logs:
        answer = await client.get("/breaks")
    assert answer.status_code == 500
    found = re.search(r"Reference <code>(\w{8})</code>", answer.text)
    assert found and [line["reference"] for line in logs if line["event"] == "request failed"] == [found.group(1)]
    assert logs[-1]["route"] == "/breaks"


@pytest.mark.parametrize("path", ["/breaks", "/api/breaks"])
async def test_nothing_of_the_error_itself_leaves_the_server(client: httpx.AsyncClient, path: str) -> None:
    for headers in ({}, PARTIAL):
        answer = await client.get(path, headers=headers)
        assert answer.status_code == 500
        assert SECRET not in answer.text and "RuntimeError" not in answer.text and "Traceback" not in answer.text


async def test_a_timeout_of_something_else_is_not_put_down_to_the_database(client: httpx.AsyncClient) -> None:
    assert (await client.get("/times-out")).status_code == 500


async def test_programs_get_json(client: httpx.AsyncClient) -> None:
    answer = await client.get("/api/nothing-here")
    assert (answer.status_code, answer.json()) == (404, {"error": WORDS[404][1], "status": 404})
    assert (await client.get("/api/breaks")).json()["reference"]


async def test_the_frameworks_own_details_stay_inside(client: httpx.AsyncClient) -> None:
    answer = await client.get("/api/fails?count=many")
    assert (answer.status_code, answer.json()["error"]) == (400, WORDS[400][1])


async def test_a_refusal_of_ours_keeps_its_words_and_headers(client: httpx.AsyncClient) -> None:
    foreign = await client.get("/robots.txt", headers={"host": "elsewhere"})
    assert foreign.status_code == 400 and "does not answer under that host name" in foreign.text
    answer = await client.get("/waits")
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "30")
    assert WORDS[429][1] in answer.text, "words of test code are not the product's"


async def test_an_unknown_address_is_a_page_of_ours(client: httpx.AsyncClient) -> None:
    for method in ("GET", "POST", "DELETE"):
        answer = await client.request(method, "/nowhere/at/all")
        assert answer.status_code == 404 and "<h1>Not found</h1>" in answer.text


async def test_an_unknown_method_is_not_possible(client: httpx.AsyncClient) -> None:
    for method, path in (("POST", "/robots.txt"), ("BREW", "/"), ("BREW", "/nowhere")):
        answer = await client.request(method, path)
        assert answer.status_code == 405 and "<h1>Not possible here</h1>" in answer.text


async def test_a_body_that_is_too_large_is_refused(client: httpx.AsyncClient) -> None:
    for path, body in (("/changes", b"{" + b" " * (11 * 1024 * 1024)), ("/login", b"a=1&" * 50_000)):
        answer = await client.post(path, content=body, headers={"content-type": "application/x-www-form-urlencoded"})
        assert answer.status_code == 413 and "<h1>Too large</h1>" in answer.text


@asynccontextmanager
async def every_connection_taken() -> AsyncIterator[None]:
    pool: asyncpg.Pool = database.DB.pool  # type: ignore[assignment]
    taken = [await pool.acquire() for _ in range(pool.get_max_size())]
    database.DB.patience_seconds = 0.5
    try:
        yield
    finally:
        database.DB.patience_seconds = None
        for connection in taken:
            await pool.release(connection)


async def test_an_exhausted_pool_answers_soon_and_says_what_to_do(client: httpx.AsyncClient) -> None:
    async with every_connection_taken():
        began = time.monotonic()
        answers = await asyncio.gather(*(client.get("/queries") for _ in range(5)))
        assert time.monotonic() - began < 1.5
    assert [answer.status_code for answer in answers] == [503] * 5
    assert "Nothing was lost; try again in a minute." in answers[0].text
    assert (await client.get("/queries")).status_code == 200


@pytest.mark.parametrize(
    "address", ["postgresql://nobody@127.0.0.1:1/none", "postgresql://nobody@/none?host=/nowhere/at/all"]
)
async def test_a_database_that_is_away_is_503_and_not_a_bug(client: httpx.AsyncClient, address: str) -> None:
    pool = database.DB.pool
    database.DB.pool = await asyncpg.create_pool(address, min_size=0)
    try:
        for headers in ({}, PARTIAL):
            answer = await client.get("/queries", headers=headers)
            assert answer.status_code == 503
            assert "bin/sideline check" in answer.text and "nobody" not in answer.text
    finally:
        await database.DB.close_connection_pool()
        database.DB.pool = pool
