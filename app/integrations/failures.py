"""What a failed exchange means: statuses, refusals and connections as errors with words a person can act on."""

import ssl
from urllib.parse import urlsplit

import httpx

from app.integrations.bodies import parse_json, presentable, vendor_words
from app.integrations.errors import ErrorKind, VendorError

KIND_OF_STATUS = {
    401: ErrorKind.UNAUTHORIZED, 404: ErrorKind.NOT_FOUND, 408: ErrorKind.UNAVAILABLE, 429: ErrorKind.RATE_LIMITED,
}
NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)


def kind_of(status: int) -> ErrorKind:
    return ErrorKind.UNAVAILABLE if status >= 500 else KIND_OF_STATUS.get(status, ErrorKind.INVALID)


def may_have_happened(status: int) -> bool:
    """Whether the vendor may have done what was asked although the call failed with this status."""
    return status < 300 or status == 408 or status >= 500


def words_in(raw: bytes, private: tuple[str, ...]) -> str:
    """What the vendor says in an error's body; nothing where the body is not JSON."""
    try:
        return presentable(vendor_words(parse_json(raw)), private=private)
    except VendorError:
        return ""


def redirected(response: httpx.Response) -> VendorError:
    message = f"redirects to {_place(response.headers.get('location', ''))}, and redirects are not followed"
    return VendorError(ErrorKind.UNAVAILABLE, message, permanent=True)


def unreachable(error: httpx.TransportError) -> VendorError:
    """The request never left, so it is safe to send it again. A TLS refusal stays refused."""
    refusal = _tls_refusal(error)
    if refusal is not None:
        reason = getattr(refusal, "verify_message", "") or refusal.reason or "handshake failed"
        return VendorError(ErrorKind.UNAVAILABLE, f"TLS: the connection is not trusted: {reason}", permanent=True)
    if isinstance(error, httpx.TimeoutException):
        return VendorError(ErrorKind.UNAVAILABLE, "no connection in time")
    return VendorError(ErrorKind.UNAVAILABLE, f"no connection: {presentable(str(error)) or type(error).__name__}")


def _place(location: str) -> str:
    """Scheme and host alone: the rest of an address may hold secrets."""
    try:
        target = urlsplit(location)
    except ValueError:
        return "an unreadable address"
    return presentable(f"{target.scheme}://{target.hostname}") if target.hostname else "another path"


def _tls_refusal(error: BaseException | None) -> ssl.SSLError | None:
    while error is not None:
        if isinstance(error, ssl.SSLError):
            return error
        error = error.__cause__ or error.__context__
    return None
