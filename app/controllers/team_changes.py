"""Everything that a coach may change about one team. What is refused stands on the team's page."""

from collections.abc import Awaitable
from typing import TypeVar
from uuid import UUID

from litestar import get, post
from litestar.exceptions import NotFoundException
from litestar.params import FromPath
from litestar.response import Redirect, Template

from app.controllers import team_page
from app.controllers.forms import text_fields
from app.controllers.team_page import NOT_FOUND, TEAM
from app.domain import platform_limits
from app.domain.addresses import as_uuid
from app.domain.team_list import PATH
from app.features import FeatureOff
from app.queries import teams as queries
from app.security.policy import coaches
from app.services import manual_sync, password_help, team_endings, teams
from app.services.manual_sync import SyncRefused
from app.services.password_help import PasswordHelpError
from app.services.teams import NotFound, TeamError
from app.web import PRIVATE, AnyRequest, page

T = TypeVar("T")

MAIL_IS_OFF = "Password help is switched off for this organization."
MEMBER = f"{TEAM}/members/{{competitor_id:uuid}}"


@post(f"{TEAM}/rename", guards=[coaches])
async def rename(request: AnyRequest, team_id: FromPath[UUID]) -> Template | Redirect:
    form = await text_fields(request, "name")
    try:
        notice = await _found(teams.rename(request.user, team_id, form["name"]))
    except TeamError as error:
        return await team_page.render(request, team_id, error=error, entered=form)
    return _done(team_id, "renamed-here" if notice else "renamed")


@post(f"{TEAM}/edit", guards=[coaches])
async def edit(request: AnyRequest, team_id: FromPath[UUID]) -> Template | Redirect:
    form = await text_fields(request, "division", "affiliation")
    try:
        await _found(
            teams.edit(request.user, team_id, division=form["division"], affiliation=form["affiliation"])
        )
    except TeamError as error:
        return await team_page.render(request, team_id, error=error, entered=form)
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
        return await team_page.render(request, team_id, error=error, entered=form)
    return _done(team_id, "added")


@post(f"{MEMBER}/move", guards=[coaches])
async def move_member(
    request: AnyRequest, team_id: FromPath[UUID], competitor_id: FromPath[UUID]
) -> Template | Redirect:
    """Onto another team, whose page comes next."""
    await team_page.find(request.user, team_id)
    target = as_uuid((await text_fields(request, "to"))["to"])
    try:
        if target is None:
            raise TeamError("Choose the team to move to from the list.")
        await _found(teams.add_member(request.user, target, competitor_id))
    except TeamError as error:
        return await team_page.render(request, team_id, error=error)
    return _done(target, "moved")


@post(f"{MEMBER}/remove", guards=[coaches])
async def remove_member(
    request: AnyRequest, team_id: FromPath[UUID], competitor_id: FromPath[UUID]
) -> Template | Redirect:
    try:
        await _found(teams.remove_member(request.user, team_id, competitor_id))
    except TeamError as error:
        return await team_page.render(request, team_id, error=error)
    return _done(team_id, "removed")


@post(f"{MEMBER}/password-mail", guards=[coaches])
async def ask_for_mail(
    request: AnyRequest, team_id: FromPath[UUID], competitor_id: FromPath[UUID]
) -> Template | Redirect:
    await team_page.find(request.user, team_id)
    try:
        await password_help.ask(request.user, competitor_id)
    except password_help.NotFound:
        raise NotFoundException(detail=NOT_FOUND) from None
    except FeatureOff:
        return await team_page.render(request, team_id, error=TeamError(MAIL_IS_OFF))
    except PasswordHelpError as error:
        return await team_page.render(request, team_id, error=TeamError(str(error)))
    return _done(team_id, "mail")


@post(f"{TEAM}/sync", guards=[coaches])
async def sync(request: AnyRequest, team_id: FromPath[UUID]) -> Template | Redirect:
    team = await team_page.find(request.user, team_id)
    try:
        asked = await manual_sync.sync_now(request.user, await queries.get_member_ids(team))
    except SyncRefused as error:
        return await team_page.render(request, team_id, error=TeamError(str(error)))
    return _done(team_id, "sync" if asked.is_new else "sync-running")


@get(f"{TEAM}/archive", guards=[coaches])
async def confirm_archive(request: AnyRequest, team_id: FromPath[UUID]) -> Template:
    team = await team_page.find(request.user, team_id)
    return page(request, "teams/confirm_archive.html", team=team, limit=platform_limits.ARCHIVE_TEAM)


@post(f"{TEAM}/archive", guards=[coaches])
async def archive(request: AnyRequest, team_id: FromPath[UUID]) -> Template | Redirect:
    try:
        await _found(team_endings.archive(request.user, team_id))
    except TeamError as error:
        return await team_page.render(request, team_id, error=error)
    return _done(team_id, "archived")


@post(f"{TEAM}/restore", guards=[coaches])
async def restore(request: AnyRequest, team_id: FromPath[UUID]) -> Template | Redirect:
    try:
        await _found(team_endings.restore(request.user, team_id))
    except TeamError as error:
        return await team_page.render(request, team_id, error=error)
    return _done(team_id, "restored")


@get(f"{TEAM}/delete", guards=[coaches])
async def confirm_delete(request: AnyRequest, team_id: FromPath[UUID]) -> Template:
    return page(request, "teams/confirm_delete.html", team=await team_page.find(request.user, team_id))


@post(f"{TEAM}/delete", guards=[coaches])
async def delete(request: AnyRequest, team_id: FromPath[UUID]) -> Template | Redirect:
    """One that the platform never heard of is gone at once."""
    try:
        await _found(team_endings.delete(request.user, team_id))
    except TeamError as error:
        return await team_page.render(request, team_id, error=error)
    if await queries.get_team(request.user.sight, team_id):
        return _done(team_id, "deleting")
    return _redirect(f"{PATH}?done=deleted")


async def _found(change: Awaitable[T]) -> T:
    try:
        return await change
    except NotFound:
        raise NotFoundException(detail=NOT_FOUND) from None


def _done(team_id: UUID, what: str) -> Redirect:
    return _redirect(f"{PATH}/{team_id}?done={what}")


def _redirect(url: str) -> Redirect:
    return Redirect(url, status_code=303, headers=PRIVATE)


ROUTES = [
    rename, edit, add_member, move_member, remove_member, ask_for_mail, sync, confirm_archive, archive, restore,
    confirm_delete, delete,
]
