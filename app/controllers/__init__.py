"""One file per page family. `ROUTES` is the whole route table; a test fails on a route without a policy."""

from litestar.types import ControllerRouterHandler

from app.controllers import appearance, components, health, home, jobs_api

ROUTES: list[ControllerRouterHandler] = [*home.ROUTES, appearance.appearance, components.components, *health.ROUTES, *jobs_api.ROUTES]
