import asyncio
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app import database
from app.security import throttling
from app.security.throttling import SECOND_FACTOR, SIGN_IN, TooManyAttempts, admit, succeeded


async def fail(times: int, account: str = "ada@example.org", address: str = "203.0.113.7") -> None:
    """Failures long enough ago that only their number counts."""
    for _ in range(times):
        attempt = await admit(SIGN_IN, account=account, address=address)
        await database.execute("update sign_in_attempts set at = at - interval '10 minutes' where id = $1", attempt)


async def test_ten_failures_of_one_account_from_one_address_are_enough() -> None:
    await fail(10)
    with pytest.raises(TooManyAttempts) as refused:
        await admit(SIGN_IN, account="ADA@example.org", address="203.0.113.7")
    assert 290 <= int((refused.value.headers or {})["Retry-After"]) <= 300
    await admit(SIGN_IN, account="ada@example.org", address="203.0.113.8")
    await admit(SIGN_IN, account="ben@example.org", address="203.0.113.7")


async def test_old_failures_are_forgotten() -> None:
    await fail(10)
    await database.execute("update sign_in_attempts set at = at - interval '6 minutes'")
    await admit(SIGN_IN, account="ada@example.org", address="203.0.113.7")


async def test_a_refused_attempt_leaves_no_row_and_prolongs_nothing() -> None:
    await fail(10)
    for _ in range(3):
        with pytest.raises(TooManyAttempts):
            await admit(SIGN_IN, account="ada@example.org", address="203.0.113.7")
    assert await database.fetchval("select count(*) from sign_in_attempts") == 10


async def test_success_starts_the_count_anew_for_this_account_only() -> None:
    await fail(8)
    await succeeded(await _later(SIGN_IN, "ada@example.org", "203.0.113.7"))
    await fail(5)
    await admit(SIGN_IN, account="ada@example.org", address="203.0.113.7")


async def _later(rule: throttling.Rule, account: str, address: str) -> int:
    return await admit(rule, account=account, address=address)


async def test_a_hundred_failures_close_an_address_but_not_to_who_came_from_there_before() -> None:
    await succeeded(await admit(SIGN_IN, account="owner@example.org", address="203.0.113.7"))
    for number in range(20):
        await fail(5, account=f"victim{number}@example.org")
    with pytest.raises(TooManyAttempts):
        await admit(SIGN_IN, account="newcomer@example.org", address="203.0.113.7")
    await admit(SIGN_IN, account="owner@example.org", address="203.0.113.7")
    await admit(SIGN_IN, account="newcomer@example.org", address="203.0.113.8")


async def test_ones_own_success_does_not_reopen_an_address() -> None:
    for number in range(20):
        await fail(5, account=f"victim{number}@example.org")
    await database.execute(
        """insert into sign_in_attempts (at, subject, address, succeeded)
           values (now(), 'the attacker''s', '203.0.113.7', true)"""
    )
    with pytest.raises(TooManyAttempts):
        await admit(SIGN_IN, account="next.victim@example.org", address="203.0.113.7")


async def test_one_ipv6_network_is_one_address() -> None:
    for number in range(10):
        await fail(1, address=f"2001:db8:1:2::{number + 1:x}")
    with pytest.raises(TooManyAttempts):
        await admit(SIGN_IN, account="ada@example.org", address="2001:db8:1:2:ffff::1")
    await admit(SIGN_IN, account="ada@example.org", address="2001:db8:1:3::1")


async def test_codes_are_counted_wherever_they_come_from() -> None:
    for number in range(SECOND_FACTOR.per_account):
        await admit(SECOND_FACTOR, account="user-1", address=f"203.0.113.{number}")
    with pytest.raises(TooManyAttempts):
        await admit(SECOND_FACTOR, account="user-1", address="198.51.100.1")
    await admit(SECOND_FACTOR, account="user-2", address="198.51.100.1")


async def test_guesses_at_once_do_not_slip_through_together() -> None:
    results = await asyncio.gather(
        *(admit(SECOND_FACTOR, account="user-1", address="203.0.113.7") for _ in range(30)), return_exceptions=True
    )
    assert sum(isinstance(result, int) for result in results) <= SECOND_FACTOR.per_account


async def test_the_rows_hold_no_mailbox() -> None:
    await admit(SIGN_IN, account="ada@example.org", address="203.0.113.7")
    row = await database.fetchrow("select * from sign_in_attempts")
    assert row and "ada" not in str(dict(row)) and len(row["subject"]) == 64


ages = st.lists(st.floats(0, 900), max_size=120).map(sorted)


@given(ages, ages)
def test_the_wait_is_never_longer_than_the_window_and_ends(account: list[float], address: list[float]) -> None:
    wait = SIGN_IN.wait_seconds(account, address)
    assert 0 <= wait <= SIGN_IN.window_seconds
    later = [[age + wait for age in ages if age + wait < SIGN_IN.window_seconds] for ages in (account, address)]
    assert math.isclose(SIGN_IN.wait_seconds(*later), 0, abs_tol=1e-6)


@given(st.integers(0, 5))
def test_the_first_failures_cost_nothing(count: int) -> None:
    assert SIGN_IN.wait_seconds([0.0] * count, []) == 0


def test_each_further_failure_doubles_the_wait() -> None:
    assert [SIGN_IN.wait_seconds([0.0] * count, []) for count in (6, 7, 8, 9)] == [2, 4, 8, 16]
