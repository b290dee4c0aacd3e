"""Browsers for tests: the real app without a socket, signed in as somebody of the cast or as nobody."""

import functools
from typing import Any, cast
from uuid import UUID

import httpx
from litestar import Litestar

from app.domain.tokens import hash_token
from app.main import create_app
from app.security import csrf, sessions
from app.settings import Settings, get_settings
from tests.cast import Person

PASSWORD = "seventeen green kites"
ADDRESS = "203.0.113.7"


async def client_for(person: Person | UUID, settings: Settings | None = None, **options: Any) -> httpx.AsyncClient:
    """A browser with a session of its own; every request carries the CSRF header."""
    settings = settings or get_settings()
    user_id = person.id if isinstance(person, Person) else person
    token = await sessions.open_session(user_id, address=ADDRESS, user_agent="Firefox/140 Linux")
    client = stranger(settings, **options)
    client.cookies.set(sessions.session_cookie_name(settings), token, domain=client.base_url.host)
    client.headers[csrf.HEADER] = csrf.token_for(hash_token(token), settings)
    return client


def stranger(settings: Settings | None = None, *, address: str = ADDRESS, **options: Any) -> httpx.AsyncClient:
    """A browser that nobody signed in with yet, calling from `address`."""
    settings = settings or get_settings()
    transport = httpx.ASGITransport(cast(Any, app_for(settings)), client=(address, 50_000))
    return httpx.AsyncClient(transport=transport, base_url=settings.base_url, **options)


@functools.lru_cache(maxsize=16)
def app_for(settings: Settings) -> Litestar:
    return create_app(settings)
