import pytest
from litestar.connection import ASGIConnection

from app.security.connections import client_address
from app.settings import Settings, get_settings
from tests.clients import app_for


def address(peer: str | None, forwarded: list[str], trusted: tuple[str, ...] = ()) -> str:
    settings = Settings(**(get_settings().model_dump() | {"trusted_proxies": trusted}))
    scope = {
        "type": "http", "litestar_app": app_for(settings), "client": (peer, 1) if peer else None, "query_string": b"",
        "headers": [(b"x-forwarded-for", value.encode()) for value in forwarded], "path": "/", "method": "GET",
    }
    return client_address(ASGIConnection(scope))  # type: ignore[arg-type]


PROXIES = ("10.0.0.0/8", "::1")


@pytest.mark.parametrize(
    ("peer", "forwarded", "trusted", "expected"),
    [
        ("203.0.113.5", [], (), "203.0.113.5"),
        ("203.0.113.5", ["1.1.1.1"], (), "203.0.113.5"),
        ("203.0.113.5", ["1.1.1.1"], PROXIES, "203.0.113.5"),
        ("10.0.0.1", ["198.51.100.4"], PROXIES, "198.51.100.4"),
        ("10.0.0.1", ["1.1.1.1, 198.51.100.4"], PROXIES, "198.51.100.4"),
        ("10.0.0.1", ["1.1.1.1", "198.51.100.4, 10.0.0.2"], PROXIES, "198.51.100.4"),
        ("10.0.0.1", ["10.0.0.3, 10.0.0.2"], PROXIES, "10.0.0.3"),
        ("10.0.0.1", ["not an address"], PROXIES, "10.0.0.1"),
        ("10.0.0.1", ["1.1.1.1, not an address, 10.0.0.2"], PROXIES, "10.0.0.2"),
        ("::1", ["2001:db8::7"], PROXIES, "2001:db8::7"),
        ("10.0.0.1", [], PROXIES, "10.0.0.1"),
        (None, ["1.1.1.1"], PROXIES, "unknown"),
    ],
)
def test_only_what_our_own_proxies_wrote_counts(
    peer: str | None, forwarded: list[str], trusted: tuple[str, ...], expected: str
) -> None:
    assert address(peer, forwarded, trusted) == expected
