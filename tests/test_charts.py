"""Figures: what plotly is told, and that nobody's name becomes anything but text."""

import json
from datetime import date

import plotly.graph_objects as go
import pytest

from app import charts
from app.charts import Series

TWO = (Series("Firewall", (0, 30), (0, 20)), Series("Backdoor", (30, 60), (5, None)))


def told(figure: charts.Figure) -> dict[str, list[dict[str, object]]]:
    content: dict[str, list[dict[str, object]]] = json.loads(figure.json)
    return content


def test_lines_differ_by_dash_and_symbol_besides_their_colour() -> None:
    first, second = told(charts.lines("a", "b", TWO, across="Minute", upwards="Points"))["data"]
    assert (first["meta"], second["meta"]) == (1, 2)
    assert first["line"] != second["line"]
    assert first["marker"] != second["marker"]


def test_parts_of_bars_differ_by_pattern() -> None:
    first, second = told(charts.bars("a", "b", TWO, across="Minute", upwards="Points"))["data"]
    assert first["marker"] != second["marker"]


def test_the_table_holds_what_is_drawn() -> None:
    figure = charts.lines("a", "b", TWO, across="Minute", upwards="Points")
    assert figure.columns == ("Minute", "Firewall", "Backdoor")
    assert figure.rows == ((0, 0, None), (30, 20, 5), (60, None, None))


def test_a_table_of_its_own_replaces_the_one_of_the_series() -> None:
    figure = charts.bars("a", "b", TWO, across="Minute", upwards="Points", columns=("Name",), rows=(("Ann",),))
    assert (figure.columns, figure.rows) == (("Name",), (("Ann",),))


def test_a_day_is_told_as_the_browser_reads_it() -> None:
    figure = charts.bars("a", "b", (Series("x", (date(2026, 11, 2),), (1,)),), across="Day", upwards="Events")
    assert told(figure)["data"][0]["x"] == ["2026-11-02"]


def test_a_name_cannot_leave_the_script_element_or_become_a_link() -> None:
    name = '</script><a href="https://evil.example">x</a>'
    figure = charts.lines("a", "b", (Series(name, (name,), (1,), words=(name,)),), across="x", upwards="y")
    assert "<" not in figure.json
    (trace,) = told(figure)["data"]
    assert str(trace["name"]).startswith("&lt;/script&gt;&lt;a href=")
    assert trace["hovertext"] == trace["x"] == [trace["name"]]


def test_no_theme_of_plotly_is_sent_along() -> None:
    assert len(charts.lines("a", "b", TWO, across="Minute", upwards="Points").json) < 800


@pytest.mark.parametrize("figure", [
    charts.lines("a", "b", TWO, across="Minute", upwards="Points"),
    charts.lines("a", "b", TWO, across="Minute", upwards="Points", is_stepped=True),
    charts.bars("a", "b", TWO, across="Day", upwards="Events"),
    charts.bars("a", "b", TWO, across="Day", upwards="Events", is_stacked=False),
], ids=["lines", "steps", "stacked bars", "grouped bars"])
def test_plotly_understands_every_part_of_a_figure(figure: charts.Figure) -> None:
    """Its own validation refuses a name or a value that is not in its schema."""
    content = json.loads(figure.json)
    assert len(go.Figure(content).data) == len(TWO)
    with pytest.raises(ValueError, match="layout"):
        go.Figure(content | {"layout": {"no such thing": 1}})
