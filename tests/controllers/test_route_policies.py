"""Every route names exactly one policy, and the policy holds for every role."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from litestar import Litestar
from litestar.handlers import HTTPRouteHandler
from litestar.routes import HTTPRoute

from app.main import create_app
from app.security.policy import POLICIES, admins, anyone, bearer, coaches, signed_in
from tests.cast import Cast, Person, make_cast
from tests.clients import client_for, stranger

Policy = Callable[..., Any]

MAY: dict[Policy, set[str]] = {
    anyone: {"stranger", "player", "coach", "admin"},
    signed_in: {"player", "coach", "admin"},
    coaches: {"coach", "admin"},
    admins: {"admin"},
}


def routes(app: Litestar) -> Iterator[tuple[str, str, HTTPRouteHandler]]:
    for route in app.routes:
        if isinstance(route, HTTPRoute):
            for handler in route.route_handlers:
                for method in sorted(handler.http_methods - {"OPTIONS"}):
                    yield str(method), route.path, handler


def policies_of(handler: HTTPRouteHandler) -> list[Policy]:
    named = [guard for layer in handler.ownership_layers for guard in layer.guards or []]
    return [policy for policy in POLICIES for guard in named if guard is policy]


def test_every_route_names_exactly_one_policy() -> None:
    found = list(routes(create_app()))
    assert len(found) > 10
    assert [f"{method} {path}" for method, path, handler in found if len(policies_of(handler)) != 1] == []


@pytest.mark.parametrize("role", ["stranger", "player", "coach", "admin"])
async def test_a_route_is_refused_to_everybody_else(role: str) -> None:
    """Reads only: what a change does to whom is the business of that page's own tests."""
    cast = await make_cast()
    async with stranger() if role == "stranger" else await client_for(person(cast, role)) as client:
        for method, path, handler in routes(create_app()):
            policy = policies_of(handler)[0]
            if method != "GET" or policy is bearer or "{" in path:
                continue
            status = (await client.get(path)).status_code
            if role in MAY[policy]:
                assert status not in (401, 403), f"{role} {path}: {status}"
            else:
                assert status in (303, 403), f"{role} {path}: {status}"


def person(cast: Cast, role: str) -> Person:
    return {"player": cast.player, "coach": cast.coach_a, "admin": cast.admin}[role]
