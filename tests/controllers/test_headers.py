"""What every response says to the browser, and what is refused before anything looks at it."""

import re
from collections.abc import AsyncIterator

import brotli  # type: ignore[import-untyped]
import httpx
import pytest

from app.settings import get_settings
from tests.clients import stranger

EVERYWHERE = [
    "/", "/robots.txt", "/login", "/nowhere", "/static/css/tokens.css", "/static/nothing.css", "/api/nowhere", "/a%00b",
]
FOREIGN_HOSTS = ["evil.example", "localhost.evil.example", "", "localhost@evil.example", "127.0.0.1.nip.io"]
UNREADABLE = [
    "/robots.txt?q=%00", "/robots.txt?q=%ff%fe", "/robots.txt?q=" + "a" * 8192, "/a%00b", "/a%ffb", "/robots.txt?%C3",
]
ODD_QUERIES = [
    "q=%C3%A9", "page[]=1&page[]=2", "q=a&q=b", "q=%", "q=%zz", "=", "&&&", "a=" + "b" * 8000,
]
OUTSIDE = ["/static/../main.py", "/static/%2e%2e/main.py", "/static/..%2fmain.py", "/static//etc/passwd"]


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with stranger() as client:
        yield client


@pytest.mark.parametrize("path", EVERYWHERE)
async def test_every_response_carries_the_security_headers(client: httpx.AsyncClient, path: str) -> None:
    for method in ("GET", "POST", "BREW"):
        headers = (await client.request(method, path)).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy and "script-src 'self'" in policy and "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "same-origin"
        assert headers["cross-origin-opener-policy"] == "same-origin"
        assert "camera=()" in headers["permissions-policy"]
        assert "strict-transport-security" not in headers


async def test_transport_is_pinned_where_the_site_is_https() -> None:
    settings = get_settings().model_copy(update={"base_url": "https://sideline.example"})
    async with stranger(settings) as client:
        for path in ("/robots.txt", "/nowhere"):
            assert (await client.get(path)).headers["strict-transport-security"].startswith("max-age=63072000")


@pytest.mark.parametrize("host", FOREIGN_HOSTS)
async def test_a_foreign_host_name_is_refused(client: httpx.AsyncClient, host: str) -> None:
    answer = await client.get("/robots.txt", headers={"host": host})
    assert answer.status_code == 400 and "<h1>Request not understood</h1>" in answer.text
    assert not host or host not in answer.text


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8000", "127.0.0.1:9"])
async def test_our_own_host_names_are_not(client: httpx.AsyncClient, host: str) -> None:
    assert (await client.get("/robots.txt", headers={"host": host})).status_code == 200


@pytest.mark.parametrize("address", UNREADABLE)
async def test_an_address_that_cannot_be_read_is_refused(client: httpx.AsyncClient, address: str) -> None:
    answer = await client.get(address)
    assert answer.status_code == 400 and "<h1>Request not understood</h1>" in answer.text


@pytest.mark.parametrize("query", ODD_QUERIES)
async def test_an_odd_address_that_can_be_read_is_not(client: httpx.AsyncClient, query: str) -> None:
    assert (await client.get(f"/robots.txt?{query}")).status_code == 200


async def test_static_files_are_kept_for_ever_and_pages_never(client: httpx.AsyncClient) -> None:
    assert "immutable" in (await client.get("/static/css/tokens.css")).headers["cache-control"]
    page = await client.get("/login")
    assert page.status_code == 200 and page.headers["cache-control"] == "private, no-store"
    assert {"HX-Request", "HX-Request-Type"} <= {name.strip() for name in page.headers["vary"].split(",")}


@pytest.mark.parametrize("path", OUTSIDE)
async def test_nothing_outside_the_static_folder_is_served(client: httpx.AsyncClient, path: str) -> None:
    assert (await client.get(path)).status_code == 404


async def test_pages_are_compressed(client: httpx.AsyncClient) -> None:
    async with client.stream("GET", "/login", headers={"accept-encoding": "br"}) as answer:
        raw = b"".join([chunk async for chunk in answer.aiter_raw()])
    assert answer.headers["content-encoding"] == "br"
    assert b"<title>" in brotli.decompress(raw)


async def test_the_first_load_stays_small(client: httpx.AsyncClient) -> None:
    """Everything that a browser with an empty cache fetches for one page, as it travels."""
    total, fetched = 0, ["/login"]
    page = (await client.get("/login")).text
    fetched += sorted({address.partition("#")[0] for address in re.findall(r'(?:src|href)="(/static/[^"]+)"', page)})
    assert len(fetched) > 8
    for path in fetched:
        async with client.stream("GET", path, headers={"accept-encoding": "br"}) as answer:
            assert answer.status_code == 200
            total += sum([len(chunk) async for chunk in answer.aiter_raw()])
    assert total < 60 * 1024, total


async def test_robots_are_told_to_stay_away_and_browsers_get_an_icon(client: httpx.AsyncClient) -> None:
    assert (await client.get("/robots.txt")).text == "User-agent: *\nDisallow: /\n"
    for path in ("/favicon.ico", "/favicon.svg"):
        assert (await client.get(path)).headers["content-type"] == "image/svg+xml"
