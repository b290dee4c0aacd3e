"""What the address says, whatever it says."""

from datetime import date
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.leaderboard import HIGHEST_FIRST, Sort, View, parse

TEAM = "6a0f5a04-8f9e-4b0e-9f0a-0d6f4b2d3c11"


def read(query: str) -> tuple[View, tuple[str, ...]]:
    parsed = parse(parse_qsl(query, keep_blank_values=True))
    return parsed.view, parsed.notices


def test_nothing_said_is_the_whole_list_by_rank_over_30_days() -> None:
    assert read("") == (View(), ())


def test_a_form_with_empty_fields_is_the_same_as_nothing() -> None:
    form = "q=&coach=&team=&division=&category=&source=&window=30&from=&to=&sort=&dir=&cursor=&format="
    assert read(form) == (View(), ())


NAMES = ("coach", "team", "organization", "division", "source", "window", "from", "to", "sort")


@pytest.mark.parametrize("name", NAMES)
def test_a_bad_value_becomes_the_default_and_the_notice_names_it(name: str) -> None:
    view, notices = read(f"{name}=;drop table")
    assert view == View()
    assert len(notices) == 1 and f"“{name}”" in notices[0]


def test_a_repeated_parameter_is_left_out_with_a_notice() -> None:
    view, notices = read("sort=name&sort=team")
    assert view.sort is Sort.RANK
    assert "more than once" in notices[0]


def test_unknown_parameters_say_nothing() -> None:
    assert read("page=-1&page[]=&utm_source=x") == (View(), ())


@pytest.mark.parametrize(
    ("query", "is_descending"),
    [
        ("sort=challenges", True), ("sort=challenges&dir=asc", False), ("sort=-challenges", True),
        ("sort=name", False), ("sort=-name", True), ("sort=name&dir=desc", True), ("sort=points", True),
    ],
)
def test_each_order_has_its_own_beginning_and_can_be_turned_round(query: str, is_descending: bool) -> None:
    assert read(query)[0].is_descending is is_descending


def test_dates_make_a_custom_window_unless_a_preset_is_named() -> None:
    assert read("from=2026-10-01&to=2026-10-31")[0].window == "custom"
    assert read("window=7&from=2026-10-01&to=2026-10-31")[0] == View(window="7")
    assert read("window=custom")[0].window == "custom"
    view, notices = read("from=2026-10-31&to=2026-10-01")
    assert view == View() and "“from”" in notices[0]


def test_a_vendors_label_is_understood_as_its_category() -> None:
    assert read("category=crypto")[0].category == "Cryptography"


def test_a_cursor_of_another_order_is_left_out() -> None:
    cursor = dict(parse_qsl(urlsplit(View().url()).query))
    assert cursor == {}
    view, notices = read("sort=name&cursor=WyJyYW5rKyIsZmFsc2UsMCwxXQ")
    assert view.cursor is None and "“cursor”" in notices[0]


VIEWS = st.builds(
    View, search=st.text(st.characters(categories=["L", "N"]), max_size=10), sort=st.sampled_from(Sort),
    is_descending=st.booleans(), window=st.sampled_from(["7", "14", "30", "90", "year"]),
    team_id=st.none() | st.uuids(), coach_id=st.none() | st.uuids(), organization_id=st.none() | st.uuids(),
    division=st.sampled_from(["", "college"]), category=st.sampled_from(["", "OSINT"]),
    source=st.sampled_from(["", "odl"]),
) | st.builds(
    View, window=st.just("custom"), first_day=st.dates(date(2001, 1, 1), date(2010, 1, 1)),
    last_day=st.dates(date(2011, 1, 1), date(2020, 1, 1)),
)


@given(VIEWS)
def test_every_view_has_an_address_that_leads_back_to_it(view: View) -> None:
    assert read(urlsplit(view.url()).query) == (view, ())


@pytest.mark.parametrize("sort", Sort)
def test_a_heading_sorts_first_its_own_way_and_then_the_other(sort: Sort) -> None:
    other = Sort.TEAM if sort is Sort.RANK else Sort.RANK
    first = read(urlsplit(View(sort=other).sorted_by(sort)).query)[0]
    assert (first.sort, first.is_descending) == (sort, sort in HIGHEST_FIRST)
    assert read(urlsplit(first.sorted_by(sort)).query)[0].is_descending is not first.is_descending
