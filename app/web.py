"""What every page is made of: the template engine, `page()`, and the few functions that templates may call."""

import hashlib
import tomllib
from collections.abc import Mapping
from contextvars import ContextVar
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from litestar.connection import Request
from litestar.plugins.jinja import JinjaTemplateEngine
from litestar.response import Template
from markupsafe import Markup, escape

from app.domain import drawings, presenting
from app.domain.category_marks import mark_of
from app.domain.readers import Reader
from app.security import csrf
from app.settings import ROOT, Settings
from app.tables.accounts import Theme

STATIC = Path(__file__).parent / "static"
TEMPLATES = Path(__file__).parent / "templates"
VERSION: str = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
PRIVATE = {"Vary": "HX-Request, HX-Request-Type", "Cache-Control": "private, no-store"}

ASKED_FOR_HEAD = "asked_for_head"

UTC_ZONE = ZoneInfo("UTC")

AnyRequest = Request[Any, Any, Any]

# Macros are imported without context; the request of the page being rendered reaches their functions through this.
_request: ContextVar[AnyRequest] = ContextVar("request")


def page(
    request: AnyRequest, template: str, *, fragment: str | None = None, status_code: int = 200,
    headers: Mapping[str, str] | None = None, **context: Any,
) -> Template:
    """The whole page, or its fragment where htmx asked for a part. A page is for one reader and never stored."""
    name = fragment if fragment and wants_fragment(request) else template
    return Template(
        name, context=page_context(request) | context, headers={**PRIVATE, **(headers or {})},
        media_type="text/html", status_code=status_code,
    )


def wants_fragment(request: AnyRequest) -> bool:
    """htmx names it "partial" when it swaps a part of the page; a history restore asks for the whole."""
    return request.headers.get("hx-request-type") == "partial"


def asks_for_head(request: AnyRequest) -> bool:
    """For what a GET does besides answering: nobody receives anything here."""
    return bool(request.scope.get("state", {}).get(ASKED_FOR_HEAD))


def page_context(request: AnyRequest) -> dict[str, Any]:
    """What the base layout needs."""
    _request.set(request)
    return {
        "request": request,
        "reader": reader_of(request),
        "theme": theme_of(request),
        "is_compact": request.cookies.get("density") == "compact",
        "path": request.scope["path"],
        "here": here(request),
    }


def here(request: AnyRequest) -> str:
    """The address of this view without its host."""
    query = request.scope["query_string"].decode("latin-1")
    return f"{request.scope['path']}?{query}" if query else request.scope["path"]


def reader_of(request: AnyRequest) -> Reader | None:
    reader = request.scope.get("user")
    return reader if isinstance(reader, Reader) else None


def _zone() -> ZoneInfo:
    reader = reader_of(_request.get())
    return ZoneInfo(reader.time_zone) if reader else UTC_ZONE


def csrf_token() -> str:
    return csrf.csrf_token({"request": _request.get()})


def is_presenting() -> bool:
    """Whether this page may stand on a projector: it names nobody then."""
    reader = reader_of(_request.get())
    return reader is not None and reader.is_presenting


def shown_name(name: str, handle: str | None = "", person_id: UUID | None = None) -> str:
    return presenting.shown_name(reader_of(_request.get()), name, handle or "", person_id)


def shown_mail(email: str | None) -> str:
    return presenting.shown_mail(reader_of(_request.get()), email)


def theme_of(request: AnyRequest) -> str:
    """A signed-in reader's own setting; a stranger's cookie; else the system decides."""
    reader = reader_of(request)
    chosen = reader.theme if reader else request.cookies.get("theme", "")
    return chosen if chosen in set(Theme) else Theme.SYSTEM


@cache
def static_url(path: str) -> str:
    """The address of a static file, with the hash of its content: it may be cached for ever."""
    digest = hashlib.sha256((STATIC / path).read_bytes()).hexdigest()[:6]
    return f"/static/{path}?v={digest}"


@cache
def icon(name: str) -> Markup:
    """One icon of the sprite. It says nothing by itself: the word stands beside it."""
    return Markup('<svg class="icon" aria-hidden="true" focusable="false"><use href="{}#{}"></use></svg>').format(
        static_url("icons.svg"), name
    )


def grouped(number: int) -> str:
    """ "23,750": digits in threes where a number can be long."""
    return f"{number:,}"


def when(moment: datetime | None, *, otherwise: str = "never", is_titled: bool = True) -> Markup:
    """ "12 min ago", with the exact time and zone in the title; the page's script keeps it true, and gives a title to
    those of a long table, which come without one."""
    if moment is None:
        return escape(otherwise)
    zone = _zone()
    exact = moment.astimezone(zone).isoformat(" ", "seconds")
    title = Markup(' title="{} {}"').format(exact[:-6], zone.key) if is_titled else ""
    return Markup('<time datetime="{}"{} data-relative>{}</time>').format(
        exact, title, relative(moment, datetime.now(UTC))
    )


def clock(moment: datetime) -> Markup:
    """ "14:05" of the reader's day, for "data from 14:05"."""
    zone = _zone()
    local = moment.astimezone(zone)
    return Markup('<time datetime="{}" title="{}">{}</time>').format(
        moment.astimezone(UTC).isoformat(timespec="seconds"), f"{local:%Y-%m-%d %H:%M:%S} {zone.key}", f"{local:%H:%M}"
    )


def relative(moment: datetime, now: datetime) -> str:
    """The same words as app/static/js/page.js."""
    seconds = (now - moment).total_seconds()
    if abs(seconds) < 60:
        return "just now" if seconds >= 0 else "in under a minute"
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if abs(seconds) >= size:
            count = int(abs(seconds) // size)
            return f"{count} {unit} ago" if seconds > 0 else f"in {count} {unit}"
    raise AssertionError(seconds)


def template_engine(settings: Settings) -> JinjaTemplateEngine:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES), undefined=StrictUndefined, autoescape=True, trim_blocks=True,
        lstrip_blocks=True, auto_reload=not settings.is_production,
    )
    environment.filters["grouped"] = grouped
    environment.globals |= {
        "static_url": static_url, "icon": icon, "when": when, "clock": clock,
        "is_presenting": is_presenting, "shown_name": shown_name, "shown_mail": shown_mail,
        "version": VERSION, "base_url": settings.base_url, "drawing": drawings, "mark_of": mark_of,
    }
    engine = JinjaTemplateEngine.from_environment(environment)
    environment.globals["csrf_token"] = csrf_token
    return engine
