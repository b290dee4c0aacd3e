from uuid import uuid4

import pytest

from app.domain import drift
from app.domain.drift import Comparison, Difference, Field, Member, Subject, Unresolved

KEY = ("competitor", "c-1", "team")


def difference(ours: str | None = "a", theirs: str | None = "b") -> Difference:
    return Difference(Subject.COMPETITOR, "c-1", Field.TEAM, ours, theirs)


@pytest.mark.parametrize(("known", "is_news", "is_open"), [
    (None, True, True),
    (Unresolved(uuid4(), "a", "b"), False, True),
    (Unresolved(uuid4(), "a", "c"), True, True),
    (Unresolved(uuid4(), "a", "b", is_ignored=True), False, False),
    (Unresolved(uuid4(), "a", "b", is_ignored=True, is_over=True), True, True),
    (Unresolved(uuid4(), "a", "c", is_ignored=True), True, True),
])
def test_only_what_is_not_known_is_news(known: Unresolved | None, is_news: bool, is_open: bool) -> None:
    comparison = Comparison()
    comparison.put(difference())
    rows = {KEY: known} if known else {}
    assert bool(comparison.news(rows)) == is_news
    assert comparison.open_count(rows) == int(is_open)
    assert comparison.settled(rows) == []


def test_only_what_was_looked_at_is_settled() -> None:
    row = Unresolved(uuid4(), "a", "b")
    comparison = Comparison()
    assert comparison.settled({KEY: row}) == []
    comparison.put(difference("a", "a"))
    assert comparison.settled({KEY: row}) == [row.id]
    comparison.leave_out([KEY])
    assert comparison.settled({KEY: row}) == []


def member(**values: object) -> Member:
    defaults = {
        "competitor_id": uuid4(), "organization_id": uuid4(), "syned_user_id": "u", "team": "a",
        "was_agreed": True, "agreed_team": "a",
    }
    return Member(**{**defaults, **values})  # type: ignore[arg-type]


def test_who_vanished_was_there_by_agreement() -> None:
    there = member()
    others = [member(was_agreed=False), member(agreed_team=None, team=None), member(team="b")]
    assert list(drift.vanished([there, *others], {})) == [there]
    assert list(drift.vanished([there], {"u"})) == []


@pytest.mark.parametrize(("gone", "of", "is_too_much"), [
    (20, 20, False), (21, 21, True), (21, 104, True), (21, 105, False), (0, 0, False),
])
def test_many_and_a_large_share_at_once_is_too_much(gone: int, of: int, is_too_much: bool) -> None:
    assert drift.is_too_much(gone, of) is is_too_much


@pytest.mark.parametrize("field", Field)
def test_whatever_can_be_neither_pushed_nor_accepted_says_so(field: Field) -> None:
    refusals = (drift.why_not_push("competitor", field, "a"), drift.why_not_accept("competitor", field))
    assert not all(refusals)
    assert all(text is None or text.endswith(".") for text in refusals)
