"""Windows are whole days of the organization's zone."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from app.domain import windows

CHICAGO = ZoneInfo("America/Chicago")


def test_seven_days_are_today_and_the_six_before() -> None:
    window = windows.preset("7", date(2026, 11, 21), CHICAGO, 8)
    assert (window.first_day, window.last_day) == (date(2026, 11, 15), date(2026, 11, 21))
    assert window.starts_at.astimezone(UTC) == datetime(2026, 11, 15, 6, tzinfo=UTC)
    assert window.ends_at is None


@pytest.mark.parametrize(
    ("today", "start"),
    [
        (date(2026, 7, 31), date(2025, 8, 1)),
        (date(2026, 8, 1), date(2026, 8, 1)),
        (date(2027, 1, 5), date(2026, 8, 1)),
    ],
)
def test_the_school_year_starts_in_its_month(today: date, start: date) -> None:
    assert windows.preset("year", today, CHICAGO, 8).first_day == start


def test_a_window_over_the_change_of_clocks_starts_at_that_days_midnight() -> None:
    window = windows.preset("30", date(2026, 11, 21), CHICAGO, 8)
    assert window.starts_at.astimezone(UTC) == datetime(2026, 10, 23, 5, tzinfo=UTC)


def test_a_custom_window_ends_with_its_last_day() -> None:
    window = windows.custom(date(2026, 10, 1), date(2026, 10, 1), CHICAGO)
    assert window.ends_at is not None
    assert (window.ends_at - window.starts_at).total_seconds() == 86_400


def test_a_day_in_words_has_no_leading_zero() -> None:
    assert windows.in_words(date(2026, 8, 1)) == "1 Aug 2026"
