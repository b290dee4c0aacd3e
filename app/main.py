"""`create_app`: wiring only. Each piece is explained where it lives."""

import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext

from litestar import Litestar, Router
from litestar.config.compression import CompressionConfig
from litestar.datastructures import CacheControlHeader, State
from litestar.static_files import create_static_files_router
from litestar.template import TemplateConfig

from app import alarm_watch, database, logs, queue
from app.controllers import ROUTES, exports
from app.domain import paging
from app.errors import no_organization, render_error
from app.methods import head_like_get, refusals
from app.queries.scopes import NoOrganization
from app.request_log import with_request_log
from app.security.csrf import CsrfMiddleware
from app.security.cursors import CursorSeal
from app.security.headers import refuse_malformed, security_headers
from app.security.policy import anyone
from app.security.sessions import AuthenticationMiddleware
from app.services import error_reports
from app.settings import Settings, get_settings
from app.web import STATIC, template_engine

# Reading a form keeps the process busy: ten megabytes of tiny fields would stop all others for seconds.
FORM_MAX_BYTES = 100 * 1024
PATIENCE_SECONDS = 1.0
# Less than the ten seconds after which a page gives up waiting for its fragment.
STATEMENT_SECONDS = 8.0
# Pages put their statements together from what is asked for, so that one plan fits every value; planning a statement
# anew takes as long as running it. The memory keeps a custom window of a large league from sorting on the disk.
PAGES_SESSION = "set plan_cache_mode = force_generic_plan; set work_mem = '32MB'"
FOR_EVER = CacheControlHeader(public=True, max_age=31_536_000, immutable=True)


@asynccontextmanager
async def pool(app: Litestar) -> AsyncIterator[None]:
    """The connection pool lives as long as the app; a test may have opened one already. It connects when first asked:
    a web process that starts while the database is away says so on its pages, and serves them once it is back."""
    if database.DB.pool:
        yield
        return
    settings: Settings = app.state.settings
    assert settings.database_url
    logs.configure(settings)
    error_reports.start()
    _collect_less_often()
    await database.open_pool(
        settings.database_url, min_size=0, max_size=10, patience_seconds=PATIENCE_SECONDS,
        statement_seconds=STATEMENT_SECONDS, settings_of_session=PAGES_SESSION,
    )
    try:
        async with alarm_watch.watching() if app.state.is_watching else nullcontext():
            yield
    finally:
        await queue.close_queue()
        await database.close_pool()


def _collect_less_often() -> None:
    """A page makes thousands of objects and hardly a cycle: looking for cycles at every 700 took a sixth of the time.
    What the start has loaded stays for ever and need not be looked through again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


def static_files() -> Router:
    return create_static_files_router(
        path="/static", directories=[STATIC], cache_control=FOR_EVER, guards=[anyone],
        opt={"exclude_from_auth": True, "exclude_from_csrf": True},
    )


def create_app(settings: Settings | None = None, *, is_watching: bool = True) -> Litestar:
    """`is_watching`: whether the process looks for alarms while it serves."""
    settings = settings or get_settings()
    if settings.secret_key:
        paging.seal_with(CursorSeal(settings.secret_key))
    app = Litestar(
        route_handlers=[*ROUTES, *refusals(ROUTES), static_files()],
        lifespan=[pool],
        middleware=[refuse_malformed, AuthenticationMiddleware, CsrfMiddleware],
        before_request=exports.admit,
        before_send=[security_headers(settings)],
        exception_handlers={NoOrganization: no_organization, Exception: render_error},
        template_config=TemplateConfig(instance=template_engine(settings)),
        compression_config=CompressionConfig(backend="brotli", brotli_quality=4, minimum_size=500),
        request_max_body_size=FORM_MAX_BYTES,
        openapi_config=None,
        logging_config=None,
        state=State({"settings": settings, "is_watching": is_watching}),
    )
    app.asgi_handler = with_request_log(head_like_get(app.asgi_handler))
    return app
