"""Bytes from a vendor into JSON that is safe to keep: bounded in size and depth, and storable in PostgreSQL."""

import json
import math
import re
import zlib
from typing import Any

import httpx

from app.integrations.errors import ErrorKind, VendorError
from app.integrations.records import RepeatsKey

MAX_DEPTH = 64
MAX_DIGITS = 18
MAX_WORDS = 300

ESCAPE = re.compile(r"\\(?:u[dD][89abAB]..\\u[dD][c-fC-F]..|(u0000|u[dD][89a-fA-F]..)|.)", re.DOTALL)
EMAIL = re.compile(r"[^\s@<>\"'(),;:]+@[^\s@<>\"'(),;:]+")


async def read_body(response: httpx.Response, *, max_bytes: int) -> bytes:
    """The decompressed body, read piece by piece: never much more than `max_bytes` is in memory at once."""
    if _declared_bytes(response) > max_bytes:
        raise _too_large(max_bytes)
    inflater = _inflater(response)
    body = bytearray()
    async for piece in response.aiter_raw():
        body += _inflate(inflater, piece, max_bytes + 1 - len(body)) if inflater else piece
        if len(body) > max_bytes:
            raise _too_large(max_bytes)
    if inflater and response.num_bytes_downloaded and not inflater.eof:
        raise httpx.RemoteProtocolError("the compressed body was cut off")
    return bytes(body)


def parse_json(body: bytes, content_type: str = "application/json") -> object:
    """The value, or None where the body is empty. A page instead of data is an outage, broken data is not."""
    if not body.strip():
        return None
    if is_page(body):
        raise VendorError(ErrorKind.UNAVAILABLE, "answered with a web page instead of data")
    try:
        return _shallow(_loads(body.decode(json.detect_encoding(body), errors="replace")))
    except (ValueError, RecursionError):
        kind = ErrorKind.BAD_SHAPE if "json" in content_type else ErrorKind.UNAVAILABLE
        raise VendorError(kind, "answered with something that is not JSON") from None


def is_page(body: bytes) -> bool:
    return body.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"<"


def vendor_words(body: object) -> str:
    """What an error's body says: a text, or FastAPI's list of problems as `field: message`."""
    if not isinstance(body, dict):
        return ""
    said = next((body[key] for key in ("detail", "message", "error") if body.get(key)), "")
    if isinstance(said, list):
        return "; ".join(filter(None, map(_problem, said)))
    return said if isinstance(said, str) else ""


def presentable(words: str, *, private: tuple[str, ...] = ()) -> str:
    """One short line that may be stored and logged: no e-mail address and nothing of what `private` names."""
    words = EMAIL.sub("…", words[: 4 * MAX_WORDS])
    for value in filter(None, private):
        words = re.sub(rf"(?<!\w){re.escape(value)}(?!\w)", "…", words, flags=re.IGNORECASE)
    line = " ".join("".join(letter if letter.isprintable() else " " for letter in words).split())
    return line if len(line) <= MAX_WORDS else line[: MAX_WORDS - 1] + "…"


def _problem(item: object) -> str:
    if not isinstance(item, dict):
        return item if isinstance(item, str) else ""
    location = item.get("loc")
    parts = [str(part) for part in location if part not in ("body", "query")] if isinstance(location, list) else []
    return ": ".join(filter(None, (".".join(parts), str(item.get("msg") or ""))))


def _declared_bytes(response: httpx.Response) -> int:
    declared = response.headers.get("content-length", "")
    return int(declared) if declared.isascii() and declared.isdigit() and len(declared) <= MAX_DIGITS else 0


def _inflater(response: httpx.Response) -> "zlib._Decompress | None":
    encoding = response.headers.get("content-encoding", "identity").strip().lower()
    if encoding in ("", "identity"):
        return None
    if encoding in ("gzip", "x-gzip", "deflate"):
        return zlib.decompressobj(wbits=zlib.MAX_WBITS | 32)
    raise VendorError(ErrorKind.BAD_SHAPE, "answered in a compression that was not asked for")


def _inflate(inflater: "zlib._Decompress", piece: bytes, room: int) -> bytes:
    try:
        return inflater.decompress(piece, room)
    except zlib.error:
        raise VendorError(ErrorKind.BAD_SHAPE, "answered with data that cannot be unpacked") from None


def _too_large(max_bytes: int) -> VendorError:
    return VendorError(ErrorKind.BAD_SHAPE, f"answered with more than {max_bytes // 1_000_000} MB")


def _loads(text: str) -> object:
    """NaN, Infinity and numbers past all use become text, which a number field then refuses for its one record."""
    text = ESCAPE.sub(_storable, text) if "\\u" in text else text
    rules: dict[str, Any] = {"parse_constant": str, "parse_float": _finite, "object_pairs_hook": _object}
    try:
        return json.loads(text, **rules)
    except json.JSONDecodeError:
        raise
    except ValueError:  # more digits than Python turns into a number; looking for them first would cost every body
        return json.loads(text, **rules, parse_int=_countable)


def _storable(escape: re.Match[str]) -> str:
    """PostgreSQL's jsonb holds neither NUL nor half of a surrogate pair."""
    return "\\ufffd" if escape[1] else escape[0]


def _finite(digits: str) -> float | str:
    number = float(digits)
    return number if math.isfinite(number) else digits


def _countable(digits: str) -> int | str:
    return int(digits) if len(digits) <= MAX_DIGITS else digits


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    value = dict(pairs)
    return value if len(value) == len(pairs) else RepeatsKey(value)


def _shallow(value: object) -> object:
    level: list[object] = [value]
    for _ in range(MAX_DEPTH):
        level = [child for node in level for child in _containers_in(node)]
        if not level:
            return value
    raise VendorError(ErrorKind.BAD_SHAPE, f"answered with data nested more than {MAX_DEPTH} levels deep")


def _containers_in(node: object) -> list[object]:
    children = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    return [child for child in children if isinstance(child, (dict, list))]
