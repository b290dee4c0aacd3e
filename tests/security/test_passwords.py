import asyncio
import time

import pytest

from app.security import passwords
from app.security.passwords import WeakPassword, check_strength

OWN = ("ada.alder@example.org", "Ada", "Alder", "Ada Alder")


@pytest.mark.parametrize(
    "password",
    [
        "", "short", "eleven char", "password1234", "PassWord1234", "aaaaaaaaaaaaaaaa", "abababababababab",
        "ada.alder@example.org", "Ada.Alder@Example.org1", "AdaAlder2026!", "alder-alder-alder", "x" * 1025,
    ],
)
def test_what_is_tried_first_is_refused(password: str) -> None:
    with pytest.raises(WeakPassword):
        check_strength(password, own_words=OWN)


@pytest.mark.parametrize(
    "password",
    ["seventeen green kites", "tr0ub4dor&3-zebra", "мой длинный пароль", "ada likes seventeen kites", "x1!yz" * 200],
)
def test_a_sentence_is_taken(password: str) -> None:
    check_strength(password, own_words=OWN)


def test_empty_and_short_names_forbid_nothing() -> None:
    check_strength("seventeen green kites", own_words=("", "e", "Li"))


async def test_a_hash_knows_its_password_only() -> None:
    stored = await passwords.hash_password("seventeen green kites")
    assert stored.startswith("$argon2id$") and "kites" not in stored
    assert await passwords.verify(stored, "seventeen green kites")
    assert not await passwords.verify(stored, "seventeen green kite")
    assert not await passwords.verify(stored, "")


async def test_two_hashes_of_one_password_differ() -> None:
    assert await passwords.hash_password("same password here") != await passwords.hash_password("same password here")


async def test_the_same_letters_from_another_keyboard_match() -> None:
    stored = await passwords.hash_password("Ma\N{LATIN SMALL LETTER N WITH TILDE}ana por la noche")
    assert await passwords.verify(stored, "Man\N{COMBINING TILDE}ana por la noche")


@pytest.mark.parametrize("stored", [None, "", "not a hash", "$argon2id$v=19$broken"])
async def test_without_a_usable_hash_nothing_matches(stored: str | None) -> None:
    assert not await passwords.verify(stored, "nobody has this password")


async def test_odd_text_is_a_wrong_password_and_no_error() -> None:
    assert not await passwords.verify(None, "\ud800\0 lone surrogate and NUL")


async def test_hashing_does_not_stop_the_loop() -> None:
    longest = 0.0

    async def watch() -> None:
        nonlocal longest
        while True:
            started = time.perf_counter()
            await asyncio.sleep(0.001)
            longest = max(longest, time.perf_counter() - started)

    watcher = asyncio.create_task(watch())
    started = time.perf_counter()
    await asyncio.gather(*(passwords.hash_password(f"password number {number}") for number in range(8)))
    total = time.perf_counter() - started
    watcher.cancel()
    assert longest < total / 2
