"""Who and what the platform keeps: accounts with what they have done, and teams."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from app.sandbox.league import Player
from app.sandbox.practice import Habit

Solve = dict[str, Any]
EventKey = tuple[str, int]

SOLVE_IDS_PER_USER = 100_000


@dataclass
class Past:
    """What somebody has done."""

    last_accessed: int = 0
    solves: dict[int, Solve] = field(default_factory=dict)
    flash_ctfs: dict[EventKey, dict[int, Solve]] = field(default_factory=dict)
    removed: set[int] = field(default_factory=set)


@dataclass
class User:
    """An account. `status` holds until `approved_at`, when there is one.

    What they did before the world started is made up when somebody first asks, so that a big league starts at once.
    """

    syned_user_id: str
    number: int
    email: str
    role: str
    status: str
    approved_at: float | None
    remember: "Callable[[User], Past]"
    player: Player | None = None
    habit: Habit | None = None

    @cached_property
    def past(self) -> Past:
        return self.remember(self)

    @property
    def last_accessed(self) -> int:
        return self.past.last_accessed

    @property
    def solves(self) -> dict[int, Solve]:
        return self.past.solves

    @property
    def flash_ctfs(self) -> dict[EventKey, dict[int, Solve]]:
        return self.past.flash_ctfs

    @property
    def username(self) -> str:
        """As the platform assigns them: two letters and five digits."""
        scattered = self.number * 7919
        return f"{chr(97 + scattered % 26)}{chr(97 + scattered // 26 % 26)}{10_000 + self.number * 37 % 90_000}"

    def look_in(self, at: int) -> None:
        self.past.last_accessed = max(self.past.last_accessed, at)

    def solves_of(self, key: EventKey | None) -> dict[int, Solve]:
        """By number: of one Flash CTF, or without a key those on demand."""
        return self.flash_ctfs.get(key, {}) if key else self.solves

    def status_at(self, now: float) -> str:
        return "approved" if self.approved_at is not None and now >= self.approved_at else self.status

    def solved_challenges(self) -> set[int]:
        return {solve["challenge_id"] for solve in self.solves.values()}

    def next_solve_id(self) -> int:
        """Never one that was given before, to a removed solve either."""
        return max([self.number * SOLVE_IDS_PER_USER, *self.solves, *self.past.removed]) + 1


@dataclass(frozen=True)
class Team:
    syned_team_id: str
    number: int
    coach_number: int
    name: str
    affiliation: str
    division: str
