"""One person's Flash CTFs, and whether they are getting better at them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Entry:
    """One Flash CTF. `has_entered` is false for one without this person, who may still enter until it `is_over`."""

    event_id: str
    name: str
    started_at: datetime
    is_over: bool
    has_entered: bool
    challenges: int
    points: int
    max_points: int
    rank: int | None

    @property
    def is_missed(self) -> bool:
        """Whoever entered and solved nothing has not taken part."""
        return self.is_over and not self.challenges

    @property
    def percent(self) -> int:
        """Of the points that there were."""
        return round(100 * self.points / self.max_points) if self.max_points > 0 else 0


@dataclass(frozen=True, slots=True)
class Placed:
    """`places_up`: ranks better than in the one entered before; None where there is nothing to compare with."""

    entry: Entry
    places_up: int | None


def with_trend(entries: Sequence[Entry]) -> tuple[Placed, ...]:
    """The newest first, as they come."""
    return tuple(Placed(entry, _places_up(entry, entries[place + 1:])) for place, entry in enumerate(entries))


def _places_up(entry: Entry, earlier: Sequence[Entry]) -> int | None:
    before = next((each.rank for each in earlier if each.has_entered and each.rank is not None), None)
    return None if entry.rank is None or before is None else before - entry.rank
