"""The overview: what a coach sees first. Everything is in the first answer, each panel with a guard of its own."""

from typing import Any

from litestar import get
from litestar.response import Redirect, Response

from app.controllers import panels
from app.controllers.panels import Panel
from app.domain import scopes
from app.domain.kpis import Kpi
from app.domain.leaderboard import View
from app.domain.readers import Reader
from app.domain.scopes import Scope
from app.queries import kpis, leaderboard, overview
from app.queries import scopes as scope_queries
from app.queries.scopes import Frame
from app.security.policy import signed_in
from app.web import PRIVATE, AnyRequest, page

LEADERS = 10


@get("/", guards=[signed_in])
async def show(request: AnyRequest) -> Response[Any]:
    reader: Reader = request.user
    if not (reader.is_admin or reader.is_coach):
        return Redirect("/settings", status_code=303, headers=PRIVATE)
    parsed = scopes.parse(request.query_params.multi_items())
    frame = await scope_queries.frame(parsed.scope, reader)
    return page(
        request, "overview/index.html", fragment="overview/_panels.html", frame=frame, chips=frame.chips("/"),
        clear_url=frame.scope.url("/", coach_id=None, team_id=None, division=""),
        notices=(*parsed.notices, *frame.notices), panels=await panels.render(request, _panels(frame, reader)),
    )


def _panels(frame: Frame, reader: Reader) -> list[Panel]:
    return [
        Panel("cards", "The five numbers", "overview/_cards.html", lambda: _cards(frame)),
        Panel("leaders", "The leaderboard", "overview/_leaders.html", lambda: _leaders(frame, reader)),
    ]


async def _cards(frame: Frame) -> dict[str, Any]:
    return {"found": await kpis.get_cards(frame), "frame": frame, "number_url": _number_url(frame.scope)}


def _number_url(scope: Scope) -> dict[Kpi, str]:
    return {kpi: scope.url(f"/numbers/{kpi}") for kpi in Kpi}


async def _leaders(frame: Frame, reader: Reader) -> dict[str, Any]:
    view = _view(frame.scope)
    league = await leaderboard.get_league(view, reader, frame.organization_id)
    found = await leaderboard.get_page(view, reader.sight, league, size=LEADERS)
    return {
        "board": found, "frame": frame, "url": view.url(), "everybody": await overview.count_people(frame),
    }


def _view(scope: Scope) -> View:
    """The leaderboard of the same people and days."""
    return View(
        organization_id=scope.organization_id, coach_id=scope.coach_id, team_id=scope.team_id, division=scope.division,
        window=scope.window, first_day=scope.first_day, last_day=scope.last_day,
    )
