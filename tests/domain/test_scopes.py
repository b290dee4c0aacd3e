"""What an address says about whose people and which days."""

from datetime import date
from urllib.parse import parse_qsl, urlsplit
from uuid import uuid4

import pytest

from app.domain.scopes import Scope, parse

TEAM, COACH, ORGANIZATION = uuid4(), uuid4(), uuid4()
FULL = Scope(ORGANIZATION, COACH, "college", TEAM, "custom", date(2026, 9, 1), date(2026, 10, 1))


@pytest.mark.parametrize("scope", [Scope(), FULL, Scope(window="7"), Scope(window="custom"), Scope(team_id=TEAM)])
def test_an_address_leads_back_to_the_scope_it_was_made_of(scope: Scope) -> None:
    parsed = parse(parse_qsl(urlsplit(scope.url("/timeline")).query))
    assert (parsed.scope, parsed.notices) == (scope, ())


def test_the_default_has_a_plain_address_and_keeps_what_the_page_adds() -> None:
    assert Scope().url("/") == "/"
    assert Scope().url("/timeline", {"kind": "solve"}, window="7") == "/timeline?window=7&kind=solve"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("team", "x"), ("coach", "1"), ("organization", "none"), ("division", "elders"), ("window", "8"),
        ("from", "yesterday"), ("to", "1999-12-31"), ("from", "20261001T"),
    ],
)
def test_a_bad_value_becomes_the_default_and_is_named(name: str, value: str) -> None:
    parsed = parse([(name, value)])
    assert parsed.scope == Scope()
    assert len(parsed.notices) == 1 and name in parsed.notices[0]


def test_a_window_that_ends_before_it_begins_is_the_default() -> None:
    parsed = parse([("window", "custom"), ("from", "2026-10-02"), ("to", "2026-10-01")])
    assert parsed.scope == Scope() and "from" in parsed.notices[0]


def test_dates_count_without_a_named_window_and_not_beside_a_preset() -> None:
    assert parse([("from", "2026-10-01")]).scope == Scope(window="custom", first_day=date(2026, 10, 1))
    assert parse([("window", "7"), ("from", "2026-10-01")]).scope == Scope(window="7")


def test_a_value_given_twice_is_left_out() -> None:
    parsed = parse([("division", "college"), ("division", "high_school")])
    assert parsed.scope == Scope() and "more than once" in parsed.notices[0]
