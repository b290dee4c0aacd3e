"""The bars that a month of points makes."""

from app.domain import sparklines


def test_a_silent_month_is_empty() -> None:
    assert sparklines.bars((0,) * 30) == ""


def test_the_best_day_touches_the_top_and_the_least_is_still_seen() -> None:
    values = tuple({10: 200, 11: 100, 29: 1}.get(day, 0) for day in range(30))
    assert sparklines.bars(values) == "M10 9V0M11 9V5M29 9V8"
