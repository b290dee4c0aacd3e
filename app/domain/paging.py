"""Cursors: where a page ended, as an opaque text. A page begins after it (or, backwards, ends before it).

Where a list goes by name, a cursor holds the name of somebody. Addresses stay in histories and logs and stand on
projectors, so that the application seals what is in them; `seal_with` is how it says so.
"""

import base64
import binascii
import json
from dataclasses import dataclass
from typing import Protocol

LONGEST_CURSOR = 2000

Value = str | int | bool


class Seal(Protocol):
    """`open` raises ValueError for what it did not seal."""

    def seal(self, content: bytes) -> bytes: ...

    def open(self, sealed: bytes) -> bytes: ...


class Unsealed:
    def seal(self, content: bytes) -> bytes:
        return content

    def open(self, sealed: bytes) -> bytes:
        return sealed


_seals: list[Seal] = [Unsealed()]


def seal_with(seal: Seal) -> None:
    """From here on, for the whole process."""
    _seals[:] = [seal]


@dataclass(frozen=True, slots=True)
class Cursor:
    """`sort` names the order the values belong to; a cursor of another order is a bad one."""

    sort: str
    values: tuple[Value, ...]
    is_backwards: bool = False

    def encode(self) -> str:
        content = json.dumps([self.sort, self.is_backwards, *self.values], ensure_ascii=False, separators=(",", ":"))
        return base64.urlsafe_b64encode(_seals[-1].seal(content.encode())).decode().rstrip("=")


def decode(text: str) -> Cursor | None:
    """The cursor, or None for a text that is none."""
    if len(text) > LONGEST_CURSOR:
        return None
    try:
        sealed = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        content = json.loads(_seals[-1].open(sealed))
    except (binascii.Error, ValueError, RecursionError):
        return None
    match content:
        case [str() as sort, bool() as is_backwards, *values] if all(map(_is_value, values)):
            return Cursor(sort, tuple(values), is_backwards)
    return None


def _is_value(value: object) -> bool:
    """Something that PostgreSQL takes as a parameter."""
    if isinstance(value, str):
        return "\0" not in value and not any("\ud800" <= letter <= "\udfff" for letter in value)
    return isinstance(value, int) and abs(value) < 2**31
