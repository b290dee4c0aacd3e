"""Who assists which team, and a whole roster from one coach to another."""

from typing import Any
from uuid import UUID

from litestar import get, post
from litestar.exceptions import NotFoundException
from litestar.response import Redirect, Template

from app.controllers.forms import text_fields
from app.domain import platform_limits
from app.domain.addresses import Reading, as_uuid
from app.domain.competitor_list import PATH as COMPETITORS
from app.domain.readers import Reader
from app.queries import coaches as queries
from app.queries.coaches import Roster
from app.security.policy import admins, coaches
from app.services import hand_over, organizations
from app.services.hand_over import HandOverError
from app.services.organizations import OrganizationError
from app.web import PRIVATE, AnyRequest, page

PATH = f"{COMPETITORS}/coaches"
NOT_FOUND = "There is no such team or coach, or it is not yours to change."
CHOOSE_BOTH = "Choose a team and a coach from the lists."
DONE = {
    "added": "The assistant sees the team and its competitors from now on.",
    "removed": "The assistant does not see the team any more.",
    "handed-over": "The roster has its new coach.",
}


@get(PATH, guards=[coaches])
async def show(request: AnyRequest) -> Template:
    return await _page(request)


@post(f"{PATH}/assistants", guards=[coaches])
async def add_assistant(request: AnyRequest) -> Template | Redirect:
    team_id, user_id = await _pair(request)
    if team_id is None or user_id is None:
        return await _page(request, problem=CHOOSE_BOTH)
    try:
        await organizations.add_assistant(team_id, user_id, actor=request.user)
    except organizations.NoSuchTeam:
        raise NotFoundException(detail=NOT_FOUND) from None
    except OrganizationError as error:
        return await _page(request, problem=str(error))
    return _redirect("added")


@post(f"{PATH}/assistants/remove", guards=[coaches])
async def remove_assistant(request: AnyRequest) -> Redirect:
    team_id, user_id = await _pair(request)
    if team_id is None or user_id is None:
        raise NotFoundException(detail=NOT_FOUND)
    try:
        await organizations.remove_assistant(team_id, user_id, actor=request.user)
    except organizations.NoSuchTeam:
        raise NotFoundException(detail=NOT_FOUND) from None
    return _redirect("removed")


@get(f"{PATH}/hand-over", guards=[admins])
async def confirm_hand_over(request: AnyRequest) -> Template:
    """What goes to whom; nothing is changed here."""
    reading = Reading(request.query_params.multi_items())
    rosters = await queries.get_rosters(request.user)
    names = dict(await queries.get_coaches(request.user))
    leaving, taking = reading.uuid("from"), reading.uuid("to")
    roster = next((roster for roster in rosters if roster.coach_id == leaving), None)
    if roster is None or str(taking) not in names or leaving == taking:
        return await _page(request, problem="Choose two different coaches, of whom the first has a roster.")
    return _confirm(request, roster, str(taking), names[str(taking)])


@post(f"{PATH}/hand-over", guards=[admins])
async def give(request: AnyRequest) -> Template | Redirect:
    form = await text_fields(request, "from", "to")
    leaving, taking = as_uuid(form["from"]), as_uuid(form["to"])
    if leaving is None or taking is None:
        raise NotFoundException(detail=NOT_FOUND)
    try:
        await hand_over.hand_over(request.user, leaving, taking)
    except hand_over.NotFound:
        raise NotFoundException(detail=NOT_FOUND) from None
    except HandOverError as error:
        return await _page(request, problem=str(error))
    return _redirect("handed-over")


async def _pair(request: AnyRequest) -> tuple[UUID | None, UUID | None]:
    form = await text_fields(request, "team", "coach")
    return as_uuid(form["team"]), as_uuid(form["coach"])


async def _page(request: AnyRequest, *, problem: str = "") -> Template:
    reader: Reader = request.user
    search = Reading(request.query_params.multi_items()).search()
    teams, has_more = await queries.get_teams(reader, search)
    return page(
        request, "roster_coaches/index.html", status_code=422 if problem and request.method == "POST" else 200,
        teams=teams, has_more=has_more, search=search, coaches=await queries.get_coaches(reader),
        rosters=await queries.get_rosters(reader), problem=problem, most=queries.MOST_TEAMS,
        done=DONE.get(request.query_params.get("done", ""), ""),
    )


def _confirm(request: AnyRequest, roster: Roster, coach_id: str, coach: str) -> Template:
    context: dict[str, Any] = {"roster": roster, "coach_id": coach_id, "coach": coach}
    return page(request, "roster_coaches/confirm.html", **context, limit=platform_limits.CHANGE_COACH)


def _redirect(done: str) -> Redirect:
    return Redirect(f"{PATH}?done={done}", status_code=303, headers=PRIVATE)


ROUTES = [show, add_assistant, remove_assistant, confirm_hand_over, give]
