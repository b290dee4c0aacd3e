"""Competitors: the list with the way onto the Game Platform for one or many."""

from typing import Any
from uuid import UUID

from litestar import get, post
from litestar.exceptions import NotFoundException
from litestar.response import Redirect, Response

from app.controllers import platform_buttons
from app.controllers.forms import text_fields
from app.controllers.platform_buttons import NOT_FOUND
from app.controllers.polling import digest, with_seen
from app.domain import competitor_list
from app.domain.addresses import as_uuid
from app.domain.competitor_list import NO_TEAM, PATH, STATUSES, Parsed, View
from app.domain.leaderboard import DIVISIONS
from app.domain.onboarding_button import ADD
from app.queries import competitors as queries
from app.queries import onboarding
from app.security.policy import coaches
from app.web import PRIVATE, AnyRequest, page

NOBODY_CHOSEN = "Nobody was chosen. Tick the competitors that are to be added, then press the button again."


@get(PATH, guards=[coaches])
async def list_all(request: AnyRequest) -> Response[Any]:
    return await _list(request, competitor_list.parse(request.query_params.multi_items()))


@post(f"{PATH}/add", guards=[coaches])
async def add_selected(request: AnyRequest) -> Response[Any]:
    """The view that the form stands in is in its address; a row's own button names only that row."""
    parsed = competitor_list.parse(request.query_params.multi_items())
    wanted = await _chosen(request)
    if not wanted:
        return await _list(request, parsed, problems=(NOBODY_CHOSEN,))
    added = await platform_buttons.add(request.user, wanted)
    if added.run_id is None:
        reasons = tuple(dict.fromkeys(reason for _, reason in added.refused))
        return await _list(request, parsed, problems=("Nobody was added.", *reasons))
    url = parsed.view.url(run_id=added.run_id, cursor=parsed.view.cursor)
    return _redirect(f"{url}&left_out={len(added.refused)}" if added.refused else url)


async def _chosen(request: AnyRequest) -> list[UUID]:
    """What is no id is nobody's."""
    only = (await text_fields(request, "only"))["only"]
    texts = [only] if only else (await request.form()).getall("competitor", [])
    ids = [as_uuid(text) if isinstance(text, str) else None for text in texts]
    if None in ids:
        raise NotFoundException(detail=NOT_FOUND)
    return [competitor_id for competitor_id in ids if competitor_id]


async def _list(request: AnyRequest, parsed: Parsed, *, problems: tuple[str, ...] = ()) -> Response[Any]:
    sight = request.user.sight
    teams = await queries.get_teams(sight, parsed.view)
    view, notices = queries.understood(parsed.view, teams)
    found = await queries.get_page(view, sight)
    buttons = await platform_buttons.read(request.user, found.rows)
    report = await onboarding.report(sight, view.run_id) if view.run_id else ()
    waiting = await onboarding.waiting_by_coach(sight)
    state = digest(found, buttons, report, waiting)
    if parsed.seen == state:
        return Response(None, status_code=204, headers=PRIVATE)
    is_typed = request.headers.get("hx-source", "").endswith("#filters")
    return page(
        request, "competitors/index.html", fragment="competitors/_list.html", status_code=422 if problems else 200,
        headers={"HX-Replace-Url": view.url(cursor=view.cursor)} if is_typed else None,
        view=view, notices=(*parsed.notices, *notices), problems=problems, found=found, buttons=buttons,
        report=report, waiting=waiting, left_out=parsed.left_out, chips=_chips(view, teams.chosen), statuses=STATUSES,
        divisions=DIVISIONS, teams=teams.choices, without_team=NO_TEAM, add_label=ADD,
        refresh_url=with_seen(view.url(cursor=view.cursor), state),
        form_url=view.url(f"{PATH}/add", cursor=view.cursor),
    )


def _chips(view: View, team: str | None) -> tuple[tuple[str, str, str], ...]:
    """Each filter that is set: its name, its value and the address without it."""
    candidates = (
        ("Search", view.search, {"search": ""}),
        ("Status", STATUSES.get(view.status, ""), {"status": ""}),
        ("Team", "No team" if view.is_without_team else team or "", {"team_id": None, "is_without_team": False}),
        ("Division", DIVISIONS.get(view.division, ""), {"division": ""}),
    )
    return tuple((name, value, view.url(**without)) for name, value, without in candidates if value)


def _redirect(url: str) -> Redirect:
    return Redirect(url, status_code=303, headers=PRIVATE)


ROUTES = [list_all, add_selected]
