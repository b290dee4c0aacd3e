"""What surrounds every request: an id that its log lines and its answer carry, and how often and how long, by route.

The id is ours, or the one that a proxy gave in the form of such ids; anything else might say something about somebody.
"""

import re
import time
import uuid

import structlog
from litestar.enums import ScopeType
from litestar.types import ASGIApp, HTTPScope, Message, Receive, Scope, Send
from prometheus_client import CollectorRegistry, Counter, Histogram

HEADER = b"x-request-id"
WELL_FORMED = re.compile(rb"[0-9a-fA-F-]{16,64}")
NO_ROUTE = "no route"

REGISTRY = CollectorRegistry()
REQUESTS = Counter(
    "sideline_process_requests", "Requests that this web process answered, by route and status.",
    ("method", "route", "status"), registry=REGISTRY,
)
SECONDS = Histogram(
    "sideline_process_request_seconds", "How long this web process took for them.", ("route",), registry=REGISTRY,
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
)
METHODS = frozenset({"GET", "HEAD", "POST", "OPTIONS", "PUT", "PATCH", "DELETE"})


def with_request_log(app: ASGIApp) -> ASGIApp:
    async def handle(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP:
            await app(scope, receive, send)
            return
        request_id, started, status = _request_id(scope), time.perf_counter(), 500

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], (HEADER, request_id.encode())]
            await send(message)

        with structlog.contextvars.bound_contextvars(request_id=request_id):
            try:
                await app(scope, receive, send_with_id)
            finally:
                _count(scope, status, time.perf_counter() - started)

    return handle


def _request_id(scope: Scope) -> str:
    given = next((value for name, value in scope["headers"] if name == HEADER), b"")
    return given.decode() if WELL_FORMED.fullmatch(given) else str(uuid.uuid4())


def _count(scope: HTTPScope, status: int, seconds: float) -> None:
    """By the route's pattern: the address itself may name a person."""
    route = str(scope.get("path_template") or NO_ROUTE)
    method = scope["method"] if scope["method"] in METHODS else "other"
    REQUESTS.labels(method, route, str(status)).inc()
    SECONDS.labels(route).observe(seconds)
