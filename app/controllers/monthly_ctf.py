"""The monthly CTF chart: a page of its own, a part of the overview, and its numbers for programs."""

from typing import Any
from zoneinfo import ZoneInfo

from litestar import get
from litestar.response import Response

from app import charts
from app.charts import Figure, Series
from app.domain import csv_text
from app.domain import monthly_ctf as views
from app.domain.monthly_ctf import PATH, Chart, Event, View
from app.queries import monthly_ctf as queries
from app.queries import scopes
from app.queries.scopes import Frame
from app.security.policy import coaches
from app.web import PRIVATE, AnyRequest, page

FIGURE = "monthly-ctf-figure"


@get(PATH, guards=[coaches])
async def show(request: AnyRequest) -> Response[Any]:
    parsed = views.parse(request.query_params.multi_items())
    frame = await scopes.frame(parsed.view.scope, request.user)
    shown = await load(frame, parsed.view)
    if parsed.format:
        return _file(shown["figure"], parsed.format)
    return page(
        request, "monthly_ctf/index.html", fragment="monthly_ctf/_panel.html", **shown,
        chips=frame.chips(PATH), clear_url=frame.scope.url(PATH, coach_id=None, team_id=None, division=""),
        notices=(*parsed.notices, *frame.notices),
    )


async def load(frame: Frame, view: View) -> dict[str, Any]:
    """What the panel shows, on whichever page it stands."""
    view = View(frame.scope, view.chart, view.path)
    found = await queries.get(frame, view.chart)
    return {"frame": frame, "view": view, "found": found, "figure": figure(found.events, view.chart, frame.zone)}


def figure(events: tuple[Event, ...], chart: Chart, zone: ZoneInfo) -> Figure:
    is_drawn = any(event.pace if chart is Chart.PACE else event.players for event in events)
    if not is_drawn:
        return charts.bars(FIGURE, views.finding(events, chart), (), across="Flash CTF", upwards="Points")
    return _pace(events, zone) if chart is Chart.PACE else _absolute(events, zone)


def _pace(events: tuple[Event, ...], zone: ZoneInfo) -> Figure:
    """The colour and dash of an event stay with its place from the newest, which comes first."""
    played = [event for event in reversed(events) if event.pace]
    minutes = views.checkpoints(max(event.last_minute for event in played))
    return charts.lines(
        FIGURE, views.finding(events, Chart.PACE),
        [
            Series(event.label(zone), (0, *(minute for minute, _points in event.pace)),
                   (0, *(points for _minute, points in event.pace)))
            for event in played
        ],
        across="Minute of the event", upwards="Points so far", is_stepped=True,
        columns=("Minute", *(event.label(zone) for event in played)),
        rows=tuple((minute, *(event.points_at(minute) for event in played)) for minute in minutes),
    )


def _absolute(events: tuple[Event, ...], zone: ZoneInfo) -> Figure:
    """The day tells an event where it is the only one of that day."""
    labels, days = tuple(event.label(zone) for event in events), tuple(event.day(zone) for event in events)
    places = days if len(set(days)) == len(days) else labels
    return charts.bars(
        FIGURE, views.finding(events, Chart.ABSOLUTE),
        [Series("Points", places, tuple(event.points for event in events), words=labels)],
        across="Flash CTF", upwards="Points",
        columns=("Flash CTF", "Points", "People with a solve", "Best score"),
        rows=tuple(
            (label, event.points, event.players, event.best) for label, event in zip(labels, events, strict=True)
        ),
    )


def _file(figure: Figure, kind: str) -> Response[Any]:
    """Sums of many; whoever they are of is not in them, so nothing is disclosed."""
    if kind == "json":
        return Response(str(figure.json).encode(), media_type="application/json", headers=PRIVATE)
    headers = {**PRIVATE, "Content-Disposition": 'attachment; filename="monthly-ctf.csv"'}
    text = csv_text.BYTE_ORDER_MARK + csv_text.lines([figure.columns, *figure.rows])
    return Response(text, media_type="text/csv; charset=utf-8", headers=headers)
