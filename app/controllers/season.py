"""/competitors/season: the school year is over. Who moves up and who leaves is looked at first, then done at once."""

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID, uuid4

from litestar import get, post
from litestar.background_tasks import BackgroundTask
from litestar.exceptions import NotFoundException
from litestar.response import Redirect, Response, Template

from app.controllers.forms import text_fields
from app.domain import csv_text, platform_limits, season
from app.domain.addresses import as_uuid
from app.domain.competitor_list import PATH as COMPETITORS
from app.domain.leaderboard import DIVISIONS
from app.domain.presenting import shown_name
from app.domain.readers import Reader
from app.domain.season import Move, Step
from app.queries import season as queries
from app.queries import teams
from app.queries.season import Year
from app.security import audit
from app.security.policy import coaches
from app.services import season as service
from app.services import standings
from app.services.season import NotFound, SeasonError, Undone
from app.web import PRIVATE, AnyRequest, page

PATH = f"{COMPETITORS}/season"
FORM_MAX_BYTES = 1024 * 1024
NOT_FOUND = "There is no such roster or season, or it is not yours to change."
STEP = "step-"
USUAL = "usual"
MOST_SHOWN = 200
STEPS = {Step.UP: "Moves up", Step.STAY: "Stays", Step.LEAVE: "Leaves"}
DONE = {
    "turned": "The season is turned. It stands below and can be undone.",
    "undone": "The turn is undone. Grades, divisions, leavers and teams are as they were.",
    "partly": "The turn is undone, but for what was changed since: that stays as it is now.",
}
COLUMNS = ("name", "step", "grade", "grade_after", "division", "division_after", "team", "leaves_team")


@get(PATH, guards=[coaches])
async def show(request: AnyRequest) -> Response[Any]:
    reader: Reader = request.user
    text = request.query_params.get("coach", "")
    coach_id = reader.user_id if reader.is_coach else as_uuid(text)
    year = await queries.get_year(reader, coach_id) if coach_id else None
    if year is None:
        notices = ("“coach” is not known.",) if text else ()
        return page(request, "season/choose.html", coaches=await teams.get_coaches(reader), notices=notices, path=PATH)
    if request.query_params.get("format") == "csv":
        return _file(reader, await _moves(year, {}))
    return await _preview(request, year, notices=_notices(request.query_params))


def _notices(asked: Mapping[str, str]) -> tuple[str, ...]:
    """Of values that fell back to the default."""
    page_text, show_text = asked.get("page", ""), asked.get("show", "")
    found = []
    if page_text and (_page_of(asked) == 1) != (page_text == "1"):
        found.append("“page” is not a page; the first is shown.")
    if show_text and not _usual(asked):
        found.append("“show” is not known; everybody is shown.")
    return tuple(found)


@post(f"{PATH}/check", guards=[coaches], request_max_body_size=FORM_MAX_BYTES)
async def check(request: AnyRequest) -> Template:
    """With every exception taken into account, and nothing changed. `go` leads to another page of the roster, with the
    exceptions of all pages kept in the form."""
    year, form = await _asked(request)
    if go := form.get("go", ""):
        return await _preview(request, year, form=_gone(form, go, await _moves(year, _steps(form))))
    moves = await _moves(year, _steps(form))
    changes = [each for each in moves if each.is_change]
    return page(
        request, "season/check.html", year=year, ended_year=_ended_year(year, form), archives_teams=_archives(form),
        moves=changes[:MOST_SHOWN], more=len(changes) - MOST_SHOWN, exceptions=_exceptions(moves), path=PATH, step=STEP,
        key=uuid4(), steps=STEPS, divisions=DIVISIONS, limits=platform_limits, totals=_totals(moves),
    )


@post(PATH, guards=[coaches], request_max_body_size=FORM_MAX_BYTES)
async def turn(request: AnyRequest) -> Response[Any]:
    year, form = await _asked(request)
    try:
        await service.turn(
            request.user, year.coach_id, ended_year=_ended_year(year, form), steps=_steps(form),
            archives_teams=_archives(form), key=as_uuid(form.get("key", "")),
        )
    except NotFound:
        raise NotFoundException(detail=NOT_FOUND) from None
    except SeasonError as error:
        return await _preview(request, year, problem=error.text, form=form)
    return _done(year.coach_id, "turned")


@post(f"{PATH}/undo", guards=[coaches])
async def undo(request: AnyRequest) -> Redirect:
    form = await text_fields(request, "change", "coach")
    change_id = as_uuid(form["change"])
    try:
        if change_id is None:
            raise NotFound
        undone = await service.undo(request.user, change_id)
    except NotFound:
        raise NotFoundException(detail=NOT_FOUND) from None
    return _done(as_uuid(form["coach"]) or request.user.user_id, _outcome(undone))


async def _asked(request: AnyRequest) -> tuple[Year, Mapping[str, str]]:
    form = {name: value for name, value in (await request.form()).items() if isinstance(value, str)}
    coach_id = as_uuid(form.get("coach", ""))
    year = await queries.get_year(request.user, coach_id) if coach_id else None
    if year is None:
        raise NotFoundException(detail=NOT_FOUND)
    return year, form


def _steps(form: Mapping[str, str]) -> dict[UUID, Step]:
    """What is no step or nobody is left out; a foreign person is refused where it counts."""
    found = {as_uuid(name.removeprefix(STEP)): value for name, value in form.items() if name.startswith(STEP)}
    return {each: Step(value) for each, value in found.items() if each and value in set(Step)}


def _gone(form: Mapping[str, str], go: str, moves: Iterable[Move]) -> dict[str, str]:
    """The form as it stands after the button: on another page, filtered, or with one step for everybody shown."""
    if go != "all":
        return {**form, "page": go if go.isdigit() else "1"}
    chosen = season.matching(moves, _usual(form))
    step = form.get("all", "")
    if step == USUAL:
        return {**form, **{f"{STEP}{each.pupil.id}": season.usual_step(each.pupil).value for each in chosen}}
    if step not in set(Step):
        return dict(form)
    return {**form, **{f"{STEP}{each.pupil.id}": step for each in chosen}}


def _usual(form: Mapping[str, str]) -> str:
    return form["show"] if form.get("show") in set(Step) else ""


def _page_of(form: Mapping[str, str]) -> int:
    text = form.get("page", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 7 else 1


def _ended_year(year: Year, form: Mapping[str, str]) -> str:
    """One of the two that may be over."""
    choices = season.years(year.today, year.starts_month)
    wanted = form.get("year", "")
    return wanted if wanted in choices else choices[0]


def _archives(form: Mapping[str, str]) -> bool:
    return form.get("teams") == "archive"


async def _moves(year: Year, steps: Mapping[UUID, Step]) -> list[Move]:
    pupils = await service.read_roster(year.coach_id)
    return [season.move(pupil, steps.get(pupil.id, season.usual_step(pupil))) for pupil in pupils]


def _exceptions(moves: Iterable[Move]) -> list[tuple[UUID, str]]:
    return [(each.pupil.id, each.step.value) for each in moves if each.step != season.usual_step(each.pupil)]


def _totals(moves: list[Move]) -> dict[str, int]:
    up, leave = season.count(moves, Step.UP), season.count(moves, Step.LEAVE)
    return {"up": up, "leave": leave, "same": len(moves) - up - leave}


async def _preview(
    request: AnyRequest, year: Year, *, problem: str = "", form: Mapping[str, str] | None = None,
    notices: tuple[str, ...] = (),
) -> Template:
    form = dict(request.query_params) if form is None else form
    moves = await _moves(year, _steps(form))
    shown = season.show(moves, _usual(form), _page_of(form))
    on_page = {each.pupil.id for each in shown.moves}
    return page(
        request, "season/index.html", status_code=422 if problem else 200, year=year, shown=shown, problem=problem,
        notices=notices,
        elsewhere=[(pupil, value) for pupil, value in _exceptions(moves) if pupil not in on_page], show=_usual(form),
        years=season.years(year.today, year.starts_month), ended_year=_ended_year(year, form), steps=STEPS,
        archives_teams=_archives(form), changes=await queries.get_changes(year.coach_id), path=PATH, step=STEP,
        done=DONE.get(request.query_params.get("done", ""), ""), divisions=DIVISIONS,
        usual={each.pupil.id: season.move(each.pupil, season.usual_step(each.pupil)) for each in shown.moves},
        totals=_totals(moves),
    )


def _outcome(undone: Undone) -> str:
    return "partly" if undone.people_left or undone.teams_left else "undone"


def _file(reader: Reader, moves: list[Move]) -> Response[str]:
    rows = [
        (shown_name(reader, each.pupil.name, each.pupil.handle, each.pupil.id), each.step.value,
         each.pupil.grade, each.grade,
         each.pupil.division, each.division, each.pupil.team, "yes" if each.leaves_team else "no")
        for each in moves
    ]
    return Response(
        csv_text.BYTE_ORDER_MARK + csv_text.lines([COLUMNS, *rows]), media_type="text/csv; charset=utf-8",
        headers={**PRIVATE, "Content-Disposition": 'attachment; filename="season.csv"'},
        background=BackgroundTask(
            audit.disclose, [each.pupil.id for each in moves], purpose="season export", recipient=reader.name,
            user_id=reader.user_id, fields=COLUMNS,
        ),
    )


def _done(coach_id: UUID, what: str) -> Redirect:
    """The standings follow after the answer."""
    return Redirect(
        f"{PATH}?coach={coach_id}&done={what}", status_code=303, headers=PRIVATE,
        background=BackgroundTask(standings.refresh_stale),
    )


ROUTES = [show, check, turn, undo]
