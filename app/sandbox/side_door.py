"""The sandbox's own side door, under /sandbox/, for whoever directs the play. Loopback only."""

import ipaddress
from typing import Any

import msgspec
from litestar import Request
from litestar.connection import ASGIConnection
from litestar.exceptions import HTTPException, NotFoundException, PermissionDeniedException
from litestar.handlers import BaseRouteHandler

from app.sandbox.people import User
from app.sandbox.sandbox import Sandbox

Told = dict[str, Any]
Asked = Request[Any, Any, Any]


def loopback_only(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
    host = connection.client.host if connection.client else ""
    if not ipaddress.ip_address(host or "0.0.0.0").is_loopback:  # noqa: S104
        raise PermissionDeniedException("The control of the sandbox answers to this machine only.")


def decode(content: bytes, kind: Any) -> Any:
    try:
        return msgspec.json.decode(content, type=kind)
    except msgspec.DecodeError as error:
        raise HTTPException(str(error), status_code=422) from error


def find_user(sandbox: Sandbox, syned_user_id: str) -> User:
    user = sandbox.world.users.get(syned_user_id)
    if user is None:
        raise NotFoundException(f"There is no user {syned_user_id}.")
    return user
