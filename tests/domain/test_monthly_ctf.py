"""The monthly CTF chart's address and its finding."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain import monthly_ctf
from app.domain.monthly_ctf import Chart, Event

OCTOBER = Event("October", datetime(2026, 10, 2, 18, tzinfo=UTC), 300, 3, 200, ((0, 100), (40, 300)))
NOVEMBER = Event("November", datetime(2026, 11, 6, 18, tzinfo=UTC), 250, 2, 150, ((5, 100), (30, 250)))
SILENT = Event("December", datetime(2026, 12, 4, 18, tzinfo=UTC), 0, 0, 0)


def test_pace_compares_at_the_same_minute() -> None:
    found = monthly_ctf.finding((OCTOBER, NOVEMBER), Chart.PACE)
    assert found == "November: 250 points after 30 minutes, 150 more than October had by then."


def test_absolute_compares_whole_events() -> None:
    found = monthly_ctf.finding((OCTOBER, NOVEMBER), Chart.ABSOLUTE)
    assert found == "November: 250 points by 2 people, 50 fewer than October."


@pytest.mark.parametrize(
    ("events", "found"),
    [
        ((), "Nobody shown has taken part in a Flash CTF."),
        ((SILENT,), "Nobody shown has taken part in a Flash CTF."),
        ((NOVEMBER, SILENT), "Nobody shown took part in December, the latest Flash CTF."),
        ((NOVEMBER,), "November: 250 points after 30 minutes."),
    ],
)
def test_the_finding_holds_without_a_base(events: tuple[Event, ...], found: str) -> None:
    assert monthly_ctf.finding(events, Chart.PACE) == found


@given(st.integers(0, 1440))
def test_checkpoints_are_few_and_end_with_the_last_minute(last: int) -> None:
    minutes = monthly_ctf.checkpoints(last)
    assert minutes[-1] == last
    assert len(minutes) <= monthly_ctf.MOST_ROWS + 1
    assert list(minutes) == sorted(set(minutes))


def test_points_stay_until_the_next_solve() -> None:
    assert [OCTOBER.points_at(minute) for minute in (0, 39, 40, 500)] == [100, 100, 300, 300]
    assert NOVEMBER.points_at(4) == 0


def test_the_label_has_the_day_of_the_zone() -> None:
    late = Event("Night", datetime(2026, 11, 7, 3, tzinfo=UTC), 0, 0, 0)
    assert late.label(ZoneInfo("America/Chicago")) == "Night, 6 Nov 2026"


def test_bad_values_become_the_default_with_a_notice() -> None:
    parsed = monthly_ctf.parse([("chart", "pie"), ("format", "pdf"), ("at", "nowhere"), ("division", "zoo")])
    assert (parsed.view.chart, parsed.format, parsed.view.path) == (Chart.PACE, "", monthly_ctf.PATH)
    assert len(parsed.notices) == 4


def test_the_address_says_which_chart_and_on_which_page() -> None:
    view = monthly_ctf.parse([("chart", "absolute"), ("at", "overview"), ("division", "college")]).view
    assert view.page_url(Chart.PACE) == "/?division=college"
    assert view.page_url(Chart.ABSOLUTE) == "/?division=college&chart=absolute"
    assert view.part_url(Chart.PACE) == "/charts/monthly-ctf?division=college&chart=pace&at=overview"
    assert view.file_url("csv") == "/charts/monthly-ctf?division=college&chart=absolute&format=csv"
