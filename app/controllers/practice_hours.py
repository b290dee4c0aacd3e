"""Practice hours: the report, its files, and how long the Flash CTFs of an organization count."""

import asyncio
from typing import Any

from litestar import get, post
from litestar.exceptions import NotFoundException
from litestar.response import Redirect, Response, Template

from app.controllers import practice_hours_file
from app.controllers.forms import text_fields
from app.controllers.practice_hours_file import File, by_category
from app.domain import practice_hours as views
from app.domain.addresses import as_uuid
from app.domain.leaderboard import DIVISIONS
from app.domain.practice_hours import EVENT_MINUTES, PATH, Parsed
from app.domain.readers import Reader
from app.domain.scopes import Scope
from app.queries import practice_hours as queries
from app.queries import scopes
from app.queries.practice_hours import Report
from app.queries.scopes import Frame
from app.security import audit
from app.security.policy import admins, coaches
from app.services import practice_hours
from app.services.practice_hours import BadWindow, NotFound
from app.web import PRIVATE, AnyRequest, page

EVENTS = f"{PATH}/events"
EXCEL = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
SUMMED_AT_ONCE = 1000
FIELDS = ("name", "handle", "grade", "school_id", "division", "team", "practice hours")


@get(PATH, guards=[coaches])
async def show(request: AnyRequest) -> Response[Any]:
    reader: Reader = request.user
    parsed = views.parse(request.query_params.multi_items())
    frame = await scopes.frame(parsed.view.scope, reader)
    report, notices = queries.understood(parsed.view, frame)
    if parsed.format:
        return await _file(reader, report, parsed.format)
    return await _page(request, parsed, report, notices)


@get(EVENTS, guards=[admins])
async def show_events(request: AnyRequest) -> Template:
    return await _events(request, await _frame(request, request.query_params.get("organization", "")))


@post(EVENTS, guards=[admins])
async def set_event(request: AnyRequest) -> Template | Redirect:
    form = await text_fields(request, "organization", "name", "minutes")
    organization_id = as_uuid(form["organization"])
    if organization_id is None:
        raise NotFoundException
    try:
        await practice_hours.set_event_window(
            request.user, organization_id, name=form["name"], minutes=form["minutes"]
        )
    except NotFound:
        raise NotFoundException from None
    except BadWindow as error:
        return await _events(request, await _frame(request, form["organization"]), error=error, entered=form)
    return Redirect(f"{EVENTS}?organization={organization_id}&done=saved", status_code=303, headers=PRIVATE)


async def _page(request: AnyRequest, parsed: Parsed, report: Report, notices: tuple[str, ...]) -> Template:
    view, roster = report.view, await queries.get_roster(report)
    found, total = await queries.get_page(report), None
    if view.is_summed or roster.count(report.frame.scope.division) <= SUMMED_AT_ONCE:
        total = await queries.get_total(report)
    is_typed = request.headers.get("hx-source", "").endswith("#filters")
    return page(
        request, "practice_hours/index.html", fragment="practice_hours/_report.html",
        headers={"HX-Replace-Url": view.url(cursor=view.cursor)} if is_typed else None,
        view=view, frame=report.frame, period=report.period, notices=(*parsed.notices, *notices),
        periods=views.offered_periods(report.frame.today, report.period), found=found, total=total, roster=roster,
        categories=total.categories if total else found.categories, chips=_chips(report), divisions=DIVISIONS,
        hours=views.hours, by_category=by_category, method=views.method(report.frame.zone.key),
    )


def _chips(report: Report) -> tuple[tuple[str, str, str], ...]:
    view = report.view
    others = {"period": view.period, "q": view.search}
    search = (("Search", view.search, view.url(search="")),) if view.search else ()
    return (*report.frame.chips(PATH, others), *search)


async def _file(reader: Reader, report: Report, kind: str) -> Response[Any]:
    """Whose rows leave is written down before they do."""
    students = tuple([student async for rows in queries.walk(report) for student in rows])
    file = File(reader, report, await queries.get_roster(report), await queries.get_total(report), students)
    await audit.disclose(
        [student.competitor_id for student in students], purpose="practice hours export", recipient=reader.name,
        user_id=reader.user_id, fields=FIELDS,
    )
    name = f"practice-hours-{report.period.key}.{kind}"
    headers = {**PRIVATE, "Content-Disposition": f'attachment; filename="{name}"'}
    if kind == "csv":
        return Response(practice_hours_file.csv(file), media_type="text/csv; charset=utf-8", headers=headers)
    return Response(await _workbook(file), media_type=EXCEL, headers=headers)


async def _workbook(file: File) -> bytes:
    report = file.report
    whole = File(
        file.reader, report, file.roster, file.total, file.students, await queries.get_spans(report),
        await queries.get_event_windows(report.frame.organization_id),
    )
    return await asyncio.to_thread(practice_hours_file.workbook, whole)


async def _frame(request: AnyRequest, organization: str) -> Frame:
    return await scopes.frame(Scope(organization_id=as_uuid(organization)), request.user)


async def _events(
    request: AnyRequest, frame: Frame, *, error: BadWindow | None = None, entered: dict[str, str] | None = None
) -> Template:
    return page(
        request, "practice_hours/events.html", status_code=422 if error else 200, frame=frame,
        windows=await queries.get_event_windows(frame.organization_id), error=error, entered=entered or {},
        usual=EVENT_MINUTES, is_saved=request.query_params.get("done") == "saved", back=frame.scope.url(PATH),
    )


ROUTES = [show, show_events, set_event]
