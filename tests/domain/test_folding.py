"""Names are found whatever marks and cases they are written with."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain import folding


@pytest.mark.parametrize(
    ("written", "folded"),
    [
        ("José", "jose"), ("NÚÑEZ", "nunez"), ("Straße", "strasse"), ("İstanbul", "istanbul"), ("Ｆｕｌｌ", "full"),
        ("  two   words ", "two words"), ("Łukasz", "łukasz"), ("Ольга", "ольга"), ("ﬁn", "fin"), ("김민수", "김민수"),
    ],
)
def test_marks_and_case_do_not_count(written: str, folded: str) -> None:
    assert folding.fold(written) == folded


@given(st.text(max_size=40))
def test_folding_twice_changes_nothing_more(text: str) -> None:
    assert folding.fold(folding.fold(text)) == folding.fold(text)


@given(st.text(max_size=300))
def test_words_are_short_unique_and_never_empty(text: str) -> None:
    found = folding.words(text)
    assert len(set(found)) == len(found) <= folding.MOST_WORDS
    assert all(0 < len(word) <= folding.LONGEST_WORD and not set(word) & set(" '\\\0") for word in found)


def test_words_split_at_whatever_is_no_letter_or_digit() -> None:
    assert folding.words("Ana-María O'Brien", "h4ck_er") == ["ana", "maria", "o", "brien", "h4ck", "er"]


def test_a_name_sorts_by_its_folded_parts() -> None:
    assert folding.sort_key("Núñez", "", "José") == "nunez jose"
    assert len(folding.sort_key("x" * 500)) == folding.LONGEST_KEY
