"""Who may call a route. Every route names exactly one of these guards; a test walks the route table and checks it.

A guard refuses by raising; being refused as a stranger (401) sends a page to the sign-in, and likewise an admin whose
organization asks for a second factor to its set-up. What a reader may see of the data behind a route is not decided
here but by `Reader.sight`. Guards are coroutines, because Litestar sends a plain function to another thread.
"""

from litestar.exceptions import NotAuthorizedException, PermissionDeniedException
from litestar.handlers import BaseRouteHandler

from app.domain.readers import Reader
from app.security.connections import Connection
from app.tables.accounts import Role

SETS_UP_SECOND_FACTOR = "sets_up_second_factor"


async def anyone(connection: Connection, handler: BaseRouteHandler) -> None:
    """Open to strangers: the sign-in, static files, health."""


async def bearer(connection: Connection, handler: BaseRouteHandler) -> None:
    """Open to programs; the handler checks the secret itself, in constant time, before anything else."""


async def signed_in(connection: Connection, handler: BaseRouteHandler) -> None:
    _reader_of(connection, handler)


async def coaches(connection: Connection, handler: BaseRouteHandler) -> None:
    """Coaches and admins."""
    _require(connection, handler, Role.COACH, Role.ADMIN)


async def admins(connection: Connection, handler: BaseRouteHandler) -> None:
    _require(connection, handler, Role.ADMIN)


def _reader_of(connection: Connection, handler: BaseRouteHandler) -> Reader:
    reader = connection.scope.get("user")
    if not isinstance(reader, Reader):
        raise NotAuthorizedException(detail="Sign in to see this page.")
    if reader.needs_second_factor and not handler.opt.get(SETS_UP_SECOND_FACTOR):
        raise NotAuthorizedException(detail="Set up your second factor first: your organization asks for it.")
    return reader


def _require(connection: Connection, handler: BaseRouteHandler, *roles: Role) -> None:
    if _reader_of(connection, handler).role not in roles:
        raise PermissionDeniedException(detail="Your account may not open this page.")


POLICIES = frozenset({anyone, bearer, signed_in, coaches, admins})


def policies_of(handler: BaseRouteHandler) -> frozenset[object]:
    """The policies that a route names, itself or through what contains it."""
    guards = [guard for layer in handler.ownership_layers for guard in layer.guards or ()]
    return POLICIES.intersection(guards)
