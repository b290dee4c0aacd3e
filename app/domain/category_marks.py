"""How a category is told at a glance: two letters and a colour, the same on every page."""

from dataclasses import dataclass

from app.domain.categories import CATEGORIES


@dataclass(frozen=True, slots=True)
class Mark:
    """`colour_class` sets --mark, whose values for both themes are in tokens.css."""

    letters: str
    colour_class: str


LETTERS = ("CR", "RC", "FO", "OI", "SO", "WE", "OS", "RE", "BI", "MI", "OT")

MARKS = {
    category: Mark(letters, f"mark-{place}")
    for place, (category, letters) in enumerate(zip(CATEGORIES, LETTERS, strict=True), 1)
}


def mark_of(category: str) -> Mark:
    """A category that we do not know has the first letters of its own name, in the colour of the others."""
    return MARKS.get(category) or Mark(category[:2].upper(), MARKS["Other"].colour_class)
