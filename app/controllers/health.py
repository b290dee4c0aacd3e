"""For load balancers and monitors: 200 or 503, and why. Answers within a second, whatever is broken."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog
from litestar import get
from litestar.response import Response

from app.queries import health
from app.queries.health import Health
from app.security.policy import anyone

log = structlog.get_logger(__name__)

PATIENCE_SECONDS = 0.8
FOR_PROGRAMS = {"exclude_from_auth": True}

Answer = Response[dict[str, str]]


@get("/health/live", guards=[anyone], opt=FOR_PROGRAMS)
async def live() -> Answer:
    return _answer(Health(True, "The process answers."))


@get("/health/ready", guards=[anyone], opt=FOR_PROGRAMS)
async def ready() -> Answer:
    return await _ask(health.database_health)


@get("/health/worker", guards=[anyone], opt=FOR_PROGRAMS)
async def worker() -> Answer:
    return await _ask(health.worker_health)


@get("/health/scheduler", guards=[anyone], opt=FOR_PROGRAMS)
async def scheduler() -> Answer:
    return await _ask(health.scheduler_health)


async def _ask(question: Callable[[], Awaitable[Health]]) -> Answer:
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            return _answer(await question())
    except Exception as error:
        log.warning("health check failed", error_class=type(error).__name__)
        return _answer(Health(False, "The database does not answer."))


def _answer(state: Health) -> Answer:
    return Response(
        {"status": "ok" if state.is_well else "unavailable", "why": state.why},
        status_code=200 if state.is_well else 503, headers={"Cache-Control": "no-store"},
    )


ROUTES = [live, ready, worker, scheduler]
