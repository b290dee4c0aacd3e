"""Where a request comes from. A header counts only as far as our own proxies wrote it."""

import ipaddress
from typing import Any

from litestar.connection import ASGIConnection

from app.settings import Settings

Connection = ASGIConnection[Any, Any, Any, Any]

UNKNOWN = "unknown"


def client_address(connection: Connection) -> str:
    """The peer's address; behind TRUSTED_PROXIES the rightmost hop of X-Forwarded-For that is not one of them."""
    settings: Settings = connection.app.state.settings
    peer = connection.client.host if connection.client else UNKNOWN
    forwarded = ",".join(connection.headers.getall("x-forwarded-for", []))
    hops = [*(hop.strip() for hop in forwarded.split(",") if hop.strip()), peer]
    while len(hops) > 1 and _is_trusted(hops[-1], settings.trusted_proxies):
        if not _is_address(hops[-2]):
            break
        hops.pop()
    return hops[-1]


def _is_trusted(address: str, networks: tuple[str, ...]) -> bool:
    if not _is_address(address):
        return False
    parsed = ipaddress.ip_address(address)
    return any(parsed in ipaddress.ip_network(network, strict=False) for network in networks)


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
