"""One answer to everything that goes wrong: a page for people, a message for htmx, JSON for programs.

Details are shown only where our own code raised them for the reader; everything else gets the words below.
"""

import secrets
from dataclasses import dataclass
from http import HTTPStatus
from traceback import walk_tb
from typing import Any

import asyncpg
import structlog
from litestar.exceptions import HTTPException
from litestar.response import Response

from app.security.redirects import sign_in_redirect
from app.services import error_reports
from app.web import PRIVATE, AnyRequest, page, page_context, wants_fragment

DATABASE_AWAY = (
    asyncpg.PostgresConnectionError, asyncpg.CannotConnectNowError, asyncpg.TooManyConnectionsError,
    asyncpg.AdminShutdownError, asyncpg.CrashShutdownError,
)

WORDS: dict[int, tuple[str, str]] = {
    400: ("Request not understood", "Something in the address or the form could not be read. Go back and try again."),
    401: ("Sign in first", "Sign in to see this page."),
    403: ("Not allowed", "Your account may not do this. Ask an admin if you need it."),
    404: ("Not found", "There is nothing at this address, or it is not yours to see."),
    405: ("Not possible here", "This address does not take that kind of request. Go back and use the page's buttons."),
    409: ("The state changed", "Somebody or something else was faster. Reload the page and look again."),
    413: ("Too large", "The file or form is larger than this site takes. Make it smaller and send it again."),
    422: ("Not accepted", "A value in the form is missing or wrong. Go back and check it."),
    429: ("Too many requests", "Wait a minute, then try again."),
    500: ("Something broke", "The error is in the log. Try again; if it stays, give the operator the reference below."),
    503: (
        "Not available now",
        "The database does not answer. Nothing was lost; try again in a minute. Operators: run `bin/sideline check`.",
    ),
}

log = structlog.get_logger("app.errors")


@dataclass(frozen=True)
class Problem:
    status: int
    title: str
    detail: str
    reference: str = ""


def render_error(request: AnyRequest, error: Exception) -> Response[Any]:
    problem = explain(request, error)
    headers = dict(getattr(error, "headers", None) or {})
    if _is_for_programs(request):
        return Response(_as_json(problem, error), status_code=problem.status, headers=headers)
    if problem.status == 401:
        return sign_in_redirect(request)
    return _as_html(request, problem, headers)


def no_organization(request: AnyRequest, error: Exception) -> Response[Any]:
    """Nothing is wrong; there is only nothing yet that a page could be about."""
    return page(request, "errors/no_organization.html")


def explain(request: AnyRequest, error: Exception) -> Problem:
    if _is_database_away(error):
        log.warning("database away", error=type(error).__name__, route=_route(request))
        return Problem(503, *WORDS[503])
    if not isinstance(error, HTTPException) or error.status_code == 500:
        return _unexpected(request, error)
    title, detail = WORDS.get(error.status_code, ("Request refused", "This request cannot be answered."))
    return Problem(error.status_code, title, error.detail if _raised_by_us(error) else detail)


def _unexpected(request: AnyRequest, error: Exception) -> Problem:
    reference = secrets.token_hex(4)
    log.error("request failed", reference=reference, method=request.method, route=_route(request), exc_info=error)
    error_reports.report_soon(error, route=_route(request))
    return Problem(500, *WORDS[500], reference=reference)


def _as_json(problem: Problem, error: Exception) -> dict[str, Any]:
    body: dict[str, Any] = {"error": problem.detail, "status": problem.status}
    if problem.reference:
        body["reference"] = problem.reference
    if isinstance(error, HTTPException) and isinstance(error.extra, dict) and _raised_by_us(error):
        body |= error.extra
    return body


def _as_html(request: AnyRequest, problem: Problem, headers: dict[str, str]) -> Response[str]:
    """A message goes into the region that every page has, whatever the request wanted to swap."""
    if wants_fragment(request):
        template, swap = "errors/_message.html", {"HX-Retarget": "#messages", "HX-Reswap": "innerHTML"}
    else:
        template, swap = "errors/index.html", {}
    engine = request.app.template_engine
    assert engine
    body = engine.get_template(template).render(page_context(request) | {"problem": problem})
    return Response(
        body, status_code=problem.status, headers={**headers, **PRIVATE, **swap}, media_type="text/html"
    )


def _is_for_programs(request: AnyRequest) -> bool:
    return request.scope["path"].startswith(("/api/", "/health/", "/metrics"))


def _is_database_away(error: Exception) -> bool:
    """No connection, none free in time, or lost on the way. A missing socket file is an OSError like any other."""
    if isinstance(error, DATABASE_AWAY):
        return True
    return isinstance(error, OSError | TimeoutError) and any(name.startswith("asyncpg") for name in _modules(error))


def _raised_by_us(error: Exception) -> bool:
    """Whether our code chose the words: the framework's own speak of its code, not of what the reader did."""
    if not isinstance(error, HTTPException) or error.detail == HTTPStatus(error.status_code).phrase:
        return False
    return bool(modules := _modules(error)) and modules[-1].startswith("app.")


def _modules(error: Exception) -> list[str]:
    """The modules that the error came through, from the outermost to the one that raised it."""
    return [frame.f_globals.get("__name__", "") for frame, _line in walk_tb(error.__traceback__)]


def _route(request: AnyRequest) -> str:
    """The route's pattern: the address itself may name a person."""
    return str(request.scope.get("path_template") or "no route")
