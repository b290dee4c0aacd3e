"""The platform made to fail, seen over real HTTP."""

import asyncio
import json
import time
from typing import Any

import httpx
import pytest

from app.sandbox.faults import FAR_FUTURE, POISON_SOLVE_ID
from tests.sandbox_server import SandboxHandle

SCORES = "/scores/get_odl_scores"
COACH = {
    "first_name": "Cora", "last_name": "Coach", "email": "cora@example.com", "role": "coach", "syned_user_id": "coach-1"
}


class Director:
    """Tells the sandbox how to fail, and looks behind it."""

    def __init__(self, client: httpx.AsyncClient, control_url: str) -> None:
        self.client = client
        self.url = control_url

    async def fail(self, kind: str, **rule: object) -> None:
        answer = await self.client.post(f"{self.url}/faults", json=[{"kind": kind} | rule])
        assert answer.status_code == 201, answer.text

    async def told(self, what: str) -> Any:
        return (await self.client.get(f"{self.url}/{what}")).json()

    async def scores(self, user: str = "user-1", **more: str) -> httpx.Response:
        return await self.client.get(SCORES, params={"syned_user_id": user} | more)


@pytest.fixture
def director(blank: SandboxHandle, wire: httpx.AsyncClient) -> Director:
    return Director(wire, blank.control_url)


@pytest.mark.parametrize("retry_after", [None, 7, "Wed, 21 Oct 2026 07:28:00 GMT", "soon", -1])
async def test_rate_limited_with_or_without_a_retry_after(director: Director, retry_after: object) -> None:
    await director.fail("rate_limited", retry_after=retry_after)
    answer = await director.scores()
    assert answer.status_code == 429
    assert answer.json() == {"detail": "Too many requests"}
    assert answer.headers.get("retry-after") == (None if retry_after is None else str(retry_after))


async def test_a_server_error_has_the_status_that_was_asked_for(director: Director) -> None:
    await director.fail("server_error", status=502, count=1)
    assert (await director.scores()).status_code == 502
    assert (await director.scores()).status_code == 200


async def test_a_hang_outlasts_the_clients_patience(director: Director) -> None:
    await director.fail("hang", seconds=30)
    with pytest.raises(httpx.ReadTimeout):
        await director.client.get(SCORES, params={"syned_user_id": "user-1"}, timeout=0.2)


async def test_a_hang_ends_without_an_answer(director: Director) -> None:
    await director.fail("hang", seconds=0.2)
    started = time.monotonic()
    with pytest.raises(httpx.RemoteProtocolError):
        await director.scores()
    assert time.monotonic() - started >= 0.2


@pytest.mark.parametrize("after_effect", [False, True])
async def test_a_reset_cuts_the_answer_before_or_after_the_effect(director: Director, after_effect: bool) -> None:
    await director.fail("reset", operation="create_user", after_effect=after_effect, count=1)
    with pytest.raises(httpx.RemoteProtocolError):
        await director.client.post("/users", json=COACH)
    found = await director.client.get("/users", params={"syned_user_id": "coach-1"})
    assert found.status_code == (201 if after_effect else 404)
    assert len(await director.told("effects")) == after_effect


async def test_a_server_error_can_come_after_the_effect(director: Director) -> None:
    await director.fail("server_error", operation="create_user", after_effect=True, count=1)
    assert (await director.client.post("/users", json=COACH)).status_code == 503
    assert (await director.client.post("/users", json=COACH)).status_code == 409


async def test_malformed_is_torn_json_or_a_page(director: Director) -> None:
    await director.fail("malformed", count=1)
    torn = await director.scores()
    assert torn.status_code == 200
    with pytest.raises(json.JSONDecodeError):
        torn.json()
    await director.fail("malformed", variant="html", count=1)
    page = await director.scores()
    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")


@pytest.mark.parametrize("variant", [None, "missing_field", "wrong_type", "nul", "far_future"])
async def test_poison_is_one_bad_record_among_good_ones(director: Director, variant: str | None) -> None:
    good = (await director.scores()).json()
    await director.fail("poison", variant=variant)
    spoilt = (await director.scores()).json()
    (bad,) = [solve for solve in spoilt["challenge_solves"] if solve["challenge_solve_id"] == POISON_SOLVE_ID]
    spoilt["challenge_solves"].remove(bad)
    assert spoilt == good
    assert {
        None: "challenge_points" not in bad,
        "missing_field": "challenge_points" not in bad,
        "wrong_type": isinstance(bad["timestamp_unix"], str),
        "nul": "\x00" in bad["challenge_title"],
        "far_future": bad["timestamp_unix"] == FAR_FUTURE,
    }[variant]


async def test_poison_reaches_contests_assignments_and_users(director: Director) -> None:
    await director.client.post(
        f"{director.url}/solves", json={"syned_user_id": "user-1", "flash_ctf_name": "May Flash CTF"}
    )
    await director.fail("poison")
    user = {"syned_user_id": "user-1"}
    progress = (await director.client.get("/scores/get_flash_ctf_progress", params=user)).json()
    assert len(progress["flash_ctfs"][0]["challenge_solves"]) == 2
    assignments = (await director.client.get("/users/get_team_assignments")).json()
    assert assignments["assignments"] == [{"syned_team_id": 7}]
    assert "metactf_user_id" not in (await director.client.get("/users", params=user)).json()


async def test_latency_comes_on_top_of_another_fault(director: Director) -> None:
    await director.fail("latency", seconds=0.2)
    await director.fail("server_error", status=500)
    started = time.monotonic()
    assert (await director.scores()).status_code == 500
    assert time.monotonic() - started >= 0.2


async def test_latency_delays_calls_side_by_side(director: Director) -> None:
    await director.fail("latency", seconds=0.3)
    started = time.monotonic()
    answers = await asyncio.gather(*(director.scores() for _ in range(10)))
    assert {answer.status_code for answer in answers} == {200}
    assert time.monotonic() - started < 1.5


async def test_a_rule_is_for_its_operation_and_users_only(director: Director) -> None:
    await director.client.post(f"{director.url}/users", json={"syned_user_id": "user-2"})
    await director.fail("server_error", operation="odl_scores", users=["user-1"])
    assert (await director.scores("user-1")).status_code == 503
    assert (await director.scores("user-2")).status_code == 200
    assert (await director.client.get("/users", params={"syned_user_id": "user-1"})).status_code == 201


async def test_a_share_fails_some_and_a_count_ends(director: Director) -> None:
    await director.fail("server_error", share=0.5)
    statuses = [(await director.scores()).status_code for _ in range(60)]
    assert 10 < statuses.count(503) < 50
    await director.client.delete(f"{director.url}/faults")
    await director.fail("server_error", count=3)
    statuses = [(await director.scores()).status_code for _ in range(5)]
    assert statuses == [503, 503, 503, 200, 200]
    assert await director.told("faults") == []


async def test_every_call_is_logged_with_what_it_was_told(director: Director) -> None:
    await director.client.delete(f"{director.url}/calls")
    await director.scores(after_time_unix="123")
    await director.fail("reset", count=1)
    with pytest.raises(httpx.RemoteProtocolError):
        await director.client.post("/users", json=COACH)
    first, second = await director.told("calls")
    assert {name: first[name] for name in ("operation", "method", "syned_user_id", "after_time_unix", "status")} == {
        "operation": "odl_scores", "method": "GET", "syned_user_id": "user-1", "after_time_unix": "123", "status": 200,
    }
    assert first["path"].endswith(SCORES) and abs(first["at"] - time.time()) < 10
    assert (second["operation"], second["syned_user_id"], second["status"], second["fault"]) == (
        "create_user", "coach-1", None, "reset"
    )
