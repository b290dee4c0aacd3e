"""What a report card says first."""

from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from app.domain.flash_record import Entry
from app.domain.insights import MOST, Facts, insights
from app.domain.peers import Group, Measure
from app.domain.report_card import Gain
from app.domain.strengths import Strength, every_category

NOTHING = Gain(0, 0, 0)


def on(day: int, month: int = 11) -> datetime:
    return datetime(2026, month, day, 12, tzinfo=UTC)


FACTS = Facts(
    zone=ZoneInfo("America/Chicago"), is_linked=True, as_of=on(20), is_late=False, since="since 1 Nov 2026",
    before="the 20 days before", lately=Gain(12, 900, 4), earlier=Gain(7, 500, 3), last_solved_at=on(19),
    last_accessed_at=on(19),
)


def first(facts: Facts) -> tuple[str, str]:
    found = insights(facts)[0]
    return found.state, found.text


@pytest.mark.parametrize(("changes", "state", "text"), [
    ({}, "good", "Solved 12 challenges for 900 points since 1 Nov 2026, 5 more than in the 20 days before."),
    ({"earlier": Gain(12, 1, 1)}, "good",
     "Solved 12 challenges for 900 points since 1 Nov 2026, as many as in the 20 days before."),
    ({"earlier": Gain(13, 1, 1)}, "waiting",
     "Solved 12 challenges for 900 points since 1 Nov 2026, 1 fewer than in the 20 days before."),
    ({"earlier": None, "lately": Gain(1, 1, 1)}, "good", "Solved 1 challenge for 1 point since 1 Nov 2026."),
    ({"lately": NOTHING, "last_solved_at": on(3, 10), "days_trying": 4}, "late",
     "Solved nothing since 1 Nov 2026. The last solve was on 3 Oct 2026."),
    ({"lately": NOTHING, "last_solved_at": on(3, 10), "days_trying": 5}, "late",
     "Trying, not solving: last on the platform on 19 Nov 2026, last solve on 3 Oct 2026."),
    ({"lately": NOTHING, "last_solved_at": on(13)}, "late",
     "Solved nothing since 1 Nov 2026. The last solve was on 13 Nov 2026."),
    ({"lately": NOTHING, "last_solved_at": None}, "late", "Has an account and has solved nothing yet."),
    ({"lately": NOTHING, "is_late": True}, "unknown", "Unknown: the platform was last read on 20 Nov 2026."),
    ({"as_of": None}, "waiting", "Linked, and not read yet. Numbers appear after the first sync."),
    ({"is_linked": False}, "unknown", "Not linked to the Game Platform yet, so there is nothing to read."),
])
def test_the_first_says_how_it_goes(changes: dict[str, object], state: str, text: str) -> None:
    assert first(replace(FACTS, **changes)) == (state, text)  # type: ignore[arg-type]


def test_on_old_data_nobody_is_called_inactive_and_what_is_known_is_still_said() -> None:
    silent = replace(FACTS, is_late=True, lately=NOTHING, last_solved_at=on(3, 10), days_trying=30)
    assert not any("nothing" in insight.text or "Trying" in insight.text for insight in insights(silent))
    assert first(replace(FACTS, is_late=True))[0] == "good"


def test_days_are_those_of_the_organizations_zone() -> None:
    late_evening = datetime(2026, 11, 14, 3, tzinfo=UTC)
    assert "13 Nov 2026" in first(replace(FACTS, lately=NOTHING, last_solved_at=late_evening))[1]


def flash(rank: int | None, month: int, *, has_entered: bool = True, is_over: bool = True) -> Entry:
    solved = 1 if has_entered else 0
    return Entry(f"e{month}", f"Flash {month}", on(3, month), is_over, has_entered, solved, 10 * solved, 100, rank)


@pytest.mark.parametrize(("record", "text"), [
    ((flash(4, 10), flash(9, 9)), "Rank 4 in Flash 10 on 3 Oct 2026, 5 places better than the time before."),
    ((flash(9, 10), flash(8, 9)), "Rank 9 in Flash 10 on 3 Oct 2026, 1 place behind the time before."),
    ((flash(None, 10, has_entered=False), flash(8, 9)), "Missed the latest Flash CTF, Flash 10 on 3 Oct 2026."),
    ((flash(None, 10, has_entered=False, is_over=False),),
     "Has not entered Flash 10 on 3 Oct 2026 yet; it is still open."),
    ((flash(4, 10),), None), ((flash(4, 10), flash(4, 9)), None), ((), None),
])
def test_the_latest_flash_ctf_is_named_where_it_says_something(record: tuple[Entry, ...], text: str | None) -> None:
    found = [insight.text for insight in insights(replace(FACTS, flash_record=record))][1:]
    assert found == ([text] if text else [])


def test_strengths_and_the_next_step_are_one_sentence_each() -> None:
    solved = {"OSINT": Strength("OSINT", 5, 500, 4), "Social": Strength("Social", 2, 60, 0)}
    found = insights(replace(FACTS, strengths=every_category(solved)))[1]
    assert found.text == "Strong in OSINT. Next step: Social, 2 solved, none of them at medium or above."
    assert len(insights(replace(FACTS, strengths=every_category({})))) == 1


def test_peers_are_spoken_of_only_in_groups_that_are_large_enough() -> None:
    measures = tuple(Measure(name, 10, 5.0, 3) for name in ("a", "b", "Points since 1 Nov 2026"))
    small, large = Group("Firewall", 4, measures), Group("High school", 5, measures)
    assert len(insights(replace(FACTS, peers=(small,)))) == 1
    assert insights(replace(FACTS, peers=(small, large)))[1].text == (
        "Ahead of 75 % of High school: points since 1 Nov 2026."
    )


def test_there_are_three_at_most() -> None:
    measures = tuple(Measure("Points", 10, 5.0, 3) for _ in range(3))
    full = replace(
        FACTS, flash_record=(flash(4, 10), flash(9, 9)), peers=(Group("High school", 9, measures),),
        strengths=every_category({"OSINT": Strength("OSINT", 5, 500, 4)}),
    )
    assert len(insights(full)) == MOST == 3
