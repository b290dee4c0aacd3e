"""The trend of somebody's Flash CTFs."""

from datetime import UTC, datetime

from app.domain.flash_record import Entry, with_trend


def entry(month: int, rank: int | None, *, has_entered: bool = True, is_over: bool = True, points: int = 50) -> Entry:
    started_at, solved = datetime(2026, month, 3, tzinfo=UTC), 2 if has_entered else 0
    return Entry(f"e{month}", f"Flash {month}", started_at, is_over, has_entered, solved, points, 200, rank)


def test_each_is_compared_with_the_one_entered_before() -> None:
    record = (entry(5, 12), entry(4, None, has_entered=False), entry(3, 20), entry(2, None), entry(1, 15))
    assert [placed.places_up for placed in with_trend(record)] == [8, None, -5, None, None]


def test_a_share_of_nothing_is_nothing() -> None:
    assert entry(1, 1).percent == 25
    assert Entry("e", "Flash", datetime(2026, 1, 1, tzinfo=UTC), True, True, 0, 0, 0, None).percent == 0


def test_only_one_that_is_over_can_be_missed() -> None:
    assert entry(1, None, has_entered=False).is_missed
    assert not entry(1, None, has_entered=False, is_over=False).is_missed and not entry(1, 4).is_missed
    assert Entry("e", "Flash", datetime(2026, 1, 1, tzinfo=UTC), True, True, 0, 0, 100, 9).is_missed
