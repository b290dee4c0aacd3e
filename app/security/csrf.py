"""Only our own pages may change something: every unsafe request proves that it came from a form of this very session.

The token is an HMAC over the session's token hash, or over a visitor's cookie where a stranger is shown a form. There
is nothing to store, and the token of another session is worth nothing.
"""

import hmac
import secrets
from collections.abc import Mapping
from typing import Any

from litestar.connection import Request
from litestar.datastructures import Cookie, MutableScopeHeaders
from litestar.enums import RequestEncodingType, ScopeType
from litestar.exceptions import ClientException, HTTPException, NotAuthorizedException, PermissionDeniedException
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from app.security.connections import Connection
from app.security.policy import anyone, policies_of
from app.security.sessions import SessionInUse
from app.settings import Settings

FORM_FIELD = "_csrf_token"
HEADER = "x-csrftoken"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
FORMS = frozenset({RequestEncodingType.URL_ENCODED, RequestEncodingType.MULTI_PART})
VISITOR_BYTES = 32
_VISITOR = "csrf_visitor"


def visitor_cookie_name(settings: Settings) -> str:
    return "__Host-visitor" if settings.is_production else "visitor"


def token_for(binding: str, settings: Settings) -> str:
    """`binding`: a session's token hash, or a visitor's cookie."""
    assert settings.secret_key
    return hmac.new(settings.secret_key.encode(), f"csrf:{binding}".encode("utf-8", "replace"), "sha256").hexdigest()


def csrf_token(context: Mapping[str, Any]) -> str:
    """The template function. A stranger gets the visitor cookie with the first form, not before."""
    connection: Connection = context["request"]
    return token_for(_binding(connection) or _new_visitor(connection), connection.app.state.settings)


def _binding(connection: Connection) -> str | None:
    session = connection.scope.get("auth")
    if isinstance(session, SessionInUse):
        return session.token_hash
    started: str | None = connection.scope["state"].get(_VISITOR)
    return started or connection.cookies.get(visitor_cookie_name(connection.app.state.settings)) or None


def _new_visitor(connection: Connection) -> str:
    visitor = secrets.token_urlsafe(VISITOR_BYTES)
    connection.scope["state"][_VISITOR] = visitor
    return visitor


class CsrfMiddleware:
    """Comes after AuthenticationMiddleware. Routes with opt `exclude_from_csrf` prove themselves by a bearer token."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP or scope["route_handler"].opt.get("exclude_from_csrf"):
            await self.app(scope, receive, send)
            return
        request: Request[Any, Any, Any] = Request(scope, receive=receive)
        if request.method not in SAFE_METHODS:
            await _check(request)
        await self.app(scope, receive, _with_visitor_cookie(request, send))


async def _check(request: Request[Any, Any, Any]) -> None:
    if not request.scope.get("auth") and anyone not in policies_of(request.route_handler):
        raise NotAuthorizedException(detail="Sign in to do this.")
    if request.headers.get("sec-fetch-site") == "cross-site":
        raise PermissionDeniedException(detail="This form was sent from another site.")
    binding = _binding(request)
    sent = await _sent_token(request)
    if not binding or not hmac.compare_digest(
        sent.encode("utf-8", "replace"), token_for(binding, request.app.state.settings).encode()
    ):
        raise PermissionDeniedException(detail="This form is too old to be accepted. Reload the page and try again.")


async def _sent_token(request: Request[Any, Any, Any]) -> str:
    """The header, else the field of a form. What is read here stays readable for the handler."""
    if header := request.headers.get(HEADER):
        return header
    if request.content_type[0] not in FORMS:
        return ""
    try:
        await request.body()
        field = (await request.form()).get(FORM_FIELD)
    except HTTPException:
        raise
    except (ValueError, LookupError):
        raise ClientException(detail="The form could not be read.") from None
    return field if isinstance(field, str) else ""


def _with_visitor_cookie(request: Request[Any, Any, Any], send: Send) -> Send:
    async def send_with_cookie(message: Message) -> None:
        visitor = request.scope["state"].get(_VISITOR)
        if visitor and message["type"] == "http.response.start":
            MutableScopeHeaders.from_message(message).add(
                "set-cookie", _cookie(visitor, request.app.state.settings).to_header(header="")
            )
        await send(message)

    return send_with_cookie


def _cookie(visitor: str, settings: Settings) -> Cookie:
    return Cookie(
        key=visitor_cookie_name(settings), value=visitor, path="/", httponly=True, samesite="lax",
        secure=settings.is_production,
    )
