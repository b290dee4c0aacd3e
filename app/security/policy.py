"""Who may call a route. Every route names exactly one of these guards; a test walks the route table and checks it.

A guard refuses by raising; being refused as a stranger (401) sends a page to the sign-in. What a reader may see of
the data behind a route is not decided here but by `Reader.sight`.
"""

from litestar.connection import ASGIConnection
from litestar.exceptions import NotAuthorizedException, PermissionDeniedException
from litestar.handlers import BaseRouteHandler

from app.domain.readers import Reader
from app.tables.accounts import Role


def anyone(connection: ASGIConnection, handler: BaseRouteHandler) -> None:
    """Open to strangers: the sign-in, static files, health."""


def bearer(connection: ASGIConnection, handler: BaseRouteHandler) -> None:
    """Open to programs; the handler checks the secret itself, in constant time, before anything else."""


def signed_in(connection: ASGIConnection, handler: BaseRouteHandler) -> None:
    _reader_of(connection)


def coaches(connection: ASGIConnection, handler: BaseRouteHandler) -> None:
    """Coaches and admins."""
    _require(connection, Role.COACH, Role.ADMIN)


def admins(connection: ASGIConnection, handler: BaseRouteHandler) -> None:
    _require(connection, Role.ADMIN)


def _reader_of(connection: ASGIConnection) -> Reader:
    reader = connection.scope.get("user")
    if not isinstance(reader, Reader):
        raise NotAuthorizedException(detail="Sign in to see this page.")
    return reader


def _require(connection: ASGIConnection, *roles: Role) -> None:
    if _reader_of(connection).role not in roles:
        raise PermissionDeniedException(detail="Your account may not open this page.")


POLICIES = frozenset({anyone, bearer, signed_in, coaches, admins})
