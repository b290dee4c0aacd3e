"""The sandbox as a web server: the platform's paths for the product, /sandbox/ for whoever directs the play."""

import os
import signal
import socket
import sys
import time
from collections.abc import Callable
from hmac import compare_digest
from pathlib import Path
from typing import Any, cast

import uvicorn
from litestar import Litestar, Request, Response, route
from litestar.di import NamedDependency, Provide
from litestar.exceptions import HTTPException
from litestar.handlers import HTTPRouteHandler
from litestar.types import Method

from app.sandbox.contract import EVERYTHING, PREFIX, Operation, Refused, read_body, read_query
from app.sandbox.control import Control
from app.sandbox.journal import BadJournal, Journal
from app.sandbox.league import LEAGUE_SIZE
from app.sandbox.sandbox import Sandbox
from app.sandbox.script import Script
from app.sandbox.wire import App, Wire
from app.sandbox.world import World

TOKEN = "sandbox-token"  # noqa: S105
HOST = "127.0.0.1"
Asked = Request[Any, Any, Any]


def create_sandbox(
    *, speed: float = 0, state_file: Path | None = None, seed: int = 7, has_league: bool = True,
    competitors: int = LEAGUE_SIZE, clock: Callable[[], float] = time.time,
) -> Wire:
    """The ASGI app. What a state file already tells goes before `seed`, `has_league` and `competitors`."""
    world = World(Journal(state_file), seed=seed, has_league=has_league, now=clock(), competitors=competitors)
    sandbox = Sandbox(world, speed=speed, clock=clock)
    app = Litestar(
        [*(_handler(operation) for operation in EVERYTHING.values()), Control, Script],
        dependencies={"sandbox": Provide(lambda: sandbox, sync_to_thread=False)},
        exception_handlers={Refused: _refuse, HTTPException: _explain},
        lifespan=[sandbox.live],
        openapi_config=None,
        logging_config=None,
    )
    return Wire(cast(App, app), sandbox)


def _handler(operation: Operation) -> HTTPRouteHandler:
    async def handle(request: Asked, sandbox: NamedDependency[Sandbox]) -> dict[str, Any]:
        if operation.needs_token:
            _authenticate(request.headers.get("authorization", ""))
        return cast(dict[str, Any], getattr(sandbox.platform, operation.name)(**await _arguments(operation, request)))

    methods = [cast(Method, operation.method)]
    return route(
        PREFIX + operation.path, http_method=methods, status_code=operation.status, name=operation.name
    )(handle)


def _authenticate(header: str) -> None:
    scheme, _, token = header.partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise Refused(403, "Not authenticated")
    if not compare_digest(token.encode(), TOKEN.encode()):
        raise Refused(401, "Invalid token")


async def _arguments(operation: Operation, request: Asked) -> dict[str, Any]:
    if operation.body is not None:
        return read_body(operation.body, await request.body(), request.headers.get("content-type", ""))
    if operation.query is not None:
        return read_query(operation.query, {name: values[-1] for name, values in request.query_params.dict().items()})
    return {}


def _refuse(_: Asked, error: Refused) -> Response[dict[str, Any]]:
    return Response({"detail": error.detail}, status_code=error.status)


def _explain(_: Asked, error: HTTPException) -> Response[dict[str, Any]]:
    return Response({"detail": error.detail}, status_code=error.status_code)


def serve(
    port: int, *, speed: float, state_file: Path | None, seed: int = 7, has_league: bool = True,
    competitors: int = LEAGUE_SIZE,
) -> None:
    """Serves on this machine until SIGTERM or SIGINT. Port 0 takes a free one; the printed line tells which."""
    for stop in (signal.SIGTERM, signal.SIGINT):
        signal.signal(stop, lambda *_: os._exit(0))  # nothing is open yet; an exception could be lost in a callback
    with _listen(port) as listener:
        try:
            app = create_sandbox(
                speed=speed, state_file=state_file, seed=seed, has_league=has_league, competitors=competitors
            )
        except BadJournal as error:
            sys.exit(str(error))
        address = f"http://{HOST}:{listener.getsockname()[1]}{PREFIX}"
        print(f"The vendor sandbox plays the Game Platform at {address}", flush=True)  # noqa: T201
        config = uvicorn.Config(
            cast(Any, app), log_level="critical", access_log=False, proxy_headers=False, lifespan="on",
            timeout_keep_alive=75, timeout_graceful_shutdown=1
        )
        uvicorn.Server(config).run(sockets=[listener])


def _listen(port: int) -> socket.socket:
    try:
        return socket.create_server((HOST, port), backlog=2048)
    except OSError as error:
        sys.exit(f"The sandbox cannot listen on {HOST}:{port} ({error.strerror}). Give it another --port.")
