"""How one person compares with the others of their team and division."""

from dataclasses import dataclass

SMALLEST_GROUP = 5
"""Of fewer, an average or a percentile would tell of single people."""


@dataclass(frozen=True, slots=True)
class Measure:
    """`behind`: how many of the group have less."""

    name: str
    own: int
    average: float
    behind: int


@dataclass(frozen=True, slots=True)
class Group:
    """`people` counts the person themselves."""

    name: str
    people: int
    measures: tuple[Measure, ...]

    @property
    def is_large_enough(self) -> bool:
        return self.people >= SMALLEST_GROUP

    def percentile(self, measure: Measure) -> int:
        """How many percent of the others have less."""
        return 100 * measure.behind // max(1, self.people - 1)
