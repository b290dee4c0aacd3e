"""One action on several competitors: who is meant and what may be done, then a result for each."""

from collections.abc import Collection, Sequence
from typing import Any
from urllib.parse import urlencode
from uuid import UUID, uuid4, uuid5

from litestar import get, post
from litestar.exceptions import NotFoundException
from litestar.params import FromPath
from litestar.response import Redirect, Template

from app.controllers.forms import text_fields
from app.controllers.platform_buttons import NOT_FOUND
from app.domain import competitor_list, platform_limits
from app.domain.addresses import as_uuid
from app.domain.competitor_list import PATH, STATUSES, View
from app.domain.leaderboard import DIVISIONS
from app.domain.readers import Reader
from app.queries import competitors, teams
from app.queries import roster_changes as queries
from app.security.policy import coaches
from app.services import onboarding_requests, roster_changes
from app.services.roster_changes import MOST, Action, NotFound
from app.web import PRIVATE, AnyRequest, page

CHANGE = f"{PATH}/change"
TARGETS = {Action.TEAM: ("team", "Choose a team from the list."), Action.COACH: ("coach", "Choose a coach.")}


@get(CHANGE, guards=[coaches])
async def ask(request: AnyRequest) -> Template:
    """The people whom the address names, or everybody whom its filters find."""
    pairs = list(request.query_params.multi_items())
    parsed = competitor_list.parse((name, value) for name, value in pairs if name != "competitor")
    named = [as_uuid(value) for name, value in pairs if name == "competitor"]
    if named:
        return await _page(request, parsed.view, [competitor_id for competitor_id in named if competitor_id])
    reader: Reader = request.user
    view, notices = competitors.understood(parsed.view, await competitors.get_choices(reader, parsed.view))
    found = await competitors.get_page(view, reader.sight, size=MOST)
    return await _page(
        request, view, [row.competitor_id for row in found.rows], is_cut=found.next is not None,
        notices=(*parsed.notices, *notices),
    )


@post(CHANGE, guards=[coaches])
async def act(request: AnyRequest) -> Template | Redirect:
    form = await text_fields(request, "action", "team", "coach")
    view = competitor_list.parse(request.query_params.multi_items()).view
    wanted = await chosen(request)
    if form["action"] not in set(Action) or not wanted:
        return await _page(request, view, wanted, problem="Choose whom you mean and what is to be done.")
    action = Action(form["action"])
    name, words = TARGETS.get(action, ("", ""))
    target = as_uuid(form[name]) if name else None
    if name and target is None:
        return await _page(request, view, wanted, problem=words, at=name)
    return await change(request, action, wanted, target)


@get(f"{PATH}/changes/{{change_id:uuid}}", guards=[coaches])
async def show(request: AnyRequest, change_id: FromPath[UUID]) -> Template:
    found = await queries.get_change(request.user, change_id)
    if found is None:
        raise NotFoundException(detail="There is no such change, or it is not yours to see.")
    return page(
        request, "roster_changes/result.html", fragment="roster_changes/_result.html", found=found,
        is_ask=found.action == Action.ADD,
    )


async def chosen(request: AnyRequest) -> list[UUID]:
    """Whom a form names. What is no id is nobody's."""
    texts = (await request.form()).getall("competitor", [])
    ids = [as_uuid(text) if isinstance(text, str) else None for text in texts]
    if None in ids:
        raise NotFoundException(detail=NOT_FOUND)
    return list(dict.fromkeys(competitor_id for competitor_id in ids if competitor_id))


async def change(request: AnyRequest, action: Action, wanted: Sequence[UUID], target: UUID | None) -> Redirect:
    """The same form with the same people sent again leads to the same result."""
    key = as_uuid((await text_fields(request, "key"))["key"]) or uuid4()
    change_id = uuid5(key, " ".join((action, str(target), *sorted(map(str, wanted)))))
    try:
        await roster_changes.apply(request.user, change_id, action, wanted, target)
    except (NotFound, onboarding_requests.NotFound):
        raise NotFoundException(detail=NOT_FOUND) from None
    return Redirect(f"{PATH}/changes/{change_id}", status_code=303, headers=PRIVATE)


def url_for(view: View, wanted: Collection[UUID]) -> str:
    """The page about these people, or about everybody of the view."""
    url = view.url(CHANGE, run_id=None)
    named = urlencode([("competitor", competitor_id) for competitor_id in wanted])
    return url + ("&" if "?" in url else "?") * bool(named) + named


async def _page(
    request: AnyRequest, view: View, wanted: Sequence[UUID], *, is_cut: bool = False, notices: Sequence[str] = (),
    problem: str = "", at: str = "",
) -> Template:
    reader: Reader = request.user
    rows = await competitors.get_rows(reader.sight, wanted[:MOST])
    if len(rows) < len(set(wanted)):
        raise NotFoundException(detail=NOT_FOUND)
    return page(
        request, "roster_changes/ask.html", status_code=422 if problem else 200, view=view, rows=rows, is_cut=is_cut,
        notices=notices, most=MOST, problem=problem, at=at, key=uuid4(), action_url=view.url(CHANGE),
        targets=await _targets(reader), statuses=STATUSES, divisions=DIVISIONS, limits=platform_limits,
    )


async def _targets(reader: Reader) -> dict[str, Any]:
    """Where they could go."""
    return {"teams": await queries.get_teams(reader), "coaches": await teams.get_coaches(reader)}


ROUTES = [ask, act, show]
