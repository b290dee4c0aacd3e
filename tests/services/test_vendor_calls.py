"""Limiter, breaker and ledger: what every process of an installation shares about one vendor."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Awaitable
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import httpx
import pytest

from app import database
from app.integrations.http import ErrorKind, VendorError
from app.jobs.clients import open_game_platform
from app.queries.vendor_calls import breaker_states, calls_per_minute
from app.services.vendor_calls import VendorBreaker, VendorLedger, VendorLimiter, token_key
from app.settings import Settings
from tests.integrations.wire import answer

VENDOR = "example"
OUTAGE = VendorError(ErrorKind.UNAVAILABLE, "no connection")

BUSIEST_MINUTE = """
select max(calls) from (
    select count(*) over (partition by token_key order by started_at
                          range between current row and interval '59.999999 seconds' following) as calls
    from vendor_calls
) windows
"""


def limiter(per_minute: int, *, token: str = "a-token") -> VendorLimiter:
    return VendorLimiter(vendor=VENDOR, token=token, per_minute=per_minute, run_id=None)


async def age_breaker(seconds: int) -> None:
    """As if so much time had passed since the vendor's last trouble."""
    await database.execute(
        "update vendor_breakers set retry_at = retry_at - make_interval(secs => $1)", float(seconds)
    )


async def opened() -> VendorBreaker:
    breaker = VendorBreaker(vendor=VENDOR)
    for _ in range(5):
        await breaker.failed(OUTAGE)
    return breaker


async def refusal(attempt: Awaitable[object]) -> VendorError:
    with pytest.raises(VendorError) as caught:
        await attempt
    return caught.value


# limiter


@pytest.mark.parametrize("per_minute", [1, 2, 19, 20, 80, 600])
async def test_no_60_seconds_hold_more_calls_than_the_limit(per_minute: int) -> None:
    queue = limiter(per_minute)
    await asyncio.gather(*(queue.reserve("k", patience_seconds=1e6) for _ in range(min(per_minute * 3, 700))))
    busiest = await database.fetchval(BUSIEST_MINUTE)
    assert max(1, per_minute - 2) <= busiest <= per_minute


async def test_a_first_burst_leaves_at_once_and_the_rest_evenly() -> None:
    queue = limiter(600)
    waits = [(await queue.reserve("k", patience_seconds=60)).wait_seconds for _ in range(40)]
    assert max(waits[:30]) == 0
    assert waits[39] == pytest.approx(10 * 60 / 570, abs=0.3)


RESERVE_MANY = """
import asyncio, os
from app import database
from app.services.vendor_calls import VendorLimiter

async def main():
    await database.open_pool(os.environ["DATABASE_URL"], max_size=4)
    queue = VendorLimiter(vendor="example", token="a-token", per_minute=120, run_id=None)
    await asyncio.gather(*(queue.reserve("k", patience_seconds=1e6) for _ in range(150)))
    await database.close_pool()

asyncio.run(main())
"""


async def test_processes_share_one_queue_per_token() -> None:
    def run() -> "subprocess.Popen[bytes]":
        return subprocess.Popen([sys.executable, "-c", RESERVE_MANY], env=os.environ)

    processes = [run(), run()]
    codes = await asyncio.gather(*(asyncio.to_thread(process.wait, 60) for process in processes))
    assert codes == [0, 0]
    assert await database.fetchval("select count(*) from vendor_calls") == 300
    assert 100 < await database.fetchval(BUSIEST_MINUTE) <= 120


async def test_another_token_has_its_own_queue() -> None:
    await limiter(1).reserve("k", patience_seconds=60)
    assert (await limiter(1, token="another").reserve("k", patience_seconds=60)).wait_seconds == 0


async def test_a_wait_beyond_patience_takes_no_place() -> None:
    queue = limiter(1)
    await queue.reserve("k", patience_seconds=10)
    turn = await queue.reserve("k", patience_seconds=10)
    assert turn.call_id is None and turn.wait_seconds == pytest.approx(60, abs=1)
    assert await database.fetchval("select count(*) from vendor_calls") == 1


async def test_the_token_itself_is_not_stored() -> None:
    await limiter(60, token="a-secret-token").reserve("k", patience_seconds=10)
    stored = await database.fetchval("select token_key from vendor_calls")
    assert stored == token_key(VENDOR, "a-secret-token") and len(stored) == 16 and "secret" not in stored


# breaker


async def test_a_healthy_vendor_costs_no_write() -> None:
    breaker = VendorBreaker(vendor=VENDOR)
    for _ in range(10):
        assert await breaker.allow() == 0
        await breaker.succeeded()
    assert await breaker_states() == ()


async def test_it_opens_after_five_outages_in_a_row_and_says_since_when() -> None:
    breaker = VendorBreaker(vendor=VENDOR)
    for _ in range(4):
        await breaker.failed(OUTAGE)
        assert await breaker.allow() == 0
    await breaker.failed(OUTAGE)
    error = await refusal(breaker.allow())
    assert error.kind is ErrorKind.UNAVAILABLE and error.permanent
    assert error.message.startswith(f"not asked since {datetime.now(UTC):%Y-%m-%d}")
    assert error.message.endswith("no connection") and 55 < (error.retry_after_seconds or 0) <= 60
    [state] = await breaker_states()
    assert (state.is_open, state.consecutive_failures, state.reason) == (True, 5, "unavailable")


async def test_an_answer_in_between_starts_the_count_again() -> None:
    breaker = VendorBreaker(vendor=VENDOR)
    for _ in range(4):
        await breaker.failed(OUTAGE)
    await breaker.succeeded()
    await breaker.failed(OUTAGE)
    assert await breaker.allow() == 0
    [state] = await breaker_states()
    assert state.consecutive_failures == 1


async def test_other_processes_leave_the_vendor_alone_too() -> None:
    await opened()
    assert (await refusal(VendorBreaker(vendor=VENDOR).allow())).kind is ErrorKind.UNAVAILABLE
    assert await VendorBreaker(vendor="another").allow() == 0


async def test_one_probe_a_minute_of_all_processes() -> None:
    await opened()
    await age_breaker(61)
    breakers = [VendorBreaker(vendor=VENDOR) for _ in range(20)]
    outcomes = await asyncio.gather(*(breaker.allow() for breaker in breakers), return_exceptions=True)
    assert [outcome for outcome in outcomes if outcome == 0.0] == [0.0]
    assert sum(isinstance(outcome, VendorError) for outcome in outcomes) == 19
    await age_breaker(61)
    assert await VendorBreaker(vendor=VENDOR).allow() == 0


async def test_a_probe_that_succeeds_closes_it_and_one_that_fails_does_not() -> None:
    await opened()
    await age_breaker(61)
    prober = VendorBreaker(vendor=VENDOR)
    await prober.allow()
    await prober.failed(OUTAGE)
    await refusal(prober.allow())
    await age_breaker(61)
    next_prober = VendorBreaker(vendor=VENDOR)
    await next_prober.allow()
    await next_prober.succeeded()
    assert await next_prober.allow() == 0 and await VendorBreaker(vendor=VENDOR).allow() == 0
    [state] = await breaker_states()
    assert (state.is_open, state.failing_since, state.message) == (False, None, "")


async def test_an_answer_that_left_before_the_trouble_closes_nothing() -> None:
    await opened()
    await VendorBreaker(vendor=VENDOR).succeeded()
    assert (await breaker_states())[0].is_open


async def test_a_refused_token_opens_it_at_once() -> None:
    breaker = VendorBreaker(vendor=VENDOR)
    await breaker.failed(VendorError(ErrorKind.UNAUTHORIZED, "Invalid token", status=401))
    error = await refusal(breaker.allow())
    assert error.kind is ErrorKind.UNAUTHORIZED and error.message.endswith("Invalid token")
    await age_breaker(61)
    assert await VendorBreaker(vendor=VENDOR).allow() == 0


async def test_a_pause_the_vendor_asked_for_holds_for_everybody_and_nothing_shortens_it() -> None:
    breaker = VendorBreaker(vendor=VENDOR)
    await breaker.failed(VendorError(ErrorKind.RATE_LIMITED, "slow down", retry_after_seconds=30))
    await breaker.failed(VendorError(ErrorKind.RATE_LIMITED, "slow down", retry_after_seconds=2))
    await breaker.succeeded()
    for process in (breaker, VendorBreaker(vendor=VENDOR)):
        assert await process.allow() == pytest.approx(30, abs=1)
    await age_breaker(31)
    later = VendorBreaker(vendor=VENDOR)
    assert await later.allow() == 0
    await later.succeeded()
    assert (await breaker_states())[0].retry_at is None


async def test_a_vendor_that_is_up_again_but_busy_closes_it() -> None:
    await opened()
    await age_breaker(61)
    prober = VendorBreaker(vendor=VENDOR)
    await prober.allow()
    await prober.failed(VendorError(ErrorKind.RATE_LIMITED, "slow down", retry_after_seconds=2))
    assert await prober.allow() == pytest.approx(2, abs=1)


# together, as jobs use them


def platform_settings() -> Settings:
    return Settings.model_validate({"game_platform_api_token": "a-token"})


async def test_a_call_leaves_one_line_in_the_ledger() -> None:
    run_id = uuid4()
    transport = httpx.MockTransport(lambda _: answer(200, {"about": "here"}))
    async with open_game_platform(platform_settings(), run_id=run_id, transport=transport) as client:
        await client.index()
    [row] = await database.fetch("select vendor, kind, run_id, status, outcome, bytes_received from vendor_calls")
    assert tuple(row.values()) == ("game_platform", "index", run_id, 200, "ok", 17)
    [minute] = await calls_per_minute(since=datetime.now(UTC) - timedelta(minutes=5))
    assert (minute.vendor, minute.kind, minute.calls, minute.failed) == ("game_platform", "index", 1, 0)


async def test_calls_are_counted_per_vendor_minute_and_kind() -> None:
    ledger = VendorLedger()
    for kind, outcome in (("a", "ok"), ("a", "unavailable"), ("b", "ok")):
        turn = await limiter(600).reserve(kind, patience_seconds=5)
        assert turn.call_id
        await ledger.finish(turn.call_id, status=200, outcome=outcome, duration_seconds=0.2, bytes_received=9)
    await limiter(600).reserve("b", patience_seconds=5)
    minutes = await calls_per_minute(since=datetime.now(UTC) - timedelta(minutes=5), vendor=VENDOR)
    counted = dict.fromkeys("ab", (0, 0))
    for minute in minutes:
        calls, failed = counted[minute.kind]
        counted[minute.kind] = (calls + minute.calls, failed + minute.failed)
        assert minute.average_milliseconds == 200
    assert counted == {"a": (2, 1), "b": (2, 0)}
    assert await calls_per_minute(since=datetime.now(UTC), vendor="another") == ()


async def test_a_revoked_token_in_the_middle_of_a_run_stops_the_calls() -> None:
    transport = httpx.MockTransport(lambda _: answer(401, {"detail": "Invalid token"}))
    async with open_game_platform(platform_settings(), run_id=None, transport=transport) as client:
        for _ in range(50):
            assert (await refusal(client.odl_scores("somebody"))).kind is ErrorKind.UNAUTHORIZED
    assert await database.fetchval("select count(*) from vendor_calls") == 1


async def test_a_long_outage_costs_a_handful_of_calls() -> None:
    transport = httpx.MockTransport(lambda _: answer(502, b"<html>"))
    async with open_game_platform(platform_settings(), run_id=None, transport=transport) as client:
        for _ in range(30):
            assert (await refusal(client.odl_scores("somebody"))).kind is ErrorKind.UNAVAILABLE
    assert await database.fetchval("select count(*) from vendor_calls") == 5


async def test_without_a_token_nothing_is_opened() -> None:
    settings = Settings.model_validate({"game_platform_api_token": None})
    with pytest.raises(VendorError, match="GAME_PLATFORM_API_TOKEN is not set"):
        async with open_game_platform(settings, run_id=None):
            pass


async def test_a_vendor_call_inside_a_transaction_is_refused() -> None:
    transport = httpx.MockTransport(lambda _: answer(200, {}))
    async with open_game_platform(platform_settings(), run_id=None, transport=transport) as client:
        async with database.transaction():
            with pytest.raises(RuntimeError, match="inside a transaction"):
                await client.index()
            with pytest.raises(RuntimeError, match="inside a transaction"):
                await limiter(60).reserve("k", patience_seconds=1)
            with pytest.raises(RuntimeError, match="inside a transaction"):
                await VendorLedger().finish(1, status=200, outcome="ok", duration_seconds=0, bytes_received=0)
        assert await client.index() == {}
