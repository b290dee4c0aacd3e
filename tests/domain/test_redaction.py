"""What may not be kept or logged."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.redaction import one_line, redact


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ada@example.org was refused", "[redacted] was refused"),
        ("GET /find?email=zoë.o'neil%40example.org&x=1", "GET /find?email=zoë.o'[redacted]&x=1"),
        ("Authorization: Bearer abc.DEF-1_2~3+/=", "Authorization: [redacted] [redacted]"),
        ("bearer sandbox-token refused", "bearer [redacted] refused"),
        ("token=abc&next=/", "token=[redacted]&next=/"),
        ('{"api_key": "abc", "x": 1}', '{"api_key": "[redacted]", "x": 1}'),
        ("postgresql://user:pass@host/db", "postgresql://[redacted]@host/db"),
        ("42 people, 3 teams at 10:15", "42 people, 3 teams at 10:15"),
        ("tokens are fine, and so is a@b", "tokens are fine, and so is a@b"),
    ],
)
def test_addresses_and_secrets_are_taken_out(text: str, expected: str) -> None:
    assert redact(text) == expected


@given(st.from_regex(r"[a-zA-Z0-9._+-]{1,20}@[a-z0-9-]{1,20}\.[a-z]{2,6}", fullmatch=True), st.text(max_size=20))
def test_no_address_survives_in_any_surroundings(address: str, around: str) -> None:
    assert address not in redact(f"{around} {address} {around}")


@given(st.text())
def test_one_line_stays_one_line_that_any_terminal_may_show(text: str) -> None:
    line = one_line(text)
    assert len(line.splitlines()) <= 1
    assert "\x1b" not in line and "\x00" not in line
    line.encode()
