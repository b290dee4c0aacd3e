"""What is wrong with the installation: the list, the strip on the operators' pages, and letting work go on."""

from datetime import UTC, datetime, timedelta
from typing import Any

from litestar import get, post
from litestar.response import Redirect, Response, Template

from app.controllers.forms import text_fields
from app.controllers.polling import digest, with_seen
from app.domain import alarm_list
from app.domain.alarm_list import PATH, STATES, View
from app.domain.alarm_rules import CAUSES, Cause
from app.queries import alarms as queries
from app.queries.alarms import Page
from app.security.policy import admins
from app.services import alarms
from app.web import PRIVATE, AnyRequest, page

LATE = timedelta(minutes=2)
DONE = {"resume": "It starts by itself again."}
NOT_STOPPED = "This work is not stopped, or somebody has resumed it already."


@get(PATH, guards=[admins])
async def list_all(request: AnyRequest) -> Response[Any]:
    return await _list(request, done=DONE.get(request.query_params.get("done", ""), ""))


@get(f"{PATH}/strip", guards=[admins])
async def strip(request: AnyRequest) -> Response[Any]:
    """Nothing where the page shows the same number already."""
    if request.query_params.get("seen") == str(request.user.alarms):
        return Response(None, status_code=204, headers=PRIVATE)
    return page(request, "alarms/_strip.html")


@post(f"{PATH}/resume", guards=[admins])
async def resume(request: AnyRequest) -> Response[Any]:
    kind = (await text_fields(request, "kind"))["kind"].replace("\0", "")
    if not await alarms.resume(request.user, kind):
        return await _list(request, problem=NOT_STOPPED)
    return Redirect(f"{PATH}?done=resume", status_code=303, headers=PRIVATE)


async def _list(request: AnyRequest, *, done: str = "", problem: str = "") -> Response[Any]:
    view, notices = alarm_list.parse(request.query_params.multi_items())
    found = await queries.list_alarms(is_open=view.shown_state == "open", cause=view.cause, page=view.page)
    state = digest(found.rows, found.open, found.resolved, _is_late(found))
    if request.query_params.get("seen") == state:
        return Response(None, status_code=204, headers=PRIVATE)
    return _shown(request, view, notices, found, state, done, problem)


def _shown(
    request: AnyRequest, view: View, notices: tuple[str, ...], found: Page, state: str, done: str, problem: str
) -> Template:
    is_typed = request.headers.get("hx-source", "").endswith("#filters")
    return page(
        request, "alarms/index.html", fragment="alarms/_list.html", status_code=422 if problem else 200,
        headers={"HX-Replace-Url": view.url()} if is_typed else None,
        view=view, notices=notices, done=done, problem=problem, found=found, is_late=_is_late(found),
        refresh_url=with_seen(view.url(page=view.page), state),
        tabs=[
            (label, view.url(state=key), key == view.shown_state, getattr(found, key))
            for key, label in STATES.items()
        ],
        chips=[("Cause", CAUSES[Cause(view.cause)].title, view.url(cause=""))] if view.cause else [],
        causes=[(cause.value, words.title) for cause, words in CAUSES.items()],
        has_more=found.total > view.page * queries.PAGE_SIZE,
    )


def _is_late(found: Page) -> bool:
    return bool(found.looked_at and datetime.now(UTC) - found.looked_at > LATE)


ROUTES = [list_all, strip, resume]
