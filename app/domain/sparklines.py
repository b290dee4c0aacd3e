"""A line of whole numbers as the points of an SVG polyline, in a box of 87 × 24."""

import functools

STEP = 3
HEIGHT = 24
MARGIN = 2


@functools.lru_cache(maxsize=4096)
def points(values: tuple[int, ...]) -> str:
    """Points on a straight stretch are left out: a silent month is two of them."""
    top = max(1, *values, 1)
    heights = [HEIGHT - MARGIN - (HEIGHT - 2 * MARGIN) * max(value, 0) // top for value in values]
    last = len(heights) - 1
    kept = [
        f"{STEP * place},{height}"
        for place, height in enumerate(heights)
        if place in (0, last) or not heights[place - 1] == height == heights[place + 1]
    ]
    return " ".join(kept)
