"""Where to send a browser: never to another site, and never into nothing."""

from typing import Any
from urllib.parse import quote, urlsplit

from litestar.connection import Request
from litestar.response import Redirect, Response

from app.domain.readers import Reader

SECOND_FACTOR_PAGE = "/settings/second-factor"
MAX_PATH_CHARACTERS = 2000


def local_path(address: str | None) -> str | None:
    """The address if it is a path of this site; None for anything a browser could read as another site."""
    if not address or len(address) > MAX_PATH_CHARACTERS or not address.isprintable() or "\\" in address:
        return None
    if not address.startswith("/") or address.startswith("//"):
        return None
    return address


def sign_in_redirect(request: Request[Any, Any, Any]) -> Response[Any]:
    """What a page answers to somebody who is not (yet) let in: htmx is told to leave the page, not to swap into it."""
    target = _where_to_prove_oneself(request)
    private = {"Cache-Control": "private, no-store", "Vary": "HX-Request, HX-Request-Type"}
    if request.headers.get("hx-request"):
        return Response(None, status_code=204, headers={"HX-Redirect": target, **private})
    return Redirect(target, status_code=303, headers=private)


def _where_to_prove_oneself(request: Request[Any, Any, Any]) -> str:
    reader = request.scope.get("user")
    if isinstance(reader, Reader) and reader.needs_second_factor:
        return SECOND_FACTOR_PAGE
    page = _page_of(request)
    return f"/login?next={quote(page, safe='/')}" if page else "/login"


def _page_of(request: Request[Any, Any, Any]) -> str | None:
    """The page the person was on: for htmx the address bar's; the target of a form is no page."""
    if current := request.headers.get("hx-current-url"):
        return _path_of(current)
    if request.method not in ("GET", "HEAD"):
        return None
    query = request.scope["query_string"].decode("latin-1")
    return local_path(f"{request.scope['path']}?{query}" if query else request.scope["path"])


def _path_of(url: str) -> str | None:
    try:
        address = urlsplit(url)
    except ValueError:
        return None
    return local_path(f"{address.path or '/'}?{address.query}" if address.query else address.path or "/")
