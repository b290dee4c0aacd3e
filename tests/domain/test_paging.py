"""A cursor survives the address bar, and nothing else passes for one."""

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain import paging
from app.domain.paging import Cursor

TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=30)
VALUES = st.one_of(TEXTS, st.integers(-(2**31) + 1, 2**31 - 1), st.booleans())


@given(st.builds(Cursor, TEXTS, st.lists(VALUES, max_size=5).map(tuple), st.booleans()))
def test_a_cursor_comes_back_as_it_was(cursor: Cursor) -> None:
    assert paging.decode(cursor.encode()) == cursor


@given(st.text(max_size=60))
def test_any_text_is_a_cursor_or_none(text: str) -> None:
    assert paging.decode(text) is None or isinstance(paging.decode(text), Cursor)


@pytest.mark.parametrize(
    "content",
    [
        {}, [], ["rank+"], [1, False], ["rank+", 0, 1], ["rank+", False, 1.5], ["rank+", False, None],
        ["rank+", False, "\0"], ["rank+", False, "\ud800"], ["rank+", False, 2**31], ["rank+", False, [1]],
    ],
)
def test_wrong_content_is_no_cursor(content: object) -> None:
    assert paging.decode(base64.urlsafe_b64encode(json.dumps(content).encode()).decode()) is None


def test_a_long_text_is_not_even_read() -> None:
    assert paging.decode(Cursor("rank+", ("x" * 3000,)).encode()) is None


def test_deeply_nested_content_is_no_cursor() -> None:
    assert paging.decode(base64.urlsafe_b64encode(b"[" * 1400).decode()) is None
