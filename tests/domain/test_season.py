"""Who moves up, who leaves, and what that does."""

from datetime import date
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain import season
from app.domain.season import Pupil, Step


def pupil(grade: str | None, division: str | None = "high_school", team: str = "", on: str | None = None) -> Pupil:
    return Pupil(uuid4(), "Jon Smith", "", grade, division, team, on)


@pytest.mark.parametrize(("grade", "division", "step", "after"), [
    ("9", "high_school", Step.UP, ("10", "high_school")),
    ("8", "middle_school", Step.UP, ("9", "high_school")),
    ("Grade 8", "middle_school", Step.UP, ("Grade 9", "high_school")),
    ("11th", "high_school", Step.UP, ("12th", "high_school")),
    ("2nd grade", None, Step.UP, ("3rd grade", None)),
    ("10TH", "high_school", Step.UP, ("11th", "high_school")),
    ("12", "high_school", Step.LEAVE, ("12", "high_school")),
    ("16", "college", Step.LEAVE, ("16", "college")),
    ("12", "college", Step.UP, ("13", "college")),
    (None, "high_school", Step.STAY, (None, "high_school")),
    ("senior", "high_school", Step.STAY, ("senior", "high_school")),
    ("9-10", "high_school", Step.STAY, ("9-10", "high_school")),
])
def test_the_usual_step(grade: str | None, division: str | None, step: Step, after: tuple[str | None, ...]) -> None:
    person = pupil(grade, division)
    assert season.usual_step(person) == step
    move = season.move(person, step)
    assert (move.grade, move.division) == after


def test_a_graduate_who_goes_on_plays_in_college() -> None:
    move = season.move(pupil("12", team="Firewall", on="high_school"), Step.UP)
    assert (move.grade, move.division, move.leaves_team) == ("13", "college", True)


def test_only_a_new_division_or_leaving_takes_off_the_team() -> None:
    member = pupil("9", team="Firewall", on="high_school")
    assert not season.move(member, Step.UP).leaves_team
    assert not season.move(member, Step.STAY).leaves_team
    assert season.move(member, Step.LEAVE).leaves_team
    assert not season.move(pupil("9"), Step.LEAVE).leaves_team
    assert not season.move(pupil("8", "middle_school", "Ahead", "high_school"), Step.UP).leaves_team


GRADES = st.one_of(st.none(), st.integers(0, 99).map(str), st.text(max_size=8))
DIVISIONS = st.sampled_from([None, "middle_school", "high_school", "college"])


@given(GRADES, DIVISIONS, st.sampled_from(list(Step)))
def test_any_grade_is_moved_or_left_alone(grade: str | None, division: str | None, step: Step) -> None:
    person = pupil(grade, division)
    move = season.move(person, step)
    if step is not Step.UP:
        assert (move.grade, move.division) == (grade, division)
    if move.grade != grade:
        assert move.is_change and move.grade
    assert season.move(person, season.usual_step(person)).step in Step


@pytest.mark.parametrize(("today", "first", "second"), [
    (date(2026, 9, 1), "2025/26", "2026/27"), (date(2026, 6, 20), "2025/26", "2024/25"),
    (date(2026, 1, 10), "2024/25", "2025/26"), (date(2000, 6, 1), "1999/00", "1998/99"),
])
def test_the_year_that_is_over(today: date, first: str, second: str) -> None:
    assert season.years(today, 8) == (first, second)
