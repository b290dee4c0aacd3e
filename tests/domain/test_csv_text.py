"""What a spreadsheet makes of our cells."""

import csv
import io
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain import csv_text


@pytest.mark.parametrize(
    "start", ["=", "+", "-", "@", "\t", "\r", "\n", "  =", " @", "\u00a0=", "\uff1d", "\uff0b", "\uff0d", "\uff20"]
)
def test_a_text_that_looks_like_a_formula_is_only_a_text(start: str) -> None:
    assert csv_text.cell(f"{start}cmd|'/c calc'!A0").startswith("'")


def test_numbers_stay_numbers_and_times_name_their_zone() -> None:
    assert csv_text.cell(-50) == "-50"
    assert csv_text.cell(datetime(2026, 11, 21, 14, 5, tzinfo=UTC)) == "2026-11-21T14:05:00+00:00"
    assert csv_text.cell(None) == ""


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20), min_size=1))
def test_every_cell_can_be_read_back(cells: list[str]) -> None:
    read = next(csv.reader(io.StringIO(csv_text.lines([cells]), newline="")), [])
    assert [cell.removeprefix("'") for cell in read] == [cell.removeprefix("'") for cell in cells]
