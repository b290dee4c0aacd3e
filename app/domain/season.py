"""The turn of a school year: who moves up, who leaves, and what that does to grades and divisions. Pure."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from uuid import UUID

from app.domain.windows import school_year_start

LAST_GRADES = {"middle_school": 8, "high_school": 12, "college": 16}
NEXT_DIVISIONS = {"middle_school": "high_school", "high_school": "college", "college": "college"}
GRADE = re.compile(r"(?P<before>\D*?)(?P<number>[0-9]{1,2})(?P<ordinal>st|nd|rd|th)?(?P<after>\D*)", re.IGNORECASE)
HALF_A_YEAR = timedelta(days=183)
PAGE_SIZE = 100


class Step(StrEnum):
    UP = "up"
    STAY = "stay"
    LEAVE = "leave"


@dataclass(frozen=True, slots=True)
class Pupil:
    """A competitor before the turn. `team_division` is of the team that they are on."""

    id: UUID
    name: str
    handle: str
    grade: str | None
    division: str | None
    team: str
    team_division: str | None


@dataclass(frozen=True, slots=True)
class Move:
    """One competitor's turn. `leaves_team`: the division changed, and the team's did not."""

    pupil: Pupil
    step: Step
    grade: str | None
    division: str | None
    leaves_team: bool

    @property
    def is_change(self) -> bool:
        return self.step is Step.LEAVE or (self.grade, self.division) != (self.pupil.grade, self.pupil.division)


def usual_step(pupil: Pupil) -> Step:
    """Up, out after the last grade of high school or college; whoever has no grade stays as they are."""
    number = _number(pupil.grade)
    if number is None:
        return Step.STAY
    has_finished = pupil.division in ("high_school", "college") and number >= LAST_GRADES[pupil.division]
    return Step.LEAVE if has_finished else Step.UP


def move(pupil: Pupil, step: Step) -> Move:
    number = _number(pupil.grade)
    if step is not Step.UP or number is None:
        return Move(pupil, step, pupil.grade, pupil.division, leaves_team=step is Step.LEAVE and bool(pupil.team))
    division = pupil.division
    if division and number >= LAST_GRADES[division]:
        division = NEXT_DIVISIONS[division]
    leaves_team = bool(pupil.team) and division != pupil.division and division != pupil.team_division
    return Move(pupil, step, _next_grade(pupil.grade or ""), division, leaves_team)


@dataclass(frozen=True, slots=True)
class Shown:
    """One page of a roster: the moves on it, and how many there are under the filter. Pages count from one."""

    moves: tuple[Move, ...]
    total: int
    page: int

    @property
    def pages(self) -> int:
        return max(1, -(-self.total // PAGE_SIZE))

    @property
    def first(self) -> int:
        return (self.page - 1) * PAGE_SIZE + 1


def matching(moves: Iterable[Move], usual: str) -> list[Move]:
    """Those who usually take this step; '' is everybody."""
    return [each for each in moves if usual in ("", usual_step(each.pupil))]


def show(moves: Iterable[Move], usual: str, page: int) -> Shown:
    """A page beyond the last is the last."""
    found = matching(moves, usual)
    page = max(1, min(page, -(-len(found) // PAGE_SIZE)))
    return Shown(tuple(found[(page - 1) * PAGE_SIZE:page * PAGE_SIZE]), len(found), page)


def count(moves: Iterable[Move], step: Step) -> int:
    return sum(each.step is step and each.is_change for each in moves)


def years(today: date, starts_month: int) -> tuple[str, str]:
    """The two years that may be over, the likelier one first: in the first half of a year it is the one before."""
    start = school_year_start(today, starts_month)
    this, last = _year(start.year), _year(start.year - 1)
    return (last, this) if today - start < HALF_A_YEAR else (this, last)


def _year(first: int) -> str:
    return f"{first}/{(first + 1) % 100:02}"


def _number(grade: str | None) -> int | None:
    found = GRADE.fullmatch(grade or "")
    return int(found["number"]) if found else None


def _next_grade(grade: str) -> str:
    """As it is written: "9" becomes "10", "Grade 9" becomes "Grade 10", "9th" becomes "10th"."""
    found = GRADE.fullmatch(grade)
    assert found
    number = int(found["number"]) + 1
    return f"{found['before']}{number}{_ordinal(number) if found['ordinal'] else ''}{found['after']}"


def _ordinal(number: int) -> str:
    return "th" if 10 <= number % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
