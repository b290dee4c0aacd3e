"""Days of whole numbers as bars: the path of an SVG of 30 × 9, one upright stroke for each day that is not nothing."""

import functools

HEIGHT = 9


@functools.lru_cache(maxsize=4096)
def bars(values: tuple[int, ...]) -> str:
    """The best day reaches the top; every day with something is seen."""
    top = max(1, *values, 1)
    return "".join(
        f"M{place} {HEIGHT}V{min(HEIGHT - 1, HEIGHT - HEIGHT * value // top)}"
        for place, value in enumerate(values) if value > 0
    )
