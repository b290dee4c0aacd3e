"""Cursors: where a page ended, as an opaque text. A page begins after it (or, backwards, ends before it)."""

import base64
import binascii
import json
from dataclasses import dataclass

LONGEST_CURSOR = 2000


@dataclass(frozen=True, slots=True)
class Cursor:
    """`sort` names the order the values belong to; a cursor of another order is a bad one."""

    sort: str
    values: tuple[str, ...]
    backwards: bool = False

    def encode(self) -> str:
        content = json.dumps([self.sort, int(self.backwards), *self.values], ensure_ascii=False, separators=(",", ":"))
        return base64.urlsafe_b64encode(content.encode()).decode().rstrip("=")


def decode(text: str) -> Cursor | None:
    """The cursor, or None for a text that is none."""
    if len(text) > LONGEST_CURSOR:
        return None
    try:
        content = json.loads(base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True))
    except (binascii.Error, ValueError, RecursionError):
        return None
    if not isinstance(content, list) or len(content) < 3:
        return None
    sort, backwards, *values = content
    if backwards not in (0, 1) or not all(isinstance(value, str) and "\0" not in value for value in (sort, *values)):
        return None
    return Cursor(sort, tuple(values), bool(backwards))
