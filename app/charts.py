"""Figures that are explored: plotly's own description, with the finding in words and the same numbers as a table.

Sizes, fonts and colours are not in here: static/js/charts.js takes them from the page's tokens. The description is
written as plotly's schema has it, and a test holds it against plotly's own validation, which takes longer than a page.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import cycle

from markupsafe import Markup, escape

Place = str | int | float | date | datetime
Value = int | float | None
Row = tuple[object, ...]

# What tells one line from another besides its colour.
DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
SYMBOLS = ("circle", "square", "diamond", "triangle-up", "x", "star")
PATTERNS = ("", "/", ".", "x", "-", "+")


@dataclass(frozen=True, slots=True)
class Series:
    """`mark` is one of the colours of tokens.css (1 to 11); 0 takes them in turn. `words` are what hovering tells."""

    name: str
    places: tuple[Place, ...]
    values: tuple[Value, ...]
    mark: int = 0
    words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Figure:
    """`caption` states the finding; `rows` under `columns` hold what is drawn. Without rows nothing is."""

    id: str
    caption: str
    json: Markup
    columns: tuple[str, ...]
    rows: tuple[Row, ...]


def lines(
    id: str, caption: str, series: Sequence[Series], *, across: str, upwards: str, is_stepped: bool = False,
    columns: tuple[str, ...] = (), rows: tuple[Row, ...] | None = None,
) -> Figure:
    """One line per series; `is_stepped` for a number that stays as it is until the next one."""
    traces = [
        {
            "type": "scatter", **_trace(each, place), "mode": "lines+markers",
            "line": {"dash": dash, "shape": "hv" if is_stepped else "linear"}, "marker": {"symbol": symbol, "size": 6},
        }
        for place, (each, dash, symbol) in enumerate(zip(series, cycle(DASHES), cycle(SYMBOLS), strict=False), 1)
    ]
    return _figure(id, caption, traces, series, across, upwards, columns, rows)


def bars(
    id: str, caption: str, series: Sequence[Series], *, across: str, upwards: str, is_stacked: bool = True,
    columns: tuple[str, ...] = (), rows: tuple[Row, ...] | None = None,
) -> Figure:
    """Upright bars, one part of each per series; patterns tell the parts apart besides their colour."""
    traces = [
        {"type": "bar", **_trace(each, place), "marker": {"pattern": {"shape": pattern}}}
        for place, (each, pattern) in enumerate(zip(series, cycle(PATTERNS), strict=False), 1)
    ]
    barmode = "stack" if is_stacked else "group"
    return _figure(id, caption, traces, series, across, upwards, columns, rows, barmode=barmode)


def _trace(series: Series, place: int) -> dict[str, object]:
    words = {"hovertext": [_plain(words) for words in series.words]} if series.words else {}
    return {
        "x": _plain_places(series.places), "y": series.values, "name": _plain(series.name),
        "meta": series.mark or place, **words,
    }


def _figure(
    id: str, caption: str, traces: list[dict[str, object]], series: Sequence[Series], across: str,
    upwards: str, columns: tuple[str, ...], rows: tuple[Row, ...] | None, **layout: str,
) -> Figure:
    content = {
        "data": traces,
        "layout": {
            "xaxis": {"title": {"text": across}}, "yaxis": {"title": {"text": upwards}},
            "showlegend": len(traces) > 1, **layout,
        },
    }
    return Figure(
        id, caption, _inert(content), columns or (across, *(each.name for each in series)),
        _table(series) if rows is None else rows,
    )


def _table(series: Sequence[Series]) -> tuple[Row, ...]:
    """One row for each place that any series has, in the order in which they come first."""
    values = [dict(zip(each.places, each.values, strict=True)) for each in series]
    places = dict.fromkeys(place for each in series for place in each.places)
    return tuple((place, *(of_one.get(place) for of_one in values)) for place in places)


def _plain(text: str) -> str:
    """Plotly reads tags and entities in its texts; ours hold none."""
    return str(escape(text))


def _plain_places(places: tuple[Place, ...]) -> tuple[Place, ...]:
    return tuple(_plain(place) if isinstance(place, str) else place for place in places)


def _inert(content: object) -> Markup:
    """JSON that may stand inside a script element: nothing in it can end the element."""
    text = json.dumps(content, default=_told, separators=(",", ":"))
    return Markup(text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026"))  # noqa: S704


def _told(value: object) -> str:
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(type(value).__name__)
