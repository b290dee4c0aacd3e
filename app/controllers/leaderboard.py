"""The leaderboard: the page, its fragment for htmx, and its rows as a file."""

import time
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

from litestar import get
from litestar.response import Response, Stream

from app.controllers import leaderboard_file
from app.domain import leaderboard as views
from app.domain.leaderboard import Parsed, Seen, Sort, View
from app.domain.readers import Reader
from app.domain.sparklines import points
from app.domain.windows import in_words
from app.queries import leaderboard as queries
from app.queries.leaderboard import League
from app.security.policy import coaches
from app.web import PRIVATE, AnyRequest, page, wants_fragment

SHOWN_AT_MOST_SECONDS = 600
FRAGMENT = "leaderboard/_table.html"


@get("/leaderboard", guards=[coaches])
async def leaderboard(request: AnyRequest) -> Response[Any]:
    reader: Reader = request.user
    parsed = views.parse(request.query_params.multi_items())
    organization_id = queries.shown_organization(parsed.view, reader)
    if organization_id is None:
        return page(request, "leaderboard/no_organization.html")
    if parsed.seen and await _is_unchanged(parsed.seen, organization_id):
        return Response(None, status_code=204, headers=PRIVATE)
    league = await queries.get_league(parsed.view, reader, organization_id)
    view, notices = queries.understood(parsed.view, league, reader)
    if parsed.is_export:
        return _file(view, reader, league)
    return await _page(request, view, (*parsed.notices, *notices), reader, league, parsed)


async def _is_unchanged(seen: Seen, organization_id: UUID) -> bool:
    """Now and then a page is shown anew all the same: its numbers do not change, but their age does."""
    is_recent = not seen.at or time.time() - seen.at < SHOWN_AT_MOST_SECONDS
    return is_recent and await queries.get_version(organization_id) == seen.version


async def _page(
    request: AnyRequest, view: View, notices: tuple[str, ...], reader: Reader, league: League, parsed: Parsed
) -> Response[Any]:
    is_fragment = wants_fragment(request)
    board = await queries.get_page(view, reader.sight, league)
    choices = None if is_fragment else await queries.get_choices(reader, league.organization_id)
    is_asked_for = is_fragment and parsed.seen is None
    return page(
        request, "leaderboard/index.html", fragment=FRAGMENT,
        headers={"HX-Replace-Url": view.url(cursor=view.cursor)} if is_asked_for else None,
        view=view, league=league, board=board, choices=choices, notices=notices, is_fragment=is_fragment, Sort=Sort,
        sparkline=points, divisions=views.DIVISIONS, sources=views.SOURCES, windows=views.WINDOWS, day=in_words,
        state={name: value for name, value in view.parameters().items() if name in ("sort", "dir")},
        chips=_chips(view, league), team_link=_link_to(view, "team"), coach_link=_link_to(view, "coach"),
        refresh_url=_with(view.url(cursor=view.cursor), "seen", Seen(league.version, int(time.time()))),
        file_url=_with(view.url(), "format", "csv"),
    )


def _chips(view: View, league: League) -> list[tuple[str, str, str]]:
    """Each filter that is set: its name, its value and the address without it."""
    candidates = (
        ("Search", view.search, {"search": ""}),
        ("Coach", league.coach if view.coach_id else "", {"coach_id": None}),
        ("Team", league.team if view.team_id else "", {"team_id": None}),
        ("Division", views.DIVISIONS.get(view.division, ""), {"division": ""}),
        ("Category", view.category, {"category": ""}),
        ("Source", views.SOURCES.get(view.source, ""), {"source": ""}),
    )
    return [(name, value, view.url(**without)) for name, value, without in candidates if value]


def _link_to(view: View, name: str) -> str:
    """The address that filters by one team or coach, to be completed with an id."""
    return _with(view.url(**{f"{name}_id": None}), name, "")


def _with(url: str, name: str, value: object) -> str:
    return f"{url}{'&' if '?' in url else '?'}{name}={value}"


def _file(view: View, reader: Reader, league: League) -> Response[Any]:
    name = f"leaderboard-{league.now.astimezone(league.zone):%Y-%m-%d}.csv"
    return Stream(
        _lines(view, reader, league), media_type="text/csv; charset=utf-8",
        headers={**PRIVATE, "Content-Disposition": f'attachment; filename="{name}"'},
    )


async def _lines(view: View, reader: Reader, league: League) -> AsyncIterator[str]:
    """Whose rows leave is written down before they do."""
    yield leaderboard_file.head(reader)
    async for rows in queries.walk(view, reader.sight, league):
        await leaderboard_file.record(rows, reader)
        yield leaderboard_file.lines(rows, view, reader)
