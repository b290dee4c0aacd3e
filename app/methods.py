"""Every address has an answer to every method: HEAD is GET without its body, others are told what the address takes."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from litestar import HttpMethod, route
from litestar.enums import ScopeType
from litestar.exceptions import MethodNotAllowedException
from litestar.handlers import HTTPRouteHandler
from litestar.types import ASGIApp, ControllerRouterHandler, Message, Receive, Scope, Send

from app.security.policy import anyone
from app.web import ASKED_FOR_HEAD

METHODS = (HttpMethod.GET, HttpMethod.POST, HttpMethod.PUT, HttpMethod.PATCH, HttpMethod.DELETE)
REFUSAL = "refuses_method"


def head_like_get(app: ASGIApp) -> ASGIApp:
    async def middleware(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == ScopeType.HTTP and scope["method"] == HttpMethod.HEAD:
            asked = scope.copy()
            asked["method"] = "GET"
            asked["state"] = {**scope.get("state", {}), ASKED_FOR_HEAD: True}
            await app(asked, receive, _without_body(send))
        else:
            await app(scope, receive, send)

    return middleware


def _without_body(send: Send) -> Send:
    async def send_head(message: Message) -> None:
        if message["type"] == "http.response.body":
            message["body"] = b""
        await send(message)

    return send_head


def refusals(handlers: Iterable[ControllerRouterHandler]) -> list[HTTPRouteHandler]:
    """Routes of their own for the methods that an address does not take, so that the page still knows its reader."""
    by_path: defaultdict[str, list[HTTPRouteHandler]] = defaultdict(list)
    for handler in handlers:
        assert isinstance(handler, HTTPRouteHandler)
        for path in handler.paths:
            by_path[path].append(handler)
    return [_refusal(path, found) for path, found in by_path.items() if _missing(found)]


def _taken(handlers: Iterable[HTTPRouteHandler]) -> set[str]:
    return {str(method) for handler in handlers for method in handler.http_methods}


def _missing(handlers: Iterable[HTTPRouteHandler]) -> list[HttpMethod]:
    return [method for method in METHODS if method not in _taken(handlers)]


def _refusal(path: str, handlers: list[HTTPRouteHandler]) -> HTTPRouteHandler:
    taken = _taken(handlers)
    allowed = ", ".join(sorted(taken | {"OPTIONS"} | ({"HEAD"} if "GET" in taken else set())))
    options: dict[str, Any] = {**handlers[0].opt, "exclude_from_csrf": True, REFUSAL: True}

    @route(path, http_method=_missing(handlers), guards=[anyone], opt=options)
    async def refuse_method() -> None:
        raise MethodNotAllowedException(headers={"Allow": allowed})

    return refuse_method
