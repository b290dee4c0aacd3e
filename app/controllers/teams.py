"""Teams: the list, a new one, and everything that a coach may change about one."""

from collections.abc import Awaitable, Mapping
from typing import Any, TypeVar
from uuid import UUID

from litestar import get, post
from litestar.exceptions import NotFoundException
from litestar.params import FromPath
from litestar.response import Redirect, Template

from app.controllers.forms import text_fields
from app.domain import platform_limits, team_list
from app.domain.addresses import as_uuid
from app.domain.competitor_list import STATUSES
from app.domain.leaderboard import DIVISIONS
from app.domain.readers import Reader
from app.domain.team_list import PATH, Parsed
from app.features import Feature, is_enabled
from app.queries import teams as queries
from app.queries.teams import Team
from app.security.policy import coaches
from app.services import teams
from app.services.teams import NotFound, TeamError
from app.web import PRIVATE, AnyRequest, page

T = TypeVar("T")

TEAM = f"{PATH}/{{team_id:uuid}}"
NOT_FOUND = "There is no such team or competitor, or it is not yours to see."
DONE = {
    "created": "The team is created.",
    "renamed": "The team has its new name.",
    "renamed-here": f"The team has its new name here. {platform_limits.RENAME_TEAM}",
    "edited": "The division and affiliation are saved.",
    "added": "The competitor is on the team.",
    "removed": "The competitor is off the team.",
    "archived": f"The team is archived. {platform_limits.ARCHIVE_TEAM}",
    "deleting": "The team is closed. It is deleted as soon as the Game Platform has answered.",
    "deleted": "The team is deleted.",
}


@get(PATH, guards=[coaches])
async def list_all(request: AnyRequest) -> Template:
    return await _list(request, team_list.parse(request.query_params.multi_items()))


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
        return await _list(
            request, team_list.parse(()), error=TeamError("Choose a coach from the list.", "coach_id"), entered=form
        )
    return _done(team_id, "created")


@get(TEAM, guards=[coaches])
async def show(request: AnyRequest, team_id: FromPath[UUID]) -> Template:
    return await _page(request, team_id)


@post(f"{TEAM}/rename", guards=[coaches])
async def rename(request: AnyRequest, team_id: FromPath[UUID]) -> Template | Redirect:
    form = await text_fields(request, "name")
    try:
        notice = await _found(teams.rename(request.user, team_id, form["name"]))
    except TeamError as error:
        return await _page(request, team_id, error=error, entered=form)
    return _done(team_id, "renamed-here" if notice else "renamed")


@post(f"{TEAM}/edit", guards=[coaches])
async def edit(request: AnyRequest, team_id: FromPath[UUID]) -> Template | Redirect:
    form = await text_fields(request, "division", "affiliation")
    try:
        await _found(
            teams.edit(request.user, team_id, division=form["division"], affiliation=form["affiliation"])
        )
    except TeamError as error:
        return await _page(request, team_id, error=error, entered=form)
    return _done(team_id, "edited")


@post(f"{TEAM}/members", guards=[coaches])
async def add_member(request: AnyRequest, team_id: FromPath[UUID]) -> Template | Redirect:
    form = await text_fields(request, "competitor_id")
    competitor_id = as_uuid(form["competitor_id"])
    try:
        if competitor_id is None:
            raise TeamError("Choose a competitor from the list.", "competitor_id")
        await _found(teams.add_member(request.user, team_id, competitor_id))
    except TeamError as error:
        return await _page(request, team_id, error=error, entered=form)
    return _done(team_id, "added")


@post(f"{TEAM}/members/{{competitor_id:uuid}}/remove", guards=[coaches])
async def remove_member(
    request: AnyRequest, team_id: FromPath[UUID], competitor_id: FromPath[UUID]
) -> Template | Redirect:
    try:
        await _found(teams.remove_member(request.user, team_id, competitor_id))
    except TeamError as error:
        return await _page(request, team_id, error=error)
    return _done(team_id, "removed")


@get(f"{TEAM}/archive", guards=[coaches])
async def confirm_archive(request: AnyRequest, team_id: FromPath[UUID]) -> Template:
    team = await _team(request.user, team_id)
    return page(request, "teams/confirm_archive.html", team=team, limit=platform_limits.ARCHIVE_TEAM)


@post(f"{TEAM}/archive", guards=[coaches])
async def archive(request: AnyRequest, team_id: FromPath[UUID]) -> Template | Redirect:
    try:
        await _found(teams.archive(request.user, team_id))
    except TeamError as error:
        return await _page(request, team_id, error=error)
    return _done(team_id, "archived")


@get(f"{TEAM}/delete", guards=[coaches])
async def confirm_delete(request: AnyRequest, team_id: FromPath[UUID]) -> Template:
    return page(request, "teams/confirm_delete.html", team=await _team(request.user, team_id))


@post(f"{TEAM}/delete", guards=[coaches])
async def delete(request: AnyRequest, team_id: FromPath[UUID]) -> Template | Redirect:
    """One that the platform never heard of is gone at once."""
    try:
        await _found(teams.delete(request.user, team_id))
    except TeamError as error:
        return await _page(request, team_id, error=error)
    if await queries.get_team(request.user.sight, team_id):
        return _done(team_id, "deleting")
    return _redirect(f"{PATH}?done=deleted")


async def _found(change: Awaitable[T]) -> T:
    try:
        return await change
    except NotFound:
        raise NotFoundException(detail=NOT_FOUND) from None


async def _team(reader: Reader, team_id: UUID) -> Team:
    team = await queries.get_team(reader.sight, team_id)
    if team is None:
        raise NotFoundException(detail=NOT_FOUND)
    return team


async def _list(
    request: AnyRequest, parsed: Parsed, *, error: TeamError | None = None, entered: Mapping[str, str] | None = None
) -> Template:
    reader: Reader = request.user
    view, notices = queries.understood(parsed.view)
    return page(
        request, "teams/index.html", status_code=422 if error else 200, view=view,
        notices=(*parsed.notices, *notices), found=await queries.get_page(view, reader.sight), divisions=DIVISIONS,
        coaches=await queries.get_coaches(reader), done=_notice(request), error=error, values=entered or {},
    )


async def _page(
    request: AnyRequest, team_id: UUID, *, error: TeamError | None = None, entered: Mapping[str, Any] | None = None
) -> Template:
    reader: Reader = request.user
    team = await _team(reader, team_id)
    return page(
        request, "teams/team.html", status_code=422 if error else 200, team=team, statuses=STATUSES,
        members=await queries.get_members(reader.sight, team_id), divisions=DIVISIONS, done=_notice(request),
        candidates=await queries.get_candidates(reader.sight, team) if team.can_change else (), error=error,
        values=entered or {}, limits=platform_limits,
        is_sent=await is_enabled(Feature.ROSTER_SYNC, team.organization_id),
    )


def _notice(request: AnyRequest) -> str:
    return DONE.get(request.query_params.get("done", ""), "")


def _done(team_id: UUID, what: str) -> Redirect:
    return _redirect(f"{PATH}/{team_id}?done={what}")


def _redirect(url: str) -> Redirect:
    return Redirect(url, status_code=303, headers=PRIVATE)


ROUTES = [
    list_all, create, show, rename, edit, add_member, remove_member, confirm_archive, archive, confirm_delete, delete,
]
