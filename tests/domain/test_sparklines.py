"""The line that a month of points makes."""

from app.domain import sparklines


def test_a_silent_month_is_one_straight_line() -> None:
    assert sparklines.points((0,) * 30) == "0,22 87,22"


def test_the_best_day_touches_the_top_and_straight_stretches_have_no_points() -> None:
    values = tuple(200 if day == 10 else 0 for day in range(30))
    assert sparklines.points(values) == "0,22 27,22 30,2 33,22 87,22"
