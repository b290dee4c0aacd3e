"""What may not be kept or logged: e-mail addresses and secrets inside texts, and characters that would forge a line."""

import re

REDACTED = "[redacted]"

_EMAIL = re.compile(r"[^\s@<>\"'()=,;:/?&]{1,64}@[^\s@<>\"'()=,;:/?&]{1,255}\.[^\W\d_]{2,24}")
_BEARER = re.compile(r"(?i)\b(bearer|basic)\s+[\w.~+/=-]+")
_NAMES_OF_VALUES = "api[_-]?key|token|secret|password|passwd|authorization|cookie"
_ASSIGNED = re.compile(rf"(?i)\b({_NAMES_OF_VALUES})([\"']?\s*[=:]\s*[\"']?)[^\s,;&\"']+")
_USER_INFO = re.compile(r"(?i)\b([a-z][a-z0-9+.-]*://)[^\s/@]+@")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def redact(text: str) -> str:
    """The text without e-mail addresses, credentials and the secrets of `name=value` pairs."""
    text = _USER_INFO.sub(rf"\1{REDACTED}@", text.replace("%40", "@"))
    text = _BEARER.sub(rf"\1 {REDACTED}", text)
    text = _ASSIGNED.sub(rf"\1\2{REDACTED}", text)
    return _EMAIL.sub(REDACTED, text)


def one_line(text: str) -> str:
    """The text with line ends, terminal sequences and direction marks written out, so that it stays one line."""
    return _CONTROL.sub(lambda match: match[0].encode("unicode_escape").decode("ascii"), text)
