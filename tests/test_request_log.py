"""The request's id: ours or a proxy's, in the answer and in every line about the request."""

import io
import json
import re

import httpx
import pytest

from tests.cast import make_cast
from tests.clients import client_for, stranger
from tests.test_logs import written  # noqa: F401

OURS = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


async def ask(headers: dict[str, str] | None = None, path: str = "/health/live") -> httpx.Response:
    async with stranger() as client:
        return await client.get(path, headers=headers)


async def test_every_answer_has_an_id_of_its_own() -> None:
    first, second = [(await ask()).headers["x-request-id"] for _ in range(2)]
    assert OURS.fullmatch(first) and OURS.fullmatch(second) and first != second
    for path in ("/nowhere", "/login", "/static/nothing.css"):
        assert OURS.fullmatch((await ask(path=path)).headers["x-request-id"])


@pytest.mark.parametrize("given", ["0123456789abcdef", "5F0C0000-aaaa-4bbb-8ccc-000000000001"])
async def test_a_well_formed_id_is_taken_over(given: str) -> None:
    assert (await ask({"x-request-id": given})).headers.get_list("x-request-id") == [given]


@pytest.mark.parametrize("given", ["short", "ada@example.org-0123456789", "Ada Alder 0123456789", "a" * 65, ""])
async def test_anything_else_is_not(given: str) -> None:
    assert OURS.fullmatch((await ask({"x-request-id": given})).headers["x-request-id"])


async def test_a_line_about_a_request_carries_its_id(
    written: io.StringIO, monkeypatch: pytest.MonkeyPatch  # noqa: F811
) -> None:
    cast = await make_cast()

    async def broken(*arguments: object) -> None:
        raise RuntimeError("it broke")

    monkeypatch.setattr("app.queries.alarms.list_deliveries", broken)
    async with await client_for(cast.admin) as client:
        answer = await client.get("/admin/alarms/settings")
    assert answer.status_code == 500
    lines = [json.loads(line) for line in written.getvalue().splitlines()]
    (failed,) = [line for line in lines if line["event"] == "request failed"]
    assert failed["request_id"] == answer.headers["x-request-id"]
