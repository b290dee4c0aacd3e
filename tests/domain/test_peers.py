"""Comparisons with peers."""

import pytest

from app.domain.peers import Group, Measure


@pytest.mark.parametrize(("people", "behind", "percent"), [
    (5, 4, 100), (5, 0, 0), (5, 2, 50), (101, 33, 33), (1, 0, 0), (4, 2, 66),
])
def test_a_percentile_is_the_share_of_the_others_who_have_less(people: int, behind: int, percent: int) -> None:
    measure = Measure("Points", 10, 5.0, behind)
    group = Group("Firewall", people, (measure,))
    assert group.percentile(measure) == percent
    assert group.is_large_enough == (people >= 5)
