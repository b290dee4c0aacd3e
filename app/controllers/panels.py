"""A page of several panels: each is read and drawn under a guard and a deadline of its own, so that one which fails or
takes too long says so in its place and leaves the others."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from litestar.plugins.jinja import JinjaTemplateEngine
from markupsafe import Markup

from app.web import AnyRequest, here, page_context

DEADLINE_SECONDS = 3.0
AT_ONCE = 2

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Panel:
    """`load` answers what the template shows."""

    name: str
    title: str
    template: str
    load: Callable[[], Awaitable[dict[str, Any]]]


async def render(request: AnyRequest, panels: Sequence[Panel]) -> dict[str, Markup]:
    """Few at once: one reader must not take all connections from the others."""
    context, turn = page_context(request), asyncio.Semaphore(AT_ONCE)

    async def draw(panel: Panel) -> Markup:
        async with turn:
            return await _panel(request, panel, context)

    drawn = await asyncio.gather(*map(draw, panels))
    return {panel.name: markup for panel, markup in zip(panels, drawn, strict=True)}


async def _panel(request: AnyRequest, panel: Panel, context: dict[str, Any]) -> Markup:
    try:
        async with asyncio.timeout(DEADLINE_SECONDS):
            return _drawn(request, panel.template, context | await panel.load())
    except Exception as error:
        log.error("panel failed", panel=panel.name, error=type(error).__name__, exc_info=error)
        return _drawn(request, "components/failed_panel.html", context | {"title": panel.title, "retry": here(request)})


def _drawn(request: AnyRequest, template: str, context: dict[str, Any]) -> Markup:
    assert isinstance(request.app.template_engine, JinjaTemplateEngine)
    return Markup(request.app.template_engine.engine.get_template(template).render(context))  # noqa: S704
