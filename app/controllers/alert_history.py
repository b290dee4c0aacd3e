"""/alerts/history: what became of alerts, and who did what about them."""

from collections.abc import AsyncIterator
from typing import Any

from litestar import get
from litestar.response import Response, Stream

from app.domain import alert_history as views
from app.domain import csv_text
from app.domain.alert_history import PATH, WHAT, View
from app.domain.alert_rules import RULES, Rule
from app.domain.leaderboard import DIVISIONS, WINDOWS
from app.domain.presenting import shown_name
from app.domain.readers import Reader
from app.queries import alert_history as queries
from app.queries import scopes
from app.queries.alert_history import Event
from app.queries.scopes import Frame
from app.security import audit
from app.security.policy import coaches
from app.web import PRIVATE, AnyRequest, page

COLUMNS = ("at", "alert", "what", "by", "until", "name", "handle", "team", "cause", "reason")


@get(PATH, guards=[coaches])
async def show(request: AnyRequest) -> Response[Any]:
    parsed, reader = views.parse(request.query_params.multi_items()), request.user
    frame = await scopes.frame(parsed.view.scope, reader)
    view, notices = queries.understood(parsed.view, frame)
    if parsed.is_export:
        return _file(reader, frame, view)
    return page(
        request, "alert_history/index.html", fragment="alert_history/_list.html", view=view, frame=frame,
        notices=(*parsed.notices, *notices), found=await queries.get_page(view, frame), chips=_chips(view, frame),
        rules=RULES, what=WHAT, divisions=DIVISIONS, windows=WINDOWS,
    )


def _chips(view: View, frame: Frame) -> tuple[tuple[str, str, str], ...]:
    """Each filter that is set: its name, its value and the address without it."""
    own = (
        ("What", WHAT.get(view.what, ""), view.url(what="")),
        ("Rule", RULES[Rule(view.rule)].title if view.rule else "", view.url(rule="")),
    )
    return (*frame.chips(PATH, view.others), *((name, value, url) for name, value, url in own if value))


def _file(reader: Reader, frame: Frame, view: View) -> Response[Any]:
    name = f"alert-history-{frame.today}.csv"
    return Stream(
        _lines(reader, frame, view), media_type="text/csv; charset=utf-8",
        headers={**PRIVATE, "Content-Disposition": f'attachment; filename="{name}"'},
    )


async def _lines(reader: Reader, frame: Frame, view: View) -> AsyncIterator[str]:
    """Whose rows leave is written down before they do."""
    yield csv_text.BYTE_ORDER_MARK + csv_text.lines([COLUMNS])
    async for rows in queries.walk(view, frame):
        people = {row.competitor_id for row in rows if row.competitor_id}
        await audit.disclose(
            sorted(people), purpose="alert history export", recipient=reader.name, user_id=reader.user_id,
            fields=COLUMNS,
        )
        yield csv_text.lines(_cells(reader, row) for row in rows)


def _cells(reader: Reader, row: Event) -> list[object]:
    name = shown_name(reader, row.name, row.handle, row.competitor_id) if row.competitor_id else ""
    return [
        row.at, row.words.title, row.phrase, row.actor, row.until, name, row.handle, row.team, row.words.cause,
        row.reason,
    ]


ROUTES = [show]
