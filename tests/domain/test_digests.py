"""When mail is due in the reader's own day, and what it says."""

from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from app.domain import digests
from app.domain.alert_rules import Rule
from app.domain.digests import Preferences, ViewChange, mailed_until

BERLIN = ZoneInfo("Europe/Berlin")
DAILY = Preferences()


def at(hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 3, 20, hour, minute, tzinfo=BERLIN)


@pytest.mark.parametrize(("now", "until"), [
    (at(6, 59), None), (at(7), at(7)), (at(12, 30), at(7)), (at(19, 59), at(7)), (at(20), None), (at(23), None),
])
def test_daily_mail_has_what_came_until_the_hour_and_keeps_the_night(now: datetime, until: datetime | None) -> None:
    assert mailed_until(DAILY, now) == until


def test_before_the_hour_the_day_before_is_due() -> None:
    assert mailed_until(replace(DAILY, daily_hour=17), at(9)) == at(17) - timedelta(days=1)


@pytest.mark.parametrize(("first", "end", "quiet"), [
    (20, 7, {0, 6, 20, 23}), (9, 17, {9, 12, 16}), (0, 0, set()), (12, 12, set()), (23, 0, {23}),
])
def test_the_quiet_hours_may_go_past_midnight(first: int, end: int, quiet: set[int]) -> None:
    preferences = replace(DAILY, quiet_from_hour=first, quiet_until_hour=end)
    assert {hour for hour in (0, 6, 7, 9, 12, 16, 17, 20, 23) if preferences.is_quiet(hour)} == quiet


def test_soon_is_now_and_off_is_never() -> None:
    assert mailed_until(replace(DAILY, mail="soon"), at(12, 5)) == at(12, 5)
    assert mailed_until(replace(DAILY, mail="soon"), at(3)) is None
    assert mailed_until(replace(DAILY, mail="off"), at(12)) is None


def test_the_mail_counts_says_what_to_do_and_names_nobody() -> None:
    mail = digests.compose(
        Counter({Rule.STUCK: 2}), [ViewChange("Juniors", "/competitors?q=x", 1, 3)], base_url="https://s.example",
        unsubscribe_url="https://s.example/u",
    )
    assert mail.subject == "Sideline: 6 to act on"
    assert "Stuck: 2\nSit with them" in mail.text and "https://s.example/alerts?rule=stuck" in mail.text
    assert "Juniors: 1 entered, 3 left\nhttps://s.example/competitors?q=x" in mail.text
    assert mail.text.endswith("No more of it: https://s.example/u\n")
