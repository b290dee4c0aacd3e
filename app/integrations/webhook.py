"""Posting to an address that a person entered in a page. It may not lead into our own network.

The name is resolved once, every address of it is looked at, and the connection goes to exactly such an address: a name
that answers otherwise a moment later (DNS rebinding) gains nothing. No redirect is followed and no proxy asked.
"""

import asyncio
import hashlib
import hmac
import ipaddress
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

import httpx

TIMEOUT = httpx.Timeout(5.0)
TOTAL_SECONDS = 10.0
LONGEST_URL = 2000

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

# Networks of IPv6 that carry an address of IPv4 inside, which may be anybody's.
CARRIERS = tuple(map(ipaddress.ip_network, ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32", "::/96")))


class WebhookRefused(Exception):
    """The address may not be used; the text says why."""


class WebhookFailed(Exception):
    """The receiver was not reached or did not take it; the text says how, without anything of its answer."""


def is_public(address: Address) -> bool:
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped:
            return is_public(address.ipv4_mapped)
        if any(address in carrier for carrier in CARRIERS):
            return False
    return address.is_global and not address.is_multicast and not address.is_reserved


@dataclass(frozen=True, slots=True)
class Guard:
    """What is allowed. Tests that run a receiver on this machine bring their own."""

    schemes: frozenset[str] = frozenset({"https"})
    allows: Callable[[Address], bool] = is_public


GUARD = Guard()


async def check(url: str) -> str:
    """The host of a usable address. Raises WebhookRefused."""
    parts = _parse(url)
    await _resolve(parts)
    return parts.hostname or ""


async def post(url: str, body: bytes, headers: Mapping[str, str]) -> None:
    """Raises WebhookRefused or WebhookFailed."""
    parts = _parse(url)
    try:
        async with asyncio.timeout(TOTAL_SECONDS):
            address = await _resolve(parts)
            status = await _post_to(address, parts, body, headers)
    except (httpx.HTTPError, OSError, TimeoutError) as error:
        raise WebhookFailed(f"not reached ({type(error).__name__})") from None
    if not 200 <= status < 300:
        raise WebhookFailed(f"answered {status}")


def signature(secret: str, timestamp: int, body: bytes) -> str:
    """So that a receiver knows who speaks, and that it is not said again later."""
    return hmac.new(secret.encode(), f"{timestamp}.".encode() + body, hashlib.sha256).hexdigest()


def _parse(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        has_port = parts.port is None or parts.port > 0
    except ValueError:
        raise WebhookRefused("This is not an address.") from None
    if parts.scheme not in GUARD.schemes:
        raise WebhookRefused("The address should begin with https://.")
    if not parts.hostname or not has_port or len(url) > LONGEST_URL or not url.isascii() or not url.isprintable():
        raise WebhookRefused("This is not an address.")
    if parts.username is not None or parts.password is not None:
        raise WebhookRefused("The address should hold no user name and password.")
    return parts


async def _resolve(parts: SplitResult) -> Address:
    """One address that may be reached; where any of them may not, none may."""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(
            parts.hostname, _port(parts), type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP
        )
    except (OSError, UnicodeError):
        raise WebhookRefused("There is no host of that name.") from None
    addresses = [ipaddress.ip_address(str(each[4][0]).partition("%")[0]) for each in found]
    if not addresses or not all(GUARD.allows(address) for address in addresses):
        raise WebhookRefused("This host is not on the public internet, and only such may be used.")
    return addresses[0]


def _port(parts: SplitResult) -> int:
    return parts.port or (443 if parts.scheme == "https" else 80)


async def _post_to(address: Address, parts: SplitResult, body: bytes, headers: Mapping[str, str]) -> int:
    """The answer's status; its body is not read."""
    host = parts.hostname or ""
    url = httpx.URL(
        scheme=parts.scheme, host=str(address), port=_port(parts),
        raw_path=(f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}").encode(),
    )
    named = {**headers, "Host": parts.netloc}
    async with (
        httpx.AsyncClient(timeout=TIMEOUT, follow_redirects=False, trust_env=False) as client,
        client.stream("POST", url, content=body, headers=named, extensions={"sni_hostname": host}) as answer,
    ):
        return answer.status_code
