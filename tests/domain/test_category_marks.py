"""Marks: every category has its own letters and colour."""

from app.domain.categories import CATEGORIES
from app.domain.category_marks import MARKS, mark_of


def test_every_category_has_letters_and_a_colour_of_its_own() -> None:
    assert list(MARKS) == list(CATEGORIES)
    assert len({mark.letters for mark in MARKS.values()}) == len(CATEGORIES)
    assert len({mark.colour_class for mark in MARKS.values()}) == len(CATEGORIES)


def test_an_unknown_category_is_marked_by_its_own_name() -> None:
    assert mark_of("Quantum").letters == "QU"
    assert mark_of("Quantum").colour_class == MARKS["Other"].colour_class
