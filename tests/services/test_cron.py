"""Expressions: what is refused and how, what they say in words, and when they come where clocks change."""

import time
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from app.services.cron import BadCron, in_words, next_slot, next_slots

BERLIN = ZoneInfo("Europe/Berlin")
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
NOW = datetime(2026, 11, 21, tzinfo=UTC)


@pytest.mark.parametrize(
    ("cron", "zone", "said"),
    [
        ("soon", "UTC", "'soon' should have five fields"),
        ("* * * * * *", "UTC", "should have five fields"),
        ("61 * * * *", "UTC", r"cannot be used \(Bad minute\)"),
        ("0 0 30 2 *", "UTC", "cannot be used"),
        ("* * * * *", "Mars/Olympus", "'Mars/Olympus' is not a time zone"),
        ("* * * * *", "../../etc/passwd", "is not a time zone"),
        ("", "UTC", "should have five fields"),
    ],
)
def test_a_bad_expression_is_refused_and_says_how_one_looks(cron: str, zone: str, said: str) -> None:
    with pytest.raises(BadCron, match=said):
        next_slot(cron, zone, datetime(2026, 11, 21, tzinfo=UTC))


@pytest.mark.parametrize(
    ("cron", "zone", "after", "expected"),
    [
        ("15 3 * * *", "UTC", "2026-11-21T03:15", "2026-11-22T03:15"),
        ("0 9 * * *", "Europe/Berlin", "2026-07-01T12:00", "2026-07-02T07:00"),
        ("0 9 * * *", "Europe/Berlin", "2026-12-01T12:00", "2026-12-02T08:00"),
        ("30 2 * * *", "Europe/Berlin", "2026-10-24T23:00", "2026-10-25T00:30"),
    ],
)
def test_the_next_slot_is_right_in_its_zone(cron: str, zone: str, after: str, expected: str) -> None:
    start = datetime.fromisoformat(after).replace(tzinfo=UTC)
    assert next_slot(cron, zone, start) == datetime.fromisoformat(expected).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    "cron",
    [
        "1--100000000 * * * *", "1-100000000 * * * *", "*/100000000 * * * *", "*/0 * * * *", "0 0 */30 2 1#5",
        "0-59," * 30 + "0 * * * *", "* " * 100_000, "@reboot", "@daily", "0 0 * * */7", "R * * * *", "\x00 * * * *",
        "٣ * * * *", "*\n* * * *", "99999999999999999999999 * * * *",
    ],
)
def test_an_expression_that_is_huge_or_never_comes_is_refused_at_once(cron: str) -> None:
    started = time.monotonic()
    with pytest.raises(BadCron) as refused:
        next_slots(cron, "UTC", NOW, 5)
    assert time.monotonic() - started < 0.2 and len(str(refused.value)) < 300
    assert in_words(cron) == cron


def test_one_that_comes_seldom_is_looked_for_within_bounds() -> None:
    started = time.monotonic()
    assert len(next_slots("0 0 29 2 0,1,2,3,4,5,6", "UTC", NOW, 5)) == 5
    assert len(next_slots("59 23 29 2 */6", "UTC", NOW, 5)) == 5
    assert time.monotonic() - started < 1


@pytest.mark.parametrize(("cron", "words"), [
    ("*/5 * * * *", "Every 5 minutes"),
    ("* * * * *", "Every minute"),
    ("0 * * * *", "Every hour"),
    ("15 3 * * *", "At 03:15, every day"),
    ("0 9 * * 1-5", "At 09:00, Monday through Friday"),
    ("0 0 1 * 1", "At 00:00, on day 1 of the month, or on Monday"),
    ("0 0 */2 * 1", "At 00:00, every 2 days, and only on Monday"),
    ("0 0 L * *", "At 00:00, on the last day of the month"),
    ("soon", "soon"),
])
def test_an_expression_is_said_in_plain_words(cron: str, words: str) -> None:
    assert in_words(cron) == words


@pytest.mark.parametrize("weekday", ["0", "1", "2", "3", "4", "5", "6", "7", "SUN", "MON", "SAT", "5L", "MON#2"])
def test_the_words_name_the_weekday_that_comes(weekday: str) -> None:
    slot = next_slot(f"0 12 * * {weekday}", "UTC", NOW)
    assert WEEKDAYS[slot.weekday()] in in_words(f"0 12 * * {weekday}")


def test_a_day_and_a_weekday_come_as_the_words_say() -> None:
    either = next_slots("0 0 1 * 1", "UTC", NOW, 20)
    assert {slot.day == 1 or slot.weekday() == 0 for slot in either} == {True}
    assert any(slot.weekday() != 0 for slot in either) and any(slot.day != 1 for slot in either)
    assert {slot.weekday() for slot in next_slots("0 0 */2 * 1", "UTC", NOW, 20)} == {0}


@pytest.mark.parametrize(("first", "last"), [("2026-03-26", "2026-04-02"), ("2026-10-22", "2026-10-29")])
def test_half_past_two_comes_once_a_day_where_clocks_change(first: str, last: str) -> None:
    """In spring the hour does not exist: it comes at its end. In autumn it comes in the first turn only."""
    moment, end = (datetime.fromisoformat(day).replace(tzinfo=BERLIN).astimezone(UTC) for day in (first, last))
    days = []
    while (moment := next_slot("30 2 * * *", "Europe/Berlin", moment)) < end:
        days.append(moment.astimezone(BERLIN).date())
    assert len(days) == 7 and {after - before for before, after in pairwise(days)} == {timedelta(days=1)}


@pytest.mark.parametrize(
    "cron", ["30 2 * * *", "*/5 * * * *", "0 * * * *", "15,45 2 * * *", "0 3 * * *", "0 */2 * * *"]
)
@pytest.mark.parametrize("day", ["2026-03-28T22:00", "2026-10-24T22:00"])
def test_whoever_looks_in_any_minute_of_the_change_gets_a_slot_ahead_and_the_same_one(cron: str, day: str) -> None:
    start = datetime.fromisoformat(day).replace(tzinfo=UTC)
    slots = [next_slot(cron, "Europe/Berlin", start + timedelta(minutes=minute)) for minute in range(6 * 60)]
    assert all(slot > start + timedelta(minutes=minute) for minute, slot in enumerate(slots))
    assert all(before <= after for before, after in pairwise(slots))
    if cron.split()[1] in ("2", "3"):
        walls = [slot.astimezone(BERLIN).replace(tzinfo=None) for slot in dict.fromkeys(slots)]
        assert len(walls) == len(set(walls))
