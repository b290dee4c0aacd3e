"""Strong, developing and growth areas, and which of them comes next."""

import pytest

from app.domain import strengths
from app.domain.categories import CATEGORIES
from app.domain.strengths import Level, Strength


@pytest.mark.parametrize(("medium", "level"), [
    (0, Level.GROWTH), (1, Level.DEVELOPING), (2, Level.DEVELOPING), (3, Level.STRONG), (9, Level.STRONG),
])
def test_the_level_follows_from_the_solves_at_medium_or_above(medium: int, level: Level) -> None:
    assert Strength("OSINT", solves=20, points=9000, medium=medium).level is level


def test_every_category_is_there_and_unknown_ones_come_after() -> None:
    found = strengths.every_category({"Blockchain": Strength("Blockchain", 1), "OSINT": Strength("OSINT", 2)})
    assert [each.category for each in found] == [*CATEGORIES, "Blockchain"]
    assert [each.solves for each in found if each.solves] == [2, 1]


def test_the_strong_ones_come_with_the_strongest_first() -> None:
    found = (Strength("OSINT", 4, 400, 3), Strength("Social", 9, 900, 2), Strength("Forensics", 4, 500, 3))
    assert [each.category for each in strengths.strong(found)] == ["Forensics", "OSINT"]


def test_the_next_step_is_the_growth_area_that_is_nearest() -> None:
    begun = strengths.every_category({
        "Forensics": Strength("Forensics", 2, 100), "Social": Strength("Social", 3, 90), "Other": Strength("Other", 9),
    })
    assert (step := strengths.next_step(begun)) and step.category == "Social"
    assert (first := strengths.next_step(strengths.every_category({}))) and first.category == CATEGORIES[0]
    everywhere = strengths.every_category({name: Strength(name, 1, 1, 1) for name in CATEGORIES})
    assert strengths.next_step(everywhere) is None


def test_a_share_is_of_the_best_category_and_nothing_divides_by_zero() -> None:
    best, half, none = Strength("OSINT", 1, 300), Strength("Social", 1, 150), Strength("Forensics")
    assert [strengths.share(each, (best, half, none)) for each in (best, half, none)] == [1, 0.5, 0]
    assert strengths.share(none, (none,)) == 0
