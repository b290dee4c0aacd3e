"""The teams: a page of tiles or the matrix, the same as a file, and a new one."""

from collections.abc import Mapping
from typing import Any

from litestar import get, post
from litestar.response import Redirect, Response, Template

from app.controllers import team_file
from app.controllers.forms import text_fields
from app.domain import team_list
from app.domain.addresses import as_uuid
from app.domain.leaderboard import DIVISIONS
from app.domain.readers import Reader
from app.domain.team_list import PATH, Parsed, View
from app.queries import scopes, team_tiles
from app.queries import teams as queries
from app.queries.scopes import Frame
from app.security.policy import coaches
from app.services import teams
from app.services.teams import NotFound, TeamError
from app.web import PRIVATE, AnyRequest, page

DELETED = "The team is deleted."


@get(PATH, guards=[coaches])
async def list_all(request: AnyRequest) -> Response[Any]:
    parsed = team_list.parse(request.query_params.multi_items())
    if request.query_params.get("format") == "csv":
        return await _file(request, parsed)
    return await _list(request, parsed)


@post(PATH, guards=[coaches])
async def create(request: AnyRequest) -> Template | Redirect:
    form = await text_fields(request, "name", "division", "affiliation", "coach_id")
    try:
        team_id = await teams.create(
            request.user, name=form["name"], division=form["division"], affiliation=form["affiliation"],
            coach_id=as_uuid(form["coach_id"]),
        )
    except TeamError as error:
        return await _list(request, team_list.parse(()), error=error, entered=form)
    except NotFound:
        unknown = TeamError("Choose a coach from the list.", "coach_id")
        return await _list(request, team_list.parse(()), error=unknown, entered=form)
    return Redirect(f"{PATH}/{team_id}?done=created", status_code=303, headers=PRIVATE)


async def _list(
    request: AnyRequest, parsed: Parsed, *, error: TeamError | None = None, entered: Mapping[str, str] | None = None
) -> Template:
    reader: Reader = request.user
    frame = await scopes.frame(parsed.view.scope, reader)
    view, notices = queries.understood(parsed.view, frame)
    return page(
        request, "teams/index.html", fragment="teams/_list.html", status_code=422 if error else 200, view=view,
        frame=frame, notices=(*parsed.notices, *frame.notices, *notices),
        found=await team_tiles.get_page(view, frame), chips=_chips(view, frame), divisions=DIVISIONS,
        coaches=await queries.get_coaches(reader), error=error, values=entered or {},
        done=DELETED if request.query_params.get("done") == "deleted" else "",
    )


def _chips(view: View, frame: Frame) -> tuple[tuple[str, str, str], ...]:
    """Each filter that is set: its name, its value and the address without it."""
    chips = frame.chips(PATH, view.own)
    return (("Search", view.search, view.url(search="")), *chips) if view.search else chips


async def _file(request: AnyRequest, parsed: Parsed) -> Response[str]:
    frame = await scopes.frame(parsed.view.scope, request.user)
    view, _ = queries.understood(parsed.view, frame)
    return Response(
        await team_file.content(view, frame), media_type="text/csv; charset=utf-8",
        headers={**PRIVATE, "Content-Disposition": f'attachment; filename="teams-{frame.today}.csv"'},
    )


ROUTES = [list_all, create]
