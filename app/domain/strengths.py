"""How far somebody is in each category: strong, developing, or a growth area."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from app.domain.categories import CATEGORIES

STRONG_FROM = 3
"""Solves at medium or above."""
CATCH_ALL = frozenset({"Miscellaneous", "Other"})
"""Nobody has to become better in these."""


class Level(StrEnum):
    STRONG = "strong"
    DEVELOPING = "developing"
    GROWTH = "growth"


@dataclass(frozen=True, slots=True)
class Strength:
    """`medium`: how many of the solves were at medium or above."""

    category: str
    solves: int = 0
    points: int = 0
    medium: int = 0
    last_solved_at: datetime | None = None

    @property
    def level(self) -> Level:
        if self.medium >= STRONG_FROM:
            return Level.STRONG
        return Level.DEVELOPING if self.medium else Level.GROWTH


def every_category(solved: Mapping[str, Strength]) -> tuple[Strength, ...]:
    """The eleven in their order, then what the platform called otherwise."""
    others = sorted(set(solved) - set(CATEGORIES))
    return tuple(solved.get(category) or Strength(category) for category in (*CATEGORIES, *others))


def strong(strengths: Iterable[Strength]) -> tuple[Strength, ...]:
    found = (strength for strength in strengths if strength.level is Level.STRONG)
    return tuple(sorted(found, key=lambda strength: (-strength.medium, -strength.points, strength.category)))


def next_step(strengths: Iterable[Strength]) -> Strength | None:
    """The growth area that is nearest: most solved already, else the first in order."""
    found = [
        strength for strength in strengths
        if strength.level is Level.GROWTH and strength.category in CATEGORIES and strength.category not in CATCH_ALL
    ]
    return max(found, key=lambda strength: (strength.solves, strength.points), default=None)


def share(strength: Strength, strengths: Iterable[Strength]) -> float:
    """Of the points of the best category."""
    return strength.points / max(1, *(each.points for each in strengths), 1)
