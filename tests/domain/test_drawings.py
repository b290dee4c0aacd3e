"""Drawings: numbers become coordinates that stay inside of the picture."""

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from app.domain import drawings


def test_a_radar_begins_at_the_top_and_goes_clockwise() -> None:
    assert drawings.radar([1, 0.5, 0, 1]) == "0.0,-80.0 40.0,-0.0 0.0,0.0 -80.0,0.0"


@given(st.lists(st.floats(allow_nan=False), min_size=1, max_size=20))
def test_no_share_leaves_the_radar(shares: list[float]) -> None:
    for point in drawings.radar(shares).split():
        x, y = map(float, point.split(","))
        assert x * x + y * y <= 81 ** 2


def test_a_heatmap_has_a_column_for_every_week_and_fills_its_best_day() -> None:
    cells = drawings.heatmap([(date(2026, 11, 3), 1), (date(2026, 11, 2), 0), (date(2026, 11, 9), 8)])
    assert [(cell.column, cell.row, cell.level) for cell in cells] == [(0, 0, 0), (0, 1, 1), (1, 0, 4)]


def test_a_heatmap_of_no_days_is_empty() -> None:
    assert drawings.heatmap([]) == ()


@given(st.lists(st.integers(0, 10**6), min_size=1, max_size=50))
def test_a_line_stays_inside_its_box(values: list[int]) -> None:
    for point in drawings.line(values, max(values)).split():
        x, y = map(float, point.split(","))
        assert 0 <= x <= drawings.LINE_WIDTH
        assert 0 <= y <= drawings.LINE_HEIGHT


def test_a_share_of_nothing_is_nothing() -> None:
    assert drawings.percent(3, 0) == 0
    assert drawings.percent(1, 4) == 25
