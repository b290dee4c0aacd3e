"""The what-if builder: a draft of other teams, what they would cover and what would be sent; then in earnest."""

import hashlib
from typing import Any
from uuid import UUID

from litestar import get, post
from litestar.exceptions import NotFoundException
from litestar.response import Redirect, Response, Template

from app.controllers.forms import text_fields
from app.domain import team_plan_view as views
from app.domain.addresses import as_uuid
from app.domain.leaderboard import DIVISIONS
from app.domain.scopes import Scope
from app.domain.team_plan_view import LARGEST_TEAM, MOST_CHANGES, NOBODY, PATH, Draft, View
from app.domain.team_plans import MODES, CallKind, Group, Mode
from app.features import Feature, is_enabled
from app.queries import scopes
from app.queries import team_plans as queries
from app.queries.scopes import Frame
from app.queries.team_plans import Known
from app.security.policy import coaches
from app.services import team_plans
from app.services.team_plans import NotFound, PlanOutdated, TeamError
from app.web import PRIVATE, AnyRequest, page

APPLY = f"{PATH}/apply"
FIELD = "to-"
NOT_FOUND = "There is no such team or competitor, or it is not yours to see."
OUTDATED = "Somebody was moved, or the Game Platform answered, since this plan was shown. Look at it again, then apply."
TOO_MANY = f"More than {MOST_CHANGES} places were changed by hand. Apply a part of it first."


@get(PATH, guards=[coaches])
async def show(request: AnyRequest) -> Template:
    return await _page(request)


@post(PATH, guards=[coaches])
async def draft(request: AnyRequest) -> Response[Any]:
    """The view that the form stands in is in its address, and so is what comes of it."""
    view, known, _ = await _known(request)
    form = await request.form()
    wanted = {
        _person(name): _team(text) for name, text in form.multi_items()
        if name.startswith(FIELD) and isinstance(text, str)
    }
    if not all(known.squad.allows(person, team) for person, team in wanted.items()):
        raise NotFoundException(detail=NOT_FOUND)
    changes = views.changed_by_hand(view, known.squad, wanted)
    if len(changes) > MOST_CHANGES:
        return await _page(request, problem=TOO_MANY)
    return _redirect(f"{view.url(changes=changes)}#coverage")


@post(APPLY, guards=[coaches])
async def apply(request: AnyRequest) -> Response[Any]:
    """Exactly what was shown, or nothing."""
    view, known, frame = await _known(request)
    plan, _ = views.draft(view, known.squad)
    if not plan.moves or (await text_fields(request, "shown"))["shown"] != _digest(plan):
        return await _page(request, problem=OUTDATED)
    try:
        await team_plans.apply(request.user, frame.organization_id, plan.moves)
    except NotFound:
        raise NotFoundException(detail=NOT_FOUND) from None
    except PlanOutdated:
        return await _page(request, problem=OUTDATED)
    except TeamError as error:
        return await _page(request, problem=error.text)
    url = view.url(mode=Mode.NOW, size=None, changes=())
    return _redirect(f"{url}{'&' if '?' in url else '?'}done={len(plan.moves)}")


def _person(name: str) -> UUID:
    found = as_uuid(name.removeprefix(FIELD))
    if found is None:
        raise NotFoundException(detail=NOT_FOUND)
    return found


def _team(text: str) -> UUID | None:
    found = as_uuid(text)
    if found is None and text != NOBODY:
        raise NotFoundException(detail=NOT_FOUND)
    return found


async def _known(request: AnyRequest) -> tuple[View, Known, Frame]:
    """What a form stands in; a group that is not there is not found."""
    view = views.parse(request.query_params.multi_items()).view
    frame = await _frame(request, view)
    group = _chosen(view, await queries.get_groups(frame))
    if group is None or group.key != view.group:
        raise NotFoundException(detail=NOT_FOUND)
    return view, await queries.get_squad(group, frame), frame


async def _frame(request: AnyRequest, view: View) -> Frame:
    return await scopes.frame(Scope(organization_id=view.organization_id), request.user)


def _chosen(view: View, groups: tuple[Group, ...]) -> Group | None:
    return next((group for group in groups if group.key == view.group), groups[0] if groups else None)


async def _page(request: AnyRequest, *, problem: str = "") -> Template:
    parsed = views.parse(request.query_params.multi_items())
    frame = await _frame(request, parsed.view)
    notices = (*parsed.notices, *frame.notices)
    groups = await queries.get_groups(frame)
    group = _chosen(parsed.view, groups)
    if group is None:
        return page(request, "team_plans/no_teams.html", notices=notices)
    view = View(frame.scope.organization_id, group.key, parsed.view.mode, parsed.view.size, parsed.view.changes)
    if parsed.view.group not in ("", group.key):
        notices = (*notices, "“group” is not known; the first one is shown.")
    known = await queries.get_squad(group, frame)
    plan, left_out = views.draft(view, known.squad)
    return page(
        request, "team_plans/index.html", status_code=422 if problem else 200, frame=frame, known=known, plan=plan,
        notices=(*notices, *left_out), problem=problem, done=_done(request), groups=groups, divisions=DIVISIONS,
        modes=MODES, Mode=Mode, CallKind=CallKind, shown=_digest(plan), largest=LARGEST_TEAM, nobody=NOBODY,
        field=FIELD, now=known.squad.suggested(Mode.NOW, None), apply_url=plan.view.url(APPLY),
        is_sent=await is_enabled(Feature.ROSTER_SYNC, frame.organization_id),
    )


def _done(request: AnyRequest) -> int:
    text = request.query_params.get("done", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 5 else 0


def _digest(plan: Draft) -> str:
    """Equal for what moves the same people and tells the platform the same."""
    told = [(call.kind, call.person and call.person.competitor_id, call.team and call.team.team_id)
            for call in plan.calls]
    moved = [(move.person.competitor_id, move.person.team_id, move.after and move.after.team_id)
             for move in plan.moves]
    return hashlib.sha256(repr((told, moved)).encode()).hexdigest()[:16]


def _redirect(url: str) -> Redirect:
    return Redirect(url, status_code=303, headers=PRIVATE)


ROUTES = [show, draft, apply]
