"""Passwords: which ones are refused, and argon2 in threads of its own, so that no request waits for another's hash."""

import asyncio
import functools
import unicodedata
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

MIN_PASSWORD_CHARACTERS = 12
MAX_PASSWORD_CHARACTERS = 1024
MIN_CHARACTERS_BESIDE_OWN_NAME = 6
MIN_DISTINCT_CHARACTERS = 5
MIN_NAME_CHARACTERS = 3
HASHING_THREADS = 4

COMMON = frozenset({
    "123456789012", "1234567890123", "0123456789ab", "012345678910", "abcdefghijkl", "abcdefghijklm", "administrator",
    "qwertyuiop12", "qwertyuiop123", "qwertyuiopas", "qwertyuiopasdfghjkl", "1q2w3e4r5t6y", "1qaz2wsx3edc",
    "zaq12wsxcde3", "password1234", "password12345", "password123456", "password2025", "password2026",
    "passwordpassword", "mypassword123", "p@ssw0rd1234", "passw0rd1234", "letmeinletmein", "letmein12345",
    "iloveyou1234", "iloveyouforever", "welcome12345", "welcome123456", "changeme1234", "changemechangeme",
    "correcthorsebatterystaple", "sunshine1234", "football1234", "baseball1234", "princess1234", "superman1234",
    "trustno1trustno1",
})

T = TypeVar("T")

_hasher = PasswordHasher()
_threads = ThreadPoolExecutor(HASHING_THREADS, thread_name_prefix="password")


class WeakPassword(Exception):
    """The text says to the person what to choose instead."""


def check_strength(password: str, *, own_words: Iterable[str] = ()) -> None:
    """Raises WeakPassword. `own_words`: the person's e-mail and names, which a guesser would try first."""
    if len(password) < MIN_PASSWORD_CHARACTERS:
        raise WeakPassword(f"Use at least {MIN_PASSWORD_CHARACTERS} characters.")
    if len(password) > MAX_PASSWORD_CHARACTERS:
        raise WeakPassword(f"Use at most {MAX_PASSWORD_CHARACTERS} characters.")
    folded = _normal(password).casefold()
    if folded in COMMON or len(set(folded)) < MIN_DISTINCT_CHARACTERS:
        raise WeakPassword("This password is one of those that are tried first. Choose another.")
    if len(_without(folded, own_words)) < MIN_CHARACTERS_BESIDE_OWN_NAME:
        raise WeakPassword("This password is mostly your own name or e-mail. Choose another.")


async def hash_password(password: str) -> str:
    return await _in_thread(lambda: _hash(_normal(password)))


async def verify(password_hash: str | None, password: str) -> bool:
    """Takes as long for nobody's password as for somebody's wrong one."""
    return await _in_thread(lambda: _verify(password_hash, _normal(password[:MAX_PASSWORD_CHARACTERS])))


def needs_rehash(password_hash: str) -> bool:
    """Whether it was made with weaker parameters than today's."""
    return _hasher.check_needs_rehash(password_hash)


async def _in_thread(function: Callable[[], T]) -> T:
    return await asyncio.get_running_loop().run_in_executor(_threads, function)


def _normal(password: str) -> str:
    """The same letters from every keyboard."""
    return unicodedata.normalize("NFKC", password)


def _without(folded: str, own_words: Iterable[str]) -> str:
    words = {part for word in own_words for part in (word.casefold(), *word.casefold().replace("@", " ").split())}
    for word in sorted(words, key=len, reverse=True):
        if len(word) >= MIN_NAME_CHARACTERS:
            folded = folded.replace(word, "")
    return folded


def _hash(password: str) -> str:
    return _hasher.hash(password.encode("utf-8", "surrogatepass"))


def _verify(password_hash: str | None, password: str) -> bool:
    try:
        matches = _hasher.verify(password_hash or _nobodys_hash(), password.encode("utf-8", "surrogatepass"))
    except (VerificationError, InvalidHashError):
        return False
    return matches and bool(password_hash)


@functools.cache
def _nobodys_hash() -> str:
    return _hash("nobody has this password")
