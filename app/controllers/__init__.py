"""One file per page family. `ROUTES` is the whole route table; a test fails on a route without a policy."""

from litestar.types import ControllerRouterHandler

from app.controllers import home

ROUTES: list[ControllerRouterHandler] = [*home.ROUTES]
