"""The timeline's address, and how many small things become one line."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from app.domain import timeline
from app.domain.paging import Cursor
from app.domain.timeline import Day, Event, Kind, Person, View, gathered

ANN, BEN = (Person(UUID(int=number), name, "") for number, name in enumerate(("Ann", "Ben")))
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def event(what: str, person: Person | None = ANN, *, hours: int = 0, **details: Any) -> Event:
    at = NOON - timedelta(hours=hours)
    return Event(at, at.date(), Kind.SOLVES, what, person, None, "", "", details)


def solve(person: Person, hours: int = 0, **details: Any) -> Event:
    return event("solved", person, hours=hours, points=100, **details)


def told(*events: Event) -> list[str]:
    return [line.phrase for line in gathered(events)]


def test_a_persons_solves_of_a_day_are_one_line() -> None:
    lines = gathered([solve(ANN), solve(BEN, 1), solve(ANN, 2), solve(ANN, 20)])
    assert [(line.first.person, len(line.events)) for line in lines] == [(ANN, 2), (BEN, 1), (ANN, 1)]
    assert lines[0].phrase == "solved 2 challenges (200 points)"


def test_newcomers_of_a_day_and_players_of_an_event_are_one_line() -> None:
    assert told(event("joined", ANN), event("joined", BEN)) == ["joined the roster"]
    played = [event("played", person, event="November", event_id=id, points=50)
              for person, id in ((ANN, "x"), (BEN, "x"), (ANN, "y"))]
    lines = gathered(played)
    assert [line.people for line in lines] == [(ANN, BEN), (ANN,)]
    assert lines[0].phrase == "played November (100 points)"


def test_a_day_of_many_additions_is_one_line() -> None:
    added = event("competitor_onboarded"), event("competitor_onboarded", BEN)
    assert told(*added) == ["were added to the Game Platform"]
    assert told(event("membership_pushed")) == ["is on the team on the Game Platform too"]
    assert told(event("membership_pushed"), event("membership_pushed", BEN)) == [
        "are on their teams on the Game Platform too"
    ]


def test_changes_stay_apart() -> None:
    assert told(event("member_added"), event("member_added")) == ["came onto the team"] * 2


def test_an_unknown_kind_is_told_by_its_own_name() -> None:
    assert told(event("bell_rung", None)) == ["bell rung"]


def test_what_else_is_worth_a_look() -> None:
    crypto, web = solve(ANN, category="Cryptography"), solve(ANN, category="Web Exploitation")
    assert gathered([crypto, web, crypto])[0].more == "Cryptography 2, Web Exploitation 1"
    (line,) = gathered([event("roster_imported", None, created=3, updated=2, unchanged=0)])
    assert (line.phrase, line.more) == ("Imported 3 competitors from a file", "updated 2")
    assert gathered([event("competitor_edited", fields=["first_name"])])[0].more == "first name"


@given(st.lists(st.tuples(st.sampled_from(["solved", "joined", "played", "member_added"]), st.sampled_from([ANN, BEN]),
                          st.integers(0, 72)), max_size=30))
def test_no_event_is_lost_or_told_twice(rows: list[tuple[str, Person, int]]) -> None:
    events = [event(what, person, hours=hours) for what, person, hours in rows]
    lines = gathered(events)
    assert sorted(map(id, events)) == sorted(id(each) for line in lines for each in line.events)
    assert [line for of_day in timeline.by_days(lines).values() for line in of_day].__len__() == len(lines)


def test_bad_values_become_the_default_with_a_notice() -> None:
    parsed = timeline.parse([
        ("kind", "gossip"), ("person", "me"), ("full", "very"), ("cursor", "x"), ("format", "pdf"), ("window", "3"),
    ])
    assert parsed.view == View(parsed.view.scope)
    assert len(parsed.notices) == 6 and not parsed.is_export


def test_the_address_leads_back_to_the_same_view() -> None:
    cursor = Cursor(timeline.ORDER, (0, "2026-11-20T12:00:00+00:00", 2, "5"))
    pairs = [("division", "college"), ("kind", "teams"), ("person", str(UUID(int=7))), ("full", "yes"),
             ("cursor", cursor.encode())]
    view = timeline.parse(pairs).view
    address = view.url(cursor=view.cursor)
    query = [tuple(pair.split("=")) for pair in address.partition("?")[2].split("&")]
    assert timeline.parse(query).view == view  # type: ignore[arg-type]
    assert "cursor" not in view.url() and "kind" not in view.clear_url and "full=yes" in view.clear_url


def test_the_finding_names_the_busiest_day() -> None:
    days = (Day(date(2026, 11, 19), {Kind.SOLVES: 2, Kind.TEAMS: 1}), Day(date(2026, 11, 20), {Kind.SOLVES: 1}))
    assert timeline.finding(days, "19 to 20 Nov") == "4 events: 19 to 20 Nov. Most on Thursday, 19 Nov: 3."
    assert timeline.finding((Day(date(2026, 11, 20), {}),), "20 Nov") == "Nothing happened: 20 Nov."
