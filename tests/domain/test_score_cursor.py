from datetime import UTC, datetime, timedelta

from app.domain.score_cursor import LOOK_BACK_SECONDS, advanced, ask_after, from_unix, recount

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
LATER = NOON + timedelta(minutes=5)


def test_the_first_question_asks_for_everything() -> None:
    assert ask_after(None, NOON) is None


def test_the_next_question_starts_before_the_cursor() -> None:
    assert ask_after(NOON, LATER) == int(NOON.timestamp()) - LOOK_BACK_SECONDS


def test_the_cursor_is_the_newest_stored_timestamp_and_never_goes_back() -> None:
    assert advanced(None, [], LATER) is None
    assert advanced(None, [LATER, NOON], LATER) == LATER
    assert advanced(NOON, [LATER], LATER) == LATER
    assert advanced(LATER, [NOON], LATER) == LATER
    assert advanced(LATER, [], LATER) == LATER


def test_a_time_from_the_future_moves_no_cursor_and_is_asked_from_no_more() -> None:
    tomorrow = NOON + timedelta(hours=20)
    assert advanced(NOON, [LATER, tomorrow], LATER) == LATER
    assert advanced(NOON, [LATER + timedelta(minutes=9)], LATER) == LATER + timedelta(minutes=9)
    assert ask_after(tomorrow, LATER) is None


def test_counts_that_agree_forget_an_old_disagreement() -> None:
    assert recount(stored=5, total=5, recounted_total=4, was_full=False) == (False, None)


def test_a_new_disagreement_earns_one_full_read() -> None:
    assert recount(stored=4, total=5, recounted_total=None, was_full=False) == (True, None)
    assert recount(stored=4, total=5, recounted_total=None, was_full=True) == (False, 5)
    assert recount(stored=4, total=5, recounted_total=5, was_full=False) == (False, 5)
    assert recount(stored=5, total=6, recounted_total=5, was_full=False) == (True, 5)


def test_vendor_seconds_are_utc() -> None:
    assert from_unix(int(NOON.timestamp())) == NOON
