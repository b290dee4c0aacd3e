"""The periods that hours are told for, and what the report's address says."""

import random
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from app.domain.practice_hours import current_period, hours, method, offered_periods, parse, period_named

CHICAGO = ZoneInfo("America/Chicago")


@pytest.mark.parametrize(("key", "label", "first", "end"), [
    ("year-2026", "School year 2026–27", date(2026, 8, 1), date(2027, 8, 1)),
    ("year-2099", "School year 2099–00", date(2099, 8, 1), date(2100, 8, 1)),
    ("autumn-2026", "Autumn 2026", date(2026, 8, 1), date(2027, 1, 1)),
    ("spring-2027", "Spring 2027", date(2027, 1, 1), date(2027, 8, 1)),
    ("all", "All time", None, None),
])
def test_a_period_has_a_first_day_and_an_end_that_is_no_part_of_it(
    key: str, label: str, first: date | None, end: date | None
) -> None:
    period = period_named(key)
    assert period and (period.label, period.first_day, period.end_day) == (label, first, end)


@pytest.mark.parametrize("key", ["", "year", "year-26", "summer-2026", "year-1999", "year-2026 ", "All"])
def test_other_keys_are_no_period(key: str) -> None:
    assert period_named(key) is None


def test_a_period_begins_and_ends_at_midnight_in_the_organizations_zone() -> None:
    period = period_named("autumn-2026")
    assert period and period.span == "1 Aug 2026 to 31 Dec 2026"
    assert period.starts_at(CHICAGO) == datetime(2026, 8, 1, 5, tzinfo=UTC)
    assert period.ends_at(CHICAGO) == datetime(2027, 1, 1, 6, tzinfo=UTC)


def test_every_moment_of_a_school_year_is_in_exactly_one_of_its_halves() -> None:
    chance = random.Random(4)
    for _ in range(500):
        zone = ZoneInfo(chance.choice(["America/Chicago", "Asia/Kathmandu", "Pacific/Auckland", "UTC"]))
        year = chance.randint(2001, 2098)
        moment = datetime(year, 8, 1, tzinfo=zone) + timedelta(seconds=chance.randint(-86400, 366 * 86400))
        inside = {
            kind: _holds(f"{kind}-{number}", moment, zone)
            for kind, number in (("year", year), ("autumn", year), ("spring", year + 1))
        }
        assert inside["year"] == (inside["autumn"] or inside["spring"])
        assert not (inside["autumn"] and inside["spring"])


def _holds(key: str, moment: datetime, zone: ZoneInfo) -> bool:
    period = period_named(key)
    starts_at, ends_at = (period.starts_at(zone), period.ends_at(zone)) if period else (None, None)
    assert starts_at and ends_at
    return starts_at <= moment < ends_at


@pytest.mark.parametrize(("today", "key"), [
    (date(2026, 7, 31), "year-2025"), (date(2026, 8, 1), "year-2026"), (date(2027, 1, 1), "year-2026"),
])
def test_the_current_period_is_the_school_year_of_today(today: date, key: str) -> None:
    assert current_period(today).key == key


def test_offered_are_the_periods_that_have_begun_and_whatever_is_chosen() -> None:
    chosen = period_named("spring-2011")
    assert chosen
    keys = [period.key for period in offered_periods(date(2026, 11, 21), chosen)]
    assert keys[:4] == ["year-2026", "autumn-2026", "year-2025", "spring-2026"]
    assert keys[-2:] == ["all", "spring-2011"] and len(keys) == len(set(keys)) == 16


def test_the_address_leads_back_to_itself_and_bad_values_are_named() -> None:
    pairs = [("period", "autumn-2025"), ("division", "college"), ("q", "ada"), ("team", "x"), ("format", "pdf")]
    parsed = parse(pairs)
    assert parsed.view.url() == "/reports/practice-hours?division=college&period=autumn-2025&q=ada"
    assert parsed.view.file_url("csv").endswith("&format=csv") and parsed.format == ""
    assert [notice.split("”")[0] for notice in parsed.notices] == ["“team", "“format"]
    assert parse([("period", "winter")]).notices == ("“period” is not known; this school year is shown.",)


def test_hours_have_two_decimals_and_the_method_says_its_numbers() -> None:
    assert (hours(900), hours(3601), hours(0)) == (0.25, 1.0, 0.0)
    text = " ".join(how for _, how in method("America/Chicago"))
    assert all(words in text for words in ("30 minutes", "10 minutes", "15 minutes", "120 minutes", "America/Chicago"))
