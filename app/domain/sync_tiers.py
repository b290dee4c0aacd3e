"""How often each competitor is looked at.

Tiers are ceilings on the age of the last look. Who is active is looked at every half hour; the others by a score of
how likely they are to play soon, so that few calls find most of what is new. `bench freshness` measures what another
weight would cost.
"""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

ACTIVE_LASTS = timedelta(minutes=60)
"""From a look that finds a new solve or access."""
GRACE = timedelta(minutes=1)
"""Two looks at neighbouring ticks are never exactly a half hour apart."""
SHORTEST_RETRY = timedelta(minutes=5)
LONGEST_RETRY = timedelta(hours=8)

RECENT = (
    (timedelta(hours=12), 50), (timedelta(days=1), 40), (timedelta(days=3), 30), (timedelta(days=7), 20),
    (timedelta(days=30), 10),
)
SOLVES_PER_POINT = 3
MOST_FOR_SOLVES = 30
FOR_FLASH_CTFS = 20
MODERATE_SCORE = 50
MEANINGFUL_POINTS = 10


class Tier(StrEnum):
    ACTIVE = "active"
    MODERATE = "moderate"
    IDLE = "idle"


@dataclass(frozen=True, slots=True)
class Ceilings:
    """How old the last look may become."""

    active: timedelta = timedelta(minutes=30)
    moderate: timedelta = timedelta(hours=2)
    idle: timedelta = timedelta(hours=8)

    @classmethod
    def of_minutes(cls, minutes: tuple[int, int, int]) -> "Ceilings":
        return cls(*(timedelta(minutes=each) for each in minutes))

    def no_looser_than(self, other: "Ceilings") -> "Ceilings":
        return Ceilings(
            min(self.active, other.active), min(self.moderate, other.moderate), min(self.idle, other.idle)
        )


DEFAULT = Ceilings()


def activity_score(*, accessed_ago: timedelta | None, solves_in_30_days: int, plays_flash_ctfs: bool) -> int:
    """0 to 100: the last access counts most, then how much was solved in 30 days, Flash CTFs among it."""
    recency = next((points for limit, points in RECENT if accessed_ago is not None and accessed_ago < limit), 0)
    for_solves = min(solves_in_30_days // SOLVES_PER_POINT, MOST_FOR_SOLVES)
    return recency + for_solves + (FOR_FLASH_CTFS if plays_flash_ctfs else 0)


def tier(score: int, *, active_for: timedelta) -> Tier:
    """`active_for`: how long this person still counts as active."""
    if active_for > timedelta():
        return Tier.ACTIVE
    return Tier.MODERATE if score >= MODERATE_SCORE else Tier.IDLE


def wait(score: int, *, active_for: timedelta, ceilings: Ceilings = DEFAULT) -> timedelta:
    """From this look to the next. Who stops being active before the short wait is over has the longer one."""
    if active_for > ceilings.active + GRACE:
        return ceilings.active
    return ceilings.moderate if tier(score, active_for=timedelta()) is Tier.MODERATE else ceilings.idle


def retry_wait(failures: int) -> timedelta:
    """Before somebody whose record could not be read is asked for again; `failures` in a row, this one included."""
    return min(SHORTEST_RETRY * (1 << min(failures - 1, 10)), LONGEST_RETRY)


def is_meaningful(old: int, new: int) -> bool:
    """Whether the stored score should follow: a tick of age alone is not worth a write."""
    crosses = (old >= MODERATE_SCORE) != (new >= MODERATE_SCORE)
    return crosses or abs(new - old) >= MEANINGFUL_POINTS
