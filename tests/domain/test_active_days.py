"""Active days and streaks: weekends and breaks are nobody's fault, and a day counts once."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from app.domain.active_days import Break, active_days_between, is_active, streak

FRIDAY, SATURDAY, MONDAY = date(2026, 11, 20), date(2026, 11, 21), date(2026, 11, 23)
THANKSGIVING = Break(date(2026, 11, 25), date(2026, 11, 27), "Thanksgiving")
DAYS = st.dates(date(2026, 1, 1), date(2026, 12, 31))
BREAKS = st.lists(st.tuples(DAYS, DAYS).map(lambda days: Break(min(days), max(days))), max_size=3)


def days_before(today: date, *numbers: int) -> set[date]:
    return {today - timedelta(days=number) for number in numbers}


def test_from_friday_to_monday_it_is_one_active_day() -> None:
    assert active_days_between(FRIDAY, MONDAY) == 1
    assert active_days_between(FRIDAY, MONDAY, weekdays=range(7)) == 3


def test_a_break_has_no_active_days() -> None:
    assert active_days_between(date(2026, 11, 24), date(2026, 11, 29), [THANKSGIVING]) == 0
    assert active_days_between(date(2026, 11, 24), date(2026, 11, 30), [THANKSGIVING]) == 1


def test_no_days_lie_between_a_day_and_itself_or_an_earlier_one() -> None:
    assert active_days_between(MONDAY, MONDAY) == 0
    assert active_days_between(MONDAY, FRIDAY) == 0


@given(DAYS, DAYS, DAYS, BREAKS)
def test_active_days_add_up(one: date, two: date, three: date, breaks: list[Break]) -> None:
    first, middle, last = sorted((one, two, three))
    parts = active_days_between(first, middle, breaks) + active_days_between(middle, last, breaks)
    assert parts == active_days_between(first, last, breaks)


def test_a_streak_goes_over_a_weekend_and_counts_what_was_solved_on_it() -> None:
    assert streak({FRIDAY, MONDAY}, MONDAY) == 2
    assert streak({FRIDAY, SATURDAY, MONDAY}, MONDAY) == 3


def test_a_streak_goes_over_a_break() -> None:
    back = date(2026, 11, 30)
    assert streak({date(2026, 11, 24), back}, back, [THANKSGIVING]) == 2
    assert streak({date(2026, 11, 24), back}, back) == 1


def test_today_is_not_missed_before_it_is_over() -> None:
    assert streak({FRIDAY}, MONDAY) == 1
    assert streak({FRIDAY}, MONDAY + timedelta(days=1)) == 0


def test_nobody_has_a_streak_of_nothing() -> None:
    assert streak(set(), MONDAY) == 0
    assert streak({MONDAY + timedelta(days=1)}, MONDAY) == 0


@given(st.sets(DAYS), DAYS, BREAKS)
def test_a_streak_is_never_longer_than_the_days_solved_on(solved: set[date], today: date, breaks: list[Break]) -> None:
    assert 0 <= streak(solved, today, breaks) <= len(solved)


@given(st.sets(DAYS), DAYS, BREAKS)
def test_a_break_never_shortens_a_streak(solved: set[date], today: date, breaks: list[Break]) -> None:
    assert streak(solved, today, breaks) >= streak(solved, today)


@given(DAYS, BREAKS)
def test_a_day_is_active_by_its_weekday_and_the_breaks(day: date, breaks: list[Break]) -> None:
    assert is_active(day, breaks) == (day.weekday() < 5 and not any(day in each for each in breaks))
