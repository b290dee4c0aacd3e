"""`create_app`: wiring only. Each piece is explained where it lives."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from litestar import Litestar, Router
from litestar.config.compression import CompressionConfig
from litestar.datastructures import CacheControlHeader, State
from litestar.static_files import create_static_files_router
from litestar.template import TemplateConfig

from app import database, logs, queue
from app.controllers import ROUTES
from app.errors import render_error
from app.security.csrf import CsrfMiddleware
from app.security.headers import refuse_malformed, security_headers
from app.security.policy import anyone
from app.security.sessions import AuthenticationMiddleware
from app.settings import Settings, get_settings
from app.web import STATIC, template_engine

REQUEST_MAX_BYTES = 10 * 1024 * 1024
PATIENCE_SECONDS = 1.0
FOR_EVER = CacheControlHeader(public=True, max_age=31_536_000, immutable=True)


@asynccontextmanager
async def pool(app: Litestar) -> AsyncIterator[None]:
    """The connection pool lives as long as the app; a test may have opened one already."""
    if database.DB.pool:
        yield
        return
    settings: Settings = app.state.settings
    assert settings.database_url
    logs.configure(settings)
    await database.open_pool(settings.database_url, max_size=10, patience_seconds=PATIENCE_SECONDS)
    try:
        yield
    finally:
        await queue.close_queue()
        await database.close_pool()


def static_files() -> Router:
    return create_static_files_router(
        path="/static", directories=[STATIC], cache_control=FOR_EVER, guards=[anyone],
        opt={"exclude_from_auth": True, "exclude_from_csrf": True},
    )


def create_app(settings: Settings | None = None) -> Litestar:
    settings = settings or get_settings()
    return Litestar(
        route_handlers=[*ROUTES, static_files()],
        lifespan=[pool],
        middleware=[refuse_malformed, AuthenticationMiddleware, CsrfMiddleware],
        before_send=[security_headers(settings)],
        exception_handlers={Exception: render_error},
        template_config=TemplateConfig(instance=template_engine(settings)),
        compression_config=CompressionConfig(backend="brotli", brotli_quality=4, minimum_size=500),
        request_max_body_size=REQUEST_MAX_BYTES,
        openapi_config=None,
        logging_config=None,
        state=State({"settings": settings}),
    )
