"""`create_app`: wiring only. Each piece is explained where it lives."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from litestar import Litestar

from app import database
from app.controllers import ROUTES
from app.settings import Settings, get_settings


@asynccontextmanager
async def pool(app: Litestar) -> AsyncIterator[None]:
    """The connection pool lives as long as the app; a test may have opened one already."""
    if database.DB.pool:
        yield
        return
    settings: Settings = app.state.settings
    assert settings.database_url
    await database.open_pool(settings.database_url, max_size=10)
    try:
        yield
    finally:
        await database.close_pool()


def create_app(settings: Settings | None = None) -> Litestar:
    app = Litestar(route_handlers=ROUTES, lifespan=[pool], openapi_config=None)
    app.state.settings = settings or get_settings()
    return app
