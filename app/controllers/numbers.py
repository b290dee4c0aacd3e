"""Explains a number: what it means, over which days, and the rows that it is the sum of."""

from collections.abc import AsyncIterator
from typing import Any

from litestar import get
from litestar.exceptions import NotFoundException
from litestar.params import FromPath
from litestar.response import Response, Stream

from app.domain import csv_text, numbers
from app.domain.kpis import MEANINGS, Kpi
from app.domain.leaderboard import DIVISIONS
from app.domain.numbers import View
from app.domain.presenting import shown_name
from app.domain.readers import Reader
from app.queries import numbers as queries
from app.queries import scopes
from app.queries.kpis import Event, get_freshness
from app.queries.numbers import Row
from app.queries.scopes import Frame
from app.security import audit
from app.security.policy import coaches
from app.web import PRIVATE, AnyRequest, page

COLUMNS = ("name", "handle", "team", "division", "part", "at", "sync_run_id", "synced_at")


@get("/numbers/{name:str}", guards=[coaches])
async def show(request: AnyRequest, name: FromPath[str]) -> Response[Any]:
    if name not in list(Kpi):
        raise NotFoundException(detail="There is no such number. The overview leads to each of them.")
    reader: Reader = request.user
    parsed = numbers.parse(Kpi(name), request.query_params.multi_items())
    frame = await scopes.frame(parsed.view.scope, reader)
    view, notices = queries.understood(parsed.view, frame)
    event = await queries.latest_event(view, frame)
    if parsed.is_export:
        return _file(view, frame, event, reader)
    is_filtering = request.headers.get("hx-source", "").endswith("#filters")
    meaning = MEANINGS[view.kpi]
    return page(
        request, "numbers/index.html", fragment="numbers/_rows.html", view=view, frame=frame, event=event,
        headers={"HX-Replace-Url": view.url()} if is_filtering else None, meaning=meaning,
        freshness=await get_freshness(frame) if meaning.is_synced else None,
        total=await queries.get_total(view, frame, event), found=await queries.get_page(view, frame, event),
        chips=frame.chips(view.path), divisions=DIVISIONS, file_url=view.url(others={"format": "csv"}),
        clear_url=view.scope.url(view.path, coach_id=None, team_id=None, division=""),
        notices=(*parsed.notices, *frame.notices, *notices),
    )


def _file(view: View, frame: Frame, event: Event | None, reader: Reader) -> Response[Any]:
    name = f"{view.kpi}-{frame.now.astimezone(frame.zone):%Y-%m-%d}.csv"
    return Stream(
        _lines(view, frame, event, reader), media_type="text/csv; charset=utf-8",
        headers={**PRIVATE, "Content-Disposition": f'attachment; filename="{name}"'},
    )


async def _lines(view: View, frame: Frame, event: Event | None, reader: Reader) -> AsyncIterator[str]:
    """Whose rows leave is written down before they do."""
    yield csv_text.BYTE_ORDER_MARK + csv_text.lines([COLUMNS])
    async for rows in queries.walk(view, frame, event):
        await audit.disclose(
            [row.competitor_id for row in rows], purpose=f"{MEANINGS[view.kpi].title} export", recipient=reader.name,
            user_id=reader.user_id, fields=COLUMNS,
        )
        yield csv_text.lines(_cells(row, reader) for row in rows)


def _cells(row: Row, reader: Reader) -> list[object]:
    return [
        shown_name(reader, row.name, row.handle, row.competitor_id), row.handle,
        row.team, DIVISIONS.get(row.division, row.division),
        row.part, row.moment, row.run_id, row.brought_at,
    ]
