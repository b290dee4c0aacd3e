"""What every response says to the browser, and which requests are refused before anything looks at them."""

from urllib.parse import unquote_to_bytes

from litestar.exceptions import ClientException
from litestar.types import ASGIApp, BeforeMessageSendHookHandler, Message, Receive, Scope, Send

from app.settings import Settings

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
        "manifest-src 'self'",
    )
)
QUERY_MAX_BYTES = 8 * 1024

HEADERS = (
    (b"content-security-policy", CONTENT_SECURITY_POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
STRICT_TRANSPORT = (b"strict-transport-security", b"max-age=63072000; includeSubDomains")


def security_headers(settings: Settings) -> BeforeMessageSendHookHandler:
    """A hook before sending: it also sees answers that no route made, such as those to unknown methods.

    A page that is stricter than the rest keeps its own header.
    """
    headers = (*HEADERS, STRICT_TRANSPORT) if settings.is_production else HEADERS

    async def add_headers(message: Message, scope: Scope) -> None:
        if message["type"] == "http.response.start":
            own = {name.lower() for name, _ in message["headers"]}
            message["headers"] = [*message["headers"], *(each for each in headers if each[0] not in own)]

    return add_headers


def refuse_malformed(app: ASGIApp) -> ASGIApp:
    """Answers 400 to a host that is not ours, and to an address that no browser of ours would send."""

    async def middleware(scope: Scope, receive: Receive, send: Send) -> None:
        settings: Settings = scope["litestar_app"].state.settings
        host = next((value for name, value in scope["headers"] if name == b"host"), b"")
        _check_host(host.decode("latin-1"), settings.hosts)
        _check_address(scope)
        await app(scope, receive, send)

    return middleware


def _check_host(host: str, allowed: frozenset[str]) -> None:
    name, _colon, port = host.rpartition(":")
    if (name if port.isdigit() else host).strip("[]").lower() not in allowed:
        raise ClientException(detail="This site does not answer under that host name. Use the address you were given.")


def _check_address(scope: Scope) -> None:
    query = scope["query_string"]
    if len(query) > QUERY_MAX_BYTES:
        raise ClientException(detail="The address is too long. Remove some filters.")
    for part in (scope.get("raw_path") or b"", query):
        if b"%" in part or b"\x00" in part:
            _check_text(unquote_to_bytes(part))


def _check_text(text: bytes) -> None:
    try:
        is_readable = "\x00" not in text.decode()
    except UnicodeDecodeError:
        is_readable = False
    if not is_readable:
        raise ClientException(detail="The address holds characters that cannot be read. Check the link.")
