"""Where our rosters and the Game Platform disagree, and what is done about each difference."""

from datetime import UTC, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from litestar import get, post
from litestar.exceptions import NotFoundException
from litestar.params import FromPath
from litestar.response import Redirect, Template

from app.controllers.forms import text_fields
from app.domain import drift_list
from app.domain.addresses import Reading
from app.domain.drift import Field, Subject
from app.domain.drift_list import FIELDS, PATH, STATES, SUBJECTS, View
from app.domain.readers import Reader
from app.queries import drift as queries
from app.queries.drift import Counts, Filter
from app.security.policy import admins
from app.services import drift_actions
from app.services.drift_actions import DriftError, NotFound
from app.web import PRIVATE, AnyRequest, page

LATE = timedelta(minutes=90)
"""Three looks that did not come."""
DONE = {
    "push": "Ours is on its way to the Game Platform.", "accept": "Theirs is accepted.",
    "ignore": "The difference is ignored until that day.",
}
NOT_FOUND = "There is no such difference."
SETTLED = "This difference was settled already."
NO_ACTION = "Choose to push ours, to accept theirs or to ignore the difference."
NO_DAY = "Choose the day until which the difference is ignored."


@get(PATH, guards=[admins])
async def list_all(request: AnyRequest) -> Template:
    return await _list(request, done=DONE.get(request.query_params.get("done", ""), ""))


@post(f"{PATH}/{{drift_id:uuid}}", guards=[admins])
async def act(request: AnyRequest, drift_id: FromPath[UUID]) -> Template | Redirect:
    """The view that the form stands in is in its address."""
    form = await text_fields(request, "do", "until")
    try:
        await _do(request.user, drift_id, form["do"], form["until"])
    except NotFound:
        raise NotFoundException(detail=NOT_FOUND) from None
    except DriftError as error:
        return await _list(request, problem=str(error))
    view, _ = drift_list.parse(request.query_params.multi_items())
    return Redirect(view.url(page=view.page, done=form["do"]), status_code=303, headers=PRIVATE)


async def _do(reader: Reader, drift_id: UUID, verb: str, until: str) -> None:
    row = await queries.get_drift(reader, drift_id)
    if row is None:
        raise NotFound
    if row.state == "resolved":
        raise DriftError(SETTLED)
    match verb:
        case "push":
            await drift_actions.push_ours(reader, drift_id)
        case "accept":
            await drift_actions.accept_theirs(reader, drift_id)
        case "ignore":
            await drift_actions.ignore_until(reader, drift_id, _midnight(until, ZoneInfo(reader.time_zone)))
        case _:
            raise DriftError(NO_ACTION)


def _midnight(text: str, zone: ZoneInfo) -> datetime:
    """A day begins at midnight where the reader is."""
    day = Reading([("until", text)]).day("until")
    if day is None:
        raise DriftError(NO_DAY)
    return datetime(day.year, day.month, day.day, tzinfo=zone)


async def _list(request: AnyRequest, *, done: str = "", problem: str = "") -> Template:
    view, notices = drift_list.parse(request.query_params.multi_items())
    found = await queries.list_drift(
        request.user, Filter(state=view.shown_state, subject=view.subject, field=view.field, page=view.page)
    )
    is_typed = request.headers.get("hx-source", "").endswith("#filters")
    return page(
        request, "drift/index.html", fragment="drift/_list.html", status_code=422 if problem else 200,
        headers={"HX-Replace-Url": view.url()} if is_typed else None,
        view=view, notices=notices, done=done, problem=problem, found=found, tabs=_tabs(view, found.by_state),
        chips=_chips(view), clear_url=view.url(subject="", field=""), subjects=SUBJECTS, fields=FIELDS,
        is_late=bool(found.as_of and datetime.now(UTC) - found.as_of > LATE),
        has_more=found.total > view.page * queries.PAGE_SIZE,
    )


def _tabs(view: View, counts: Counts) -> list[tuple[str, str, bool, int]]:
    return [
        (label, view.url(state=state), state == view.shown_state, getattr(counts, state))
        for state, label in STATES.items()
    ]


def _chips(view: View) -> list[tuple[str, str, str]]:
    about = [("About", SUBJECTS[Subject(view.subject)], view.url(subject=""))] if view.subject else []
    return about + ([("Field", FIELDS[Field(view.field)], view.url(field=""))] if view.field else [])



ROUTES = [list_all, act]
