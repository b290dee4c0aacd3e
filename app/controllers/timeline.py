"""The timeline: what happened, by day and one by one; a page, a part of the overview, and a file."""

from collections.abc import AsyncIterator, Sequence
from typing import Any
from uuid import UUID

from litestar import get
from litestar.response import Response, Stream

from app import charts
from app.charts import Figure, Series
from app.controllers.polling import digest, with_seen
from app.domain import csv_text
from app.domain import timeline as views
from app.domain.presenting import shown_name
from app.domain.readers import Reader
from app.domain.timeline import LABELS, MARKS, PATH, Day, Event, Kind, View
from app.queries import calendars, scopes, streaks
from app.queries import timeline as queries
from app.queries.scopes import Frame
from app.queries.timeline import Head
from app.security import audit
from app.security.policy import coaches
from app.web import PRIVATE, AnyRequest, page

COLUMNS = ("at", "kind", "what", "competitor", "handle", "team", "by", "points", "category", "more")
FIELDS = ("name", "handle", "activity")
WORDS: dict[str, Any] = {"labels": LABELS, "marks": MARKS, "by_days": views.by_days}


@get(PATH, guards=[coaches])
async def show(request: AnyRequest) -> Response[Any]:
    reader: Reader = request.user
    parsed = views.parse(request.query_params.multi_items())
    frame = await scopes.frame(parsed.view.scope, reader)
    head = await queries.get_head(frame, parsed.view.person_id)
    view, notices = queries.understood(parsed.view, frame, head)
    if parsed.is_export:
        return _file(reader, frame, view)
    found = await queries.get_page(frame, view)
    state = digest(found.lines, head.version, head.as_of, head.is_late, frame.today, reader.is_presenting)
    if parsed.seen == state:
        return Response(None, status_code=204, headers=PRIVATE)
    is_typed = request.headers.get("hx-source", "").endswith("#filters")
    return page(
        request, "timeline/index.html", fragment="timeline/_happened.html",
        headers={"HX-Replace-Url": view.url(cursor=view.cursor)} if is_typed else None,
        **WORDS, view=view, frame=frame, head=head, notices=(*parsed.notices, *frame.notices, *notices),
        chips=_chips(reader, frame, view, head), people=_people(reader, head), found=found,
        refresh_url=with_seen(view.url(cursor=view.cursor), state),
        figure=figure(await queries.by_day(frame, view), frame),
        streaks=await streaks.running(frame, await calendars.breaks(frame.organization_id)),
    )


async def load(frame: Frame) -> dict[str, Any]:
    """What timeline/_panel.html shows, on whichever page it stands."""
    return {
        **WORDS, "frame": frame, "lines": await queries.latest(frame), "timeline_url": frame.scope.url(PATH),
        "figure": figure(await queries.by_day(frame), frame),
    }


def figure(days: Sequence[Day], frame: Frame) -> Figure:
    kinds = [kind for kind in Kind if any(day.counts.get(kind) for day in days)]
    places = tuple(day.day for day in days)
    return charts.bars(
        "timeline-days", views.finding(days, frame.days_words),
        [Series(LABELS[kind], places, tuple(day.counts.get(kind, 0) for day in days), MARKS[kind]) for kind in kinds],
        across=f"Day in {frame.zone.key}", upwards="Events", columns=("Day", *(LABELS[kind] for kind in kinds)),
        rows=tuple(
            (day.day, *(day.counts.get(kind, 0) for kind in kinds))
            for day in reversed(days) if any(day.counts.values())
        ),
    )


def _people(reader: Reader, head: Head) -> list[tuple[str, str]]:
    return [
        (str(competitor_id), shown_name(reader, name, handle, competitor_id))
        for competitor_id, name, handle in head.people
    ]


def _chips(reader: Reader, frame: Frame, view: View, head: Head) -> tuple[tuple[str, str, str], ...]:
    kind = (("Kind", LABELS[Kind(view.kind)], view.url(kind="")),) if view.kind else ()
    name = shown_name(reader, *head.person, view.person_id) if head.person else ""
    person = (("Person", name, view.url(person_id=None)),) if head.person else ()
    return (*frame.chips(PATH, view.others), *kind, *person)


def _file(reader: Reader, frame: Frame, view: View) -> Response[Any]:
    name = f"timeline-{frame.today}.csv"
    return Stream(
        _lines(reader, frame, view), media_type="text/csv; charset=utf-8",
        headers={**PRIVATE, "Content-Disposition": f'attachment; filename="{name}"'},
    )


async def _lines(reader: Reader, frame: Frame, view: View) -> AsyncIterator[str]:
    """Whose rows leave is written down before they do, once for each person."""
    yield csv_text.BYTE_ORDER_MARK + csv_text.lines([COLUMNS])
    told: set[UUID] = set()
    async for events in queries.walk(frame, view):
        new = {event.person.competitor_id for event in events if event.person} - told
        await audit.disclose(
            sorted(new), purpose="timeline export", recipient=reader.name, user_id=reader.user_id, fields=FIELDS
        )
        told |= new
        yield csv_text.lines(_cells(reader, event) for event in events)


def _cells(reader: Reader, event: Event) -> list[object]:
    person = event.person
    return [
        event.at, LABELS[event.kind], views.phrase([event]),
        shown_name(reader, person.name, person.handle, person.competitor_id) if person else "",
        person.handle if person else "",
        event.team, event.actor, event.details.get("points"), event.details.get("category"), views.more([event]),
    ]
