"""The leaderboard: the page, its fragment for htmx, and its rows as a file."""

import functools
import time
from collections import OrderedDict
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlencode
from uuid import UUID
from zoneinfo import ZoneInfo

import asyncpg
from jinja2 import Environment
from litestar import get
from litestar.exceptions import ServiceUnavailableException
from litestar.plugins.jinja import JinjaTemplateEngine
from litestar.response import Redirect, Response, Stream
from markupsafe import Markup

from app.controllers import leaderboard_file
from app.domain import leaderboard as views
from app.domain.leaderboard import Parsed, Seen, Sort, View
from app.domain.readers import Reader
from app.domain.sparklines import bars
from app.domain.windows import Window, in_words
from app.queries import leaderboard as queries
from app.queries.leaderboard import Choices, League, Page
from app.security.policy import coaches
from app.web import PRIVATE, AnyRequest, asks_for_head, here, page, wants_fragment

SHOWN_AT_MOST_SECONDS = 600
PARTS_KEPT = 256
ALWAYS_SEEN = 20
LAST_GOOD_MINUTES = 10


@dataclass(frozen=True, slots=True)
class Shown:
    """Everything that the table says."""

    view: View
    league: str
    zone: str
    window: Window
    version: int
    page: Page
    chips: tuple[tuple[str, str, str], ...]
    notices: tuple[str, ...]
    readers_zone: str
    minute: int
    is_presenting: bool
    late: str = ""

    @property
    def refresh_url(self) -> str:
        return _with(self.view.url(cursor=self.view.cursor), "seen", Seen(self.version, self.minute * 60))

    @property
    def file_url(self) -> str:
        return _with(self.view.url(), "format", "csv")

    @property
    def clear_url(self) -> str:
        return self.view.url(search="", coach_id=None, team_id=None, division="", category="", source="", as_of="")

    @property
    def frozen_day(self) -> str:
        return in_words(date.fromisoformat(self.view.as_of[:10])) if self.view.as_of else ""

    @property
    def frozen_at(self) -> str:
        return views.moment_in_words(self.view.as_of, ZoneInfo(self.zone)) if self.view.as_of else ""

    def week_url(self, weeks: int) -> str:
        return self.view.url(as_of=(date.fromisoformat(self.view.as_of[:10]) + timedelta(weeks=weeks)).isoformat())

    @property
    def team_link(self) -> str:
        return _with(self.view.url(team_id=None), "team", "")


@dataclass(frozen=True, slots=True)
class Offered:
    """Everything that the form of filters says."""

    view: View
    organization_id: UUID
    window: Window
    choices: Choices


@dataclass(frozen=True, slots=True)
class Board:
    """One answer: the table, and the filters where the whole page is wanted."""

    shown: Shown
    offered: Offered | None


_read_before: OrderedDict[object, Board] = OrderedDict()


def _with(url: str, name: str, value: object) -> str:
    return f"{url}{'&' if '?' in url else '?'}{name}={value}"


def _without(url: str, name: str) -> str:
    path, _, query = url.partition("?")
    kept = [pair for pair in parse_qsl(query, keep_blank_values=True) if pair[0] != name]
    return f"{path}?{urlencode(kept)}" if kept else path


def _whole(*texts: str) -> Markup | str:
    """The title of a cell whose text may be too long to be seen whole."""
    if all(len(text) <= ALWAYS_SEEN for text in texts):
        return ""
    return Markup(' title="{}"').format(" ".join(texts))


WORDS: dict[str, Any] = {
    "divisions": views.DIVISIONS, "sources": views.SOURCES, "windows": views.WINDOWS, "Sort": Sort, "bars": bars,
    "day": in_words, "whole": _whole,
}


@functools.lru_cache(maxsize=PARTS_KEPT)
def _table(environment: Environment, shown: Shown) -> Markup:
    """Made of nothing but `shown`, so that equal ones are equal, whoever reads them. Times are told to the minute."""
    return Markup(environment.get_template("leaderboard/_table.html").render(WORDS, shown=shown))  # noqa: S704


@functools.lru_cache(maxsize=PARTS_KEPT)
def _filters(environment: Environment, offered: Offered) -> Markup:
    return Markup(environment.get_template("leaderboard/_filters.html").render(WORDS, offered=offered))  # noqa: S704


@get("/leaderboard", guards=[coaches])
async def leaderboard(request: AnyRequest) -> Response[Any]:
    reader: Reader = request.user
    parsed = views.parse(request.query_params.multi_items())
    organization_id = queries.shown_organization(parsed.view, reader)
    if organization_id is None:
        return page(request, "leaderboard/no_organization.html")
    if parsed.seen and await _is_unchanged(parsed.seen, organization_id):
        return Response(None, status_code=204, headers=PRIVATE)
    if parsed.is_export:
        return await _export(request, parsed, reader, organization_id)
    is_whole = not wants_fragment(request)
    key = (reader.user_id, reader.sight, reader.is_presenting, organization_id, is_whole, parsed.view)
    try:
        board = await _read(parsed, reader, organization_id, with_choices=is_whole)
    except (TimeoutError, asyncpg.QueryCanceledError):
        board = _last_good(key)
    else:
        _remember(key, board)
    return _page(request, board)


async def _is_unchanged(seen: Seen, organization_id: UUID) -> bool:
    """Now and then a page is shown anew all the same: its numbers do not change, but their age does."""
    is_recent = not seen.at or time.time() - seen.at < SHOWN_AT_MOST_SECONDS
    return is_recent and await queries.get_version(organization_id) == seen.version


async def _read(parsed: Parsed, reader: Reader, organization_id: UUID, *, with_choices: bool) -> Board:
    league = await queries.get_league(parsed.view, reader, organization_id, with_choices=with_choices)
    view, notices = queries.understood(parsed.view, league, reader)
    found = await queries.get_page(view, reader.sight, league)
    shown = Shown(
        view, league.name, league.zone.key, league.window, league.version, found, _chips(view, league),
        (*parsed.notices, *notices), reader.time_zone, int(time.time() // 60),
        reader.is_presenting,
    )
    offered = Offered(view, league.organization_id, league.window, league.choices) if league.choices else None
    return Board(shown, offered)


def _remember(key: object, board: Board) -> None:
    _read_before[key] = board
    _read_before.move_to_end(key)
    if len(_read_before) > PARTS_KEPT:
        _read_before.popitem(last=False)


def _last_good(key: object) -> Board:
    """What this reader saw here last, with its age, where the database takes too long for a new look."""
    board = _read_before.get(key)
    now = int(time.time() // 60)
    if board is None or now - board.shown.minute > LAST_GOOD_MINUTES:
        raise ServiceUnavailableException(detail="The database takes too long for this list. Try again in a minute.")
    read_at = datetime.fromtimestamp(board.shown.minute * 60, ZoneInfo(board.shown.readers_zone))
    notice = f"The database takes too long; this is the list of {read_at:%H:%M} ({board.shown.readers_zone})."
    return replace(board, shown=replace(board.shown, late=notice, minute=now))


def _page(request: AnyRequest, board: Board) -> Response[Any]:
    view = board.shown.view
    parts: dict[str, Any] = {"table": functools.partial(_table, _environment(request), board.shown)}
    if board.offered:
        parts["filters"] = functools.partial(_filters, _environment(request), board.offered)
    is_typed = request.headers.get("hx-source", "").endswith("#filters")
    return page(
        request, "leaderboard/index.html", fragment="leaderboard/_fragment.html", view=view, **parts,
        headers={"HX-Replace-Url": view.url(cursor=view.cursor)} if is_typed else None,
    )


def _environment(request: AnyRequest) -> Environment:
    assert isinstance(request.app.template_engine, JinjaTemplateEngine)
    return request.app.template_engine.engine


def _chips(view: View, league: League) -> tuple[tuple[str, str, str], ...]:
    """Each filter that is set: its name, its value and the address without it."""
    candidates = (
        ("Search", view.search, {"search": ""}),
        ("Coach", league.coach if view.coach_id else "", {"coach_id": None}),
        ("Team", league.team if view.team_id else "", {"team_id": None}),
        ("Division", views.DIVISIONS.get(view.division, ""), {"division": ""}),
        ("Category", view.category, {"category": ""}),
        ("Source", views.SOURCES.get(view.source, ""), {"source": ""}),
        ("As it stood at", views.moment_in_words(view.as_of, league.zone) if view.as_of else "", {"as_of": ""}),
    )
    return tuple((name, value, view.url(**without)) for name, value, without in candidates if value)


async def _export(request: AnyRequest, parsed: Parsed, reader: Reader, organization_id: UUID) -> Response[Any]:
    """A file cannot say that a filter was not understood; the page that shows these rows can."""
    league = await queries.get_league(parsed.view, reader, organization_id)
    view, notices = queries.understood(parsed.view, league, reader)
    if parsed.notices or notices:
        return Redirect(_without(here(request), "format"), status_code=303, headers=PRIVATE)
    if asks_for_head(request):
        return Response(None, media_type="text/csv", headers=PRIVATE)
    return _file(view, reader, league)


def _file(view: View, reader: Reader, league: League) -> Response[Any]:
    name = f"leaderboard-{league.now.astimezone(league.zone):%Y-%m-%d}.csv"
    return Stream(
        _lines(view, reader, league), media_type="text/csv",
        headers={**PRIVATE, "Content-Disposition": f'attachment; filename="{name}"'},
    )


async def _lines(view: View, reader: Reader, league: League) -> AsyncIterator[str]:
    """Whose rows leave is written down before they do."""
    yield leaderboard_file.head(reader)
    async for rows in queries.walk(view, reader.sight, league):
        await leaderboard_file.record(rows, reader)
        yield leaderboard_file.lines(rows, view, reader)
