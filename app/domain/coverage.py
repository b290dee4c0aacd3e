"""How well a team covers a category: by how many of its members have solved something there at medium or above."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from app.domain.categories import CATEGORIES

STATES = ("broken", "late", "good")
WORDS = ("nobody", "one person only", "two or more")


@dataclass(frozen=True, slots=True)
class Solver:
    competitor_id: UUID
    name: str
    handle: str


@dataclass(frozen=True, slots=True)
class Cell:
    """`only` is the one on whom the category hangs, where there is nobody else."""

    category: str
    members: int
    only: Solver | None = None

    @property
    def state(self) -> str:
        return STATES[min(self.members, 2)]

    @property
    def words(self) -> str:
        return WORDS[min(self.members, 2)]


def all_categories(known: Iterable[str]) -> tuple[str, ...]:
    """The eleven, then those that only some organization knows."""
    return (*CATEGORIES, *sorted(set(known) - set(CATEGORIES)))


def gaps(cells: Iterable[Cell]) -> tuple[Cell, ...]:
    """Where nobody or one alone has solved anything, the emptiest first."""
    return tuple(sorted((cell for cell in cells if cell.members < 2), key=lambda cell: cell.members))
