"""Alerts: the list with its filters, and what is done about one or many."""

from collections.abc import AsyncIterator, Sequence
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from litestar import get, post
from litestar.exceptions import NotFoundException
from litestar.response import Redirect, Response, Stream

from app.controllers import alerts_file
from app.controllers.forms import text_fields
from app.controllers.polling import digest, with_seen
from app.domain import alert_list
from app.domain.addresses import as_uuid
from app.domain.alert_list import GROUPS, OWNERS, PATH, STATES, Parsed, View
from app.domain.alert_rules import RULES, Group, Rule
from app.domain.leaderboard import DIVISIONS
from app.domain.readers import Reader
from app.queries import alerts as queries
from app.queries import scopes as scope_queries
from app.queries.alerts import Counts
from app.queries.scopes import Frame
from app.security.policy import coaches
from app.services import alert_actions
from app.services.alert_actions import AlertError, NotFound
from app.web import PRIVATE, AnyRequest, page

NOT_FOUND = "There is no such alert, or it is not yours to see."
NOTHING_CHOSEN = "Nothing was chosen. Tick the alerts that are meant, then press the button again."
NO_DAY = "Choose the day until which they are put aside."
DONE = {
    "take": "Taken: it is yours to see to.", "back": "Given back: anybody can take it.",
    "wake": "Back among the open ones.", "day": "Put aside for a day.", "week": "Put aside for a week.",
    "until": "Put aside until that day.",
}
LATE = timedelta(minutes=15)
"""Three looks that did not come."""
SNOOZES = {"day": timedelta(days=1), "week": timedelta(days=7)}


@get(PATH, guards=[coaches])
async def list_all(request: AnyRequest) -> Response[Any]:
    parsed = alert_list.parse(request.query_params.multi_items())
    if parsed.is_export:
        return await _file(request.user, parsed.view)
    return await _list(request, parsed, done=DONE.get(request.query_params.get("done", ""), ""))


@post(f"{PATH}/act", guards=[coaches])
async def act(request: AnyRequest) -> Response[Any]:
    """The view that the form stands in is in its address. A row's own button names its alert: "take <id>"."""
    parsed = alert_list.parse(request.query_params.multi_items())
    form = await text_fields(request, "do", "until")
    verb, _, only = form["do"].partition(" ")
    chosen = _ids([only] if only else (await request.form()).getall("alert", []))
    if verb not in DONE or not chosen:
        return await _list(request, parsed, problem=NOTHING_CHOSEN)
    try:
        await _do(request.user, verb, chosen, form["until"])
    except NotFound:
        raise NotFoundException(detail=NOT_FOUND) from None
    except AlertError as error:
        return await _list(request, parsed, problem=str(error))
    url = parsed.view.url(cursor=parsed.view.cursor)
    return Redirect(f"{url}{'&' if '?' in url else '?'}done={verb}", status_code=303, headers=PRIVATE)


async def _do(reader: Reader, verb: str, chosen: Sequence[UUID], until: str) -> None:
    match verb:
        case "take":
            await alert_actions.take(reader, chosen)
        case "back":
            await alert_actions.give_back(reader, chosen)
        case "wake":
            await alert_actions.wake(reader, chosen)
        case _:
            await alert_actions.snooze(reader, chosen, _until(verb, until, ZoneInfo(reader.time_zone)))


def _until(verb: str, text: str, zone: ZoneInfo) -> datetime:
    """A day begins at midnight where the reader is."""
    if verb in SNOOZES:
        return datetime.now(zone) + SNOOZES[verb]
    try:
        day = date.fromisoformat(text)
        return datetime(day.year, day.month, day.day, tzinfo=zone)
    except ValueError:
        raise AlertError(NO_DAY) from None


def _ids(texts: Sequence[object]) -> list[UUID]:
    """What is no id is nobody's."""
    ids = [as_uuid(text) if isinstance(text, str) else None for text in texts]
    if None in ids:
        raise NotFoundException(detail=NOT_FOUND)
    return [alert_id for alert_id in ids if alert_id]


async def _list(request: AnyRequest, parsed: Parsed, *, done: str = "", problem: str = "") -> Response[Any]:
    reader: Reader = request.user
    frame = await scope_queries.frame(parsed.view.scope, reader)
    view, notices = queries.understood(parsed.view, frame)
    found = await queries.get_page(view, frame, reader.user_id)
    counts = await queries.get_counts(view, frame, reader.user_id)
    looked_at = await queries.get_looked_at()
    state = digest(found, counts, looked_at, reader.is_presenting)
    if parsed.seen == state:
        return Response(None, status_code=204, headers=PRIVATE)
    is_typed = request.headers.get("hx-source", "").endswith("#filters")
    return page(
        request, "alerts/index.html", fragment="alerts/_list.html", status_code=422 if problem else 200,
        headers={"HX-Replace-Url": view.url(cursor=view.cursor)} if is_typed else None,
        view=view, frame=frame, notices=(*parsed.notices, *notices), done=done, problem=problem, found=found,
        tabs=_tabs(view, counts), counts=counts, chips=_chips(view, frame), rules=RULES, groups=GROUPS, owners=OWNERS,
        refresh_url=with_seen(view.url(cursor=view.cursor), state), divisions=DIVISIONS,
        looked_at=looked_at, is_late=bool(looked_at and frame.now - looked_at > LATE), file_url=_file_url(view),
        form_url=view.url(f"{PATH}/act", cursor=view.cursor), clear_url=_clear_url(view),
    )


def _file_url(view: View) -> str:
    url = view.url()
    return f"{url}{'&' if '?' in url else '?'}format=csv"


def _tabs(view: View, counts: Counts) -> list[tuple[str, str, bool, int]]:
    return [
        (label, view.url(state=state), state == view.shown_state, counts.count(state, rule=view.rule))
        for state, label in STATES.items()
    ]


def _clear_url(view: View) -> str:
    return view.url(rule="", group="", owner="", scope={"coach_id": None, "team_id": None, "division": ""})


def _chips(view: View, frame: Frame) -> tuple[tuple[str, str, str], ...]:
    """Each filter that is set: its name, its value and the address without it."""
    own: tuple[tuple[str, str, dict[str, Any]], ...] = (
        ("Rule", RULES[Rule(view.rule)].title if view.rule else "", {"rule": ""}),
        ("Group", GROUPS.get(Group(view.group), "") if view.group else "", {"group": ""}),
        ("Taken by", OWNERS.get(view.owner, ""), {"owner": ""}),
    )
    others = {"state": view.state, "rule": view.rule, "group": view.group, "owner": view.owner}
    return (
        *frame.chips(PATH, others),
        *((name, value, view.url(**without)) for name, value, without in own if value),
    )


async def _file(reader: Reader, asked: View) -> Response[Any]:
    frame = await scope_queries.frame(asked.scope, reader)
    view, _ = queries.understood(asked, frame)
    name = f"alerts-{frame.today:%Y-%m-%d}.csv"
    return Stream(
        _lines(view, frame, reader), media_type="text/csv; charset=utf-8",
        headers={**PRIVATE, "Content-Disposition": f'attachment; filename="{name}"'},
    )


async def _lines(view: View, frame: Frame, reader: Reader) -> AsyncIterator[str]:
    """Whose rows leave is written down before they do."""
    yield alerts_file.head()
    async for rows in queries.walk(view, frame, reader.user_id):
        await alerts_file.record(rows, reader)
        yield alerts_file.lines(rows, reader)


ROUTES = [list_all, act]
