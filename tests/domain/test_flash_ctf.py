from datetime import UTC, datetime, timedelta

from app.domain.flash_ctf import Event, ask_who_was_asked_before, event_id, is_open

START = datetime(2026, 3, 1, 17, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
EVENT = Event(START, START + 2 * HOUR)


def test_an_event_is_its_name_and_its_start() -> None:
    assert event_id(" January ", 7) == event_id("January", 7) != event_id("January", 8)


def test_at_rest_nobody_lacks_anything() -> None:
    assert ask_who_was_asked_before([], START) is None
    assert not is_open([], START)


def test_who_was_last_asked_before_an_event_began_is_asked() -> None:
    assert ask_who_was_asked_before([EVENT], START + HOUR) == START
    assert is_open([EVENT], START + HOUR)


def test_everybody_is_asked_once_more_a_day_after_the_last_solve() -> None:
    settles = START + 2 * HOUR + DAY
    assert ask_who_was_asked_before([EVENT], settles - HOUR) == START
    assert ask_who_was_asked_before([EVENT], settles) == settles
    assert not is_open([EVENT], settles)


def test_an_event_in_which_people_still_solve_stays_open() -> None:
    assert is_open([Event(START, START + 3 * DAY)], START + 3 * DAY + HOUR)


def test_an_event_that_begins_in_the_future_is_not_believed_yet() -> None:
    assert ask_who_was_asked_before([Event(START, None)], START - HOUR) is None
    assert not is_open([Event(START, None)], START - HOUR)
