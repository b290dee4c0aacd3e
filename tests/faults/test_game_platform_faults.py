"""The client against the real sandbox over a real wire, while the platform misbehaves in every way it knows."""

from collections.abc import Iterator
from uuid import uuid4

import httpx
import pytest

from app import database
from app.integrations.game_platform.client import GamePlatformClient
from app.integrations.game_platform.schemas import NewUser
from app.integrations.http import ErrorKind, VendorError
from app.jobs.clients import open_game_platform
from app.queries.vendor_calls import breaker_states
from app.settings import Settings
from tests.sandbox_server import TOKEN, SandboxHandle, start_sandbox

Rule = dict[str, object]
STUDENT = "student-1"
COACH = NewUser(first_name="Ada", last_name="Alder", email="ada@example.org", role="coach", syned_user_id="coach-1")


@pytest.fixture(scope="module")
def running() -> Iterator[SandboxHandle]:
    sandbox = start_sandbox(league=False)
    yield sandbox
    sandbox.stop()


@pytest.fixture
def sandbox(running: SandboxHandle) -> SandboxHandle:
    """A blank world with one student and three solves."""
    tell(running, "/reset", {})
    tell(running, "/users", {"syned_user_id": STUDENT})
    tell(running, "/solves", [{"syned_user_id": STUDENT} for _ in range(3)])
    return running


def tell(sandbox: SandboxHandle, path: str, body: object) -> None:
    httpx.post(sandbox.control_url + path, json=body, trust_env=False).raise_for_status()


def count(sandbox: SandboxHandle, what: str) -> int:
    return len(httpx.get(f"{sandbox.control_url}/{what}", trust_env=False).json())


def heal(sandbox: SandboxHandle) -> None:
    httpx.delete(sandbox.control_url + "/faults", trust_env=False).raise_for_status()


def settings_for(sandbox: SandboxHandle, *, token: str = TOKEN) -> Settings:
    return Settings.model_validate({"game_platform_base_url": sandbox.base_url, "game_platform_api_token": token})


async def refusal_of(client: GamePlatformClient) -> VendorError:
    with pytest.raises(VendorError) as caught:
        await client.odl_scores(STUDENT)
    return caught.value


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "rate_limited", "retry_after": 1}, {"kind": "rate_limited"},
        {"kind": "rate_limited", "retry_after": "soon"}, {"kind": "server_error", "status": 502}, {"kind": "reset"},
        {"kind": "malformed", "variant": "html"}, {"kind": "latency", "seconds": 0.5},
    ],
)
async def test_one_passing_fault_costs_a_read_nothing_but_time(sandbox: SandboxHandle, fault: Rule) -> None:
    tell(sandbox, "/faults", [fault | {"count": 1}])
    async with open_game_platform(settings_for(sandbox), run_id=uuid4()) as client:
        assert len((await client.odl_scores(STUDENT)).challenge_solves) == 3
    assert count(sandbox, "calls") == await database.fetchval("select count(*) from vendor_calls")


@pytest.mark.parametrize("variant", ["missing_field", "wrong_type", "far_future"])
async def test_a_poisoned_solve_is_put_aside_and_the_others_are_read(sandbox: SandboxHandle, variant: str) -> None:
    tell(sandbox, "/faults", [{"kind": "poison", "variant": variant}])
    async with open_game_platform(settings_for(sandbox), run_id=None) as client:
        scores = await client.odl_scores(STUDENT)
    assert len(scores.challenge_solves) == 3
    [rejected] = scores.rejected
    assert isinstance(rejected.raw, dict) and rejected.raw["challenge_solve_id"] == 999_999_001 and rejected.reason


async def test_a_solve_whose_title_holds_a_nul_can_be_stored(sandbox: SandboxHandle) -> None:
    tell(sandbox, "/faults", [{"kind": "poison", "variant": "nul"}])
    async with open_game_platform(settings_for(sandbox), run_id=None) as client:
        titles = [solve.challenge_title for solve in (await client.odl_scores(STUDENT)).challenge_solves]
    assert len(titles) == 4 and await database.fetchval("select 'Poisoned�Apple' = any($1::text[])", titles)


async def test_a_torn_answer_is_bad_shape(sandbox: SandboxHandle) -> None:
    tell(sandbox, "/faults", [{"kind": "malformed", "variant": "torn"}])
    async with open_game_platform(settings_for(sandbox), run_id=None) as client:
        assert (await refusal_of(client)).kind is ErrorKind.BAD_SHAPE


async def test_an_account_that_was_made_although_the_answer_was_lost_is_found_by_reading(
    sandbox: SandboxHandle,
) -> None:
    tell(sandbox, "/faults", [{"kind": "reset", "operation": "create_user", "after_effect": True}])
    async with open_game_platform(settings_for(sandbox), run_id=None) as client:
        with pytest.raises(VendorError) as caught:
            await client.create_user(COACH)
        assert caught.value.kind is ErrorKind.UNAVAILABLE and caught.value.ambiguous
        assert (await client.get_user("coach-1")).syned_user_id == "coach-1"
    assert count(sandbox, "effects") == 1


async def test_a_long_rate_limit_is_handed_back_and_holds_for_every_process(sandbox: SandboxHandle) -> None:
    tell(sandbox, "/faults", [{"kind": "rate_limited", "retry_after": 10**9}])
    for _ in range(2):
        async with open_game_platform(settings_for(sandbox), run_id=None) as client:
            error = await refusal_of(client)
        assert error.kind is ErrorKind.RATE_LIMITED and error.retry_after_seconds == pytest.approx(900, abs=5)
    assert count(sandbox, "calls") == 1


async def test_a_wrong_token_is_tried_once(sandbox: SandboxHandle) -> None:
    async with open_game_platform(settings_for(sandbox, token="revoked"), run_id=None) as client:
        for _ in range(10):
            assert (await refusal_of(client)).kind is ErrorKind.UNAUTHORIZED
    assert count(sandbox, "calls") == 1
    [state] = await breaker_states()
    assert state.is_open and state.reason == "unauthorized" and "revoked" not in state.message


async def test_a_platform_that_is_down_is_left_alone_and_comes_back_by_itself(sandbox: SandboxHandle) -> None:
    tell(sandbox, "/faults", [{"kind": "server_error"}])
    async with open_game_platform(settings_for(sandbox), run_id=None) as client:
        for _ in range(10):
            assert (await refusal_of(client)).kind is ErrorKind.UNAVAILABLE
    assert count(sandbox, "calls") == 5
    heal(sandbox)
    await database.execute("update vendor_breakers set retry_at = now()")
    async with open_game_platform(settings_for(sandbox), run_id=None) as client:
        assert len((await client.odl_scores(STUDENT)).challenge_solves) == 3
    assert not (await breaker_states())[0].is_open
