"""The address of a report card and the arithmetic of its days."""

import random
from datetime import date, timedelta
from urllib.parse import parse_qsl, urlsplit
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest

from app.domain import report_card, windows
from app.domain.report_card import Day, Parsed, Sort

SOMEBODY = uuid4()
TODAY = date(2026, 11, 21)


def parse(query: str) -> Parsed:
    return report_card.parse(SOMEBODY, parse_qsl(query, keep_blank_values=True))


@pytest.mark.parametrize("query", [
    "", "window=90", "from=2026-10-01&to=2026-10-31&window=custom", "q=jar&category=osint", "source=flash_ctf",
    "sort=points", "sort=points&dir=asc", "sort=challenge&dir=desc&q=x&window=year", "dir=asc",
])
def test_an_address_leads_back_to_itself(query: str) -> None:
    parsed = parse(query)
    assert parsed.notices == ()
    url = urlsplit(parsed.view.url())
    assert url.path == f"/competitors/{SOMEBODY}" and parse(url.query).view == parsed.view


@pytest.mark.parametrize("query", [
    "sort=x", "dir=x", "source=x", "window=x", "from=2026-02-30", "cursor=x", "format=pdf", "q=" + "a" * 101,
    "category=" + "a" * 101, "sort=points&sort=solved",
])
def test_a_bad_value_becomes_the_default_and_is_named(query: str) -> None:
    parsed = parse(query)
    assert f"“{query.split('=')[0]}”" in " ".join(parsed.notices)
    assert not parsed.is_export and parsed.view.sort is Sort.SOLVED and parsed.view.cursor is None


def test_a_heading_turns_its_own_order_round_and_begins_others_where_they_are_read_from() -> None:
    view = parse("").view
    assert "dir=asc" in view.sorted_by(Sort.SOLVED)
    assert view.sorted_by(Sort.POINTS).endswith("?sort=points")
    assert parse("sort=challenge").view.is_descending is False


def solved_days(chance: random.Random) -> list[Day]:
    return [
        Day(TODAY - timedelta(days=chance.randrange(200)), chance.choice(["odl", "flash_ctf"]), chance.randrange(1, 5),
            chance.randrange(0, 500))
        for _ in range(chance.randrange(40))
    ]


@pytest.mark.parametrize("seed", range(20))
def test_windows_that_follow_each_other_add_up(seed: int) -> None:
    chance = random.Random(seed)
    days, length = solved_days(chance), chance.randrange(1, 100)
    last = TODAY - timedelta(days=chance.randrange(50))
    window = windows.custom(last - timedelta(days=length - 1), last, ZoneInfo("UTC"))
    before = windows.previous(window, ZoneInfo("UTC"))
    both = windows.custom(before.first_day, last, ZoneInfo("UTC"))
    parts, whole = [report_card.gained(days, each) for each in (window, before)], report_card.gained(days, both)
    assert sum(part.solves for part in parts) == whole.solves and sum(part.points for part in parts) == whole.points
    assert sum(part.active_days for part in parts) == whole.active_days


@pytest.mark.parametrize("seed", range(20))
def test_points_that_add_up_end_at_their_sum_and_never_fall(seed: int) -> None:
    days = solved_days(random.Random(seed))
    totals = report_card.added_up(days)
    assert [total.day for total in totals] == sorted({day.day for day in days})
    sums = [total.odl + total.flash_ctf for total in totals]
    assert sums == sorted(sums) and (sums[-1] if sums else 0) == sum(day.points for day in days)
    flash = sum(day.points for day in days if day.source == "flash_ctf")
    assert (totals[-1].flash_ctf if totals else 0) == flash


def test_every_day_of_a_heatmap_is_there() -> None:
    wanted = [TODAY - timedelta(days=back) for back in range(3)]
    days = [Day(TODAY, "odl", 2, 10), Day(TODAY, "flash_ctf", 1, 5), Day(date(2026, 1, 1), "odl", 9, 9)]
    assert report_card.solves_on(days, wanted) == ((wanted[0], 3), (wanted[1], 0), (wanted[2], 0))


def test_the_rhythm_names_the_best_day_and_weekday() -> None:
    saturday = TODAY
    shown = [(saturday - timedelta(days=back), {0: 1, 7: 4, 9: 4}.get(back, 0)) for back in reversed(range(10))]
    rhythm = report_card.rhythm(shown)
    assert rhythm == report_card.Rhythm(9, 3, saturday - timedelta(days=9), 4, "Saturday", 2)
    assert report_card.rhythm([(TODAY, 0)]) is None


@pytest.mark.parametrize("seed", range(10))
def test_weeks_hold_every_day_once_and_begin_on_mondays(seed: int) -> None:
    last = TODAY - timedelta(days=seed)
    shown = [(last - timedelta(days=back), back) for back in reversed(range(90))]
    weeks = report_card.weeks(shown)
    assert all(week.monday.weekday() == 0 and len(week.solves) == 7 for week in weeks)
    assert [solves for week in weeks for solves in week.solves if solves is not None] == [count for _, count in shown]


def test_a_month_ends_with_its_last_total() -> None:
    solved = ((date(2026, 1, 3), 10), (date(2026, 1, 30), 5), (date(2026, 3, 1), 1))
    days = [Day(day, "odl", 1, points) for day, points in solved]
    assert [(total.day.month, total.odl) for total in report_card.at_the_end_of_months(report_card.added_up(days))] == [
        (1, 15), (3, 16),
    ]
