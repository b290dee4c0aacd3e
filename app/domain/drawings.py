"""Where the lines of the small drawings go: numbers in, the coordinates of an SVG out."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

RADIUS = 80
LABEL_RADIUS = 95
LEVELS = 4
LINE_WIDTH, LINE_HEIGHT = 400, 120


@dataclass(frozen=True, slots=True)
class Spoke:
    x: float
    y: float
    label_x: float
    label_y: float


@dataclass(frozen=True, slots=True)
class Cell:
    """One day of a heatmap: its week from the left, its weekday from the top, and how much of a square it fills."""

    day: date
    count: int
    column: int
    row: int
    level: int


def day_after(first: date, number: int) -> date:
    return first + timedelta(days=number)


def spokes(count: int) -> tuple[Spoke, ...]:
    """The ends of a radar's axes around (0, 0), the first one upwards, clockwise."""
    return tuple(
        Spoke(*_around(place, count, RADIUS), *_around(place, count, LABEL_RADIUS)) for place in range(count)
    )


def radar(shares: Sequence[float]) -> str:
    """The points of the polygon; a share of 1 reaches the end of its axis."""
    points = (
        _around(place, len(shares), RADIUS * min(1.0, max(0.0, share))) for place, share in enumerate(shares)
    )
    return " ".join(f"{x},{y}" for x, y in points)


def _around(place: int, count: int, radius: float) -> tuple[float, float]:
    angle = math.tau * place / max(1, count)
    return round(radius * math.sin(angle), 1), round(-radius * math.cos(angle), 1)


def heatmap(days: Iterable[tuple[date, int]]) -> tuple[Cell, ...]:
    """Weeks from Monday as columns. Level 0 is nothing, the best day has the highest."""
    counts = sorted(days)
    if not counts:
        return ()
    top = max(1, *(count for _day, count in counts), 1)
    monday = counts[0][0] - timedelta(days=counts[0][0].weekday())
    return tuple(
        Cell(day, count, (day - monday).days // 7, day.weekday(), math.ceil(LEVELS * count / top))
        for day, count in counts
    )


def line(values: Sequence[float], top: float) -> str:
    """The points of a polyline from left to right; `top` is the value that reaches the upper edge."""
    steps = max(1, len(values) - 1)
    return " ".join(
        f"{round(LINE_WIDTH * place / steps, 1)},{round(LINE_HEIGHT * (1 - value / max(1, top)), 1)}"
        for place, value in enumerate(values)
    )


def percent(value: float, top: float) -> float:
    return round(100 * min(1.0, max(0.0, value / top)), 1) if top > 0 else 0.0
