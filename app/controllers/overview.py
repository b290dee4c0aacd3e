"""The overview: what a coach sees first. Everything is in the first answer, each panel with a guard of its own."""

from typing import Any

from litestar import get
from litestar.response import Redirect, Response

from app.controllers import monthly_ctf, panels, timeline
from app.controllers.panels import Panel
from app.domain import monthly_ctf as charts
from app.domain.alert_list import GROUPS
from app.domain.kpis import Kpi
from app.domain.leaderboard import View
from app.domain.monthly_ctf import Chart
from app.domain.readers import Reader
from app.domain.scopes import Scope
from app.queries import alerts, kpis, leaderboard, looks, onboarding, overview, team_matrix
from app.queries import scopes as scope_queries
from app.queries.scopes import Frame
from app.security.policy import signed_in
from app.web import PRIVATE, AnyRequest, page

PATH = "/"
LEADERS = 10


@get("/", guards=[signed_in])
async def show(request: AnyRequest) -> Response[Any]:
    reader: Reader = request.user
    if not (reader.is_admin or reader.is_coach):
        return Redirect("/settings", status_code=303, headers=PRIVATE)
    parsed = charts.parse(request.query_params.multi_items(), PATH)
    frame = await scope_queries.frame(parsed.view.scope, reader)
    view = parsed.view
    own = {"chart": view.chart} if view.chart is not Chart.PACE else {}
    is_filtering = request.headers.get("hx-source", "").endswith("#filters")
    return page(
        request, "overview/index.html", fragment="overview/_panels.html", frame=frame, view=view,
        headers={"HX-Replace-Url": frame.scope.url(PATH, own)} if is_filtering else None,
        chips=frame.chips(PATH, own), clear_url=frame.scope.url(PATH, own, coach_id=None, team_id=None, division=""),
        notices=(*parsed.notices, *frame.notices), panels=await panels.render(request, _panels(frame, reader, view)),
    )


def _panels(frame: Frame, reader: Reader, chart: charts.View) -> list[Panel]:
    return [
        Panel("since", "What is new since you last looked", "overview/_since.html", lambda: _since(frame, reader)),
        Panel("cards", "The five numbers", "overview/_cards.html", lambda: _cards(frame)),
        Panel("waiting", "Who waits for the Game Platform", "competitors/_waiting.html", lambda: _waiting(frame)),
        Panel("leaders", "The leaderboard", "overview/_leaders.html", lambda: _leaders(frame, reader)),
        Panel("chart", "The monthly CTF chart", "monthly_ctf/_panel.html", lambda: monthly_ctf.load(frame, chart)),
        Panel("matrix", "The teams", "overview/_matrix.html", lambda: _matrix(frame)),
        Panel("alerts", "The alerts", "alerts/_cards.html", lambda: _alerts(frame)),
        Panel("timeline", "The timeline", "timeline/_panel.html", lambda: timeline.load(frame)),
    ]


async def _since(frame: Frame, reader: Reader) -> dict[str, Any]:
    return {"frame": frame, "news": await looks.get_news(frame, reader.user_id), "most": looks.MOST_COUNTED}


async def _cards(frame: Frame) -> dict[str, Any]:
    return {"found": await kpis.get_cards(frame), "frame": frame, "number_url": _number_url(frame.scope)}


async def _waiting(frame: Frame) -> dict[str, Any]:
    return {"waiting": await onboarding.waiting_in(frame)}


def _number_url(scope: Scope) -> dict[Kpi, str]:
    return {kpi: scope.url(f"/numbers/{kpi}") for kpi in Kpi}


async def _leaders(frame: Frame, reader: Reader) -> dict[str, Any]:
    view = _view(frame.scope)
    league = await leaderboard.get_league(view, reader, frame.organization_id)
    found = await leaderboard.get_page(view, reader.sight, league, size=LEADERS)
    return {
        "board": found, "frame": frame, "url": view.url(), "everybody": await overview.count_people(frame),
    }


async def _matrix(frame: Frame) -> dict[str, Any]:
    return {"matrix": await team_matrix.matrix(frame), "all_url": frame.scope.url("/teams", {"view": "matrix"})}


async def _alerts(frame: Frame) -> dict[str, Any]:
    return {"frame": frame, "cards": await alerts.cards(frame), "titles": GROUPS}


def _view(scope: Scope) -> View:
    """The leaderboard of the same people and days."""
    return View(
        organization_id=scope.organization_id, coach_id=scope.coach_id, team_id=scope.team_id, division=scope.division,
        window=scope.window, first_day=scope.first_day, last_day=scope.last_day,
    )
