"""Jobs for other programs: an external scheduler presents a secret, asks for work and looks how it went."""

import hmac
import json
from typing import Any
from uuid import UUID

from litestar import Request, get, post
from litestar.exceptions import NotAuthorizedException, NotFoundException
from litestar.params import FromPath
from litestar.response import Response

from app.domain.redaction import one_line
from app.features import FeatureOff
from app.queries import job_runs
from app.queue import BadPayload, UnknownKind, enqueue, wake_soon
from app.security import throttling
from app.security.connections import client_address
from app.security.policy import bearer
from app.services import schedules
from app.services.job_runs import DueRun
from app.settings import Settings
from app.tables.jobs import Trigger

BODY_BYTES = 1_000_000
WRONG_SECRETS = throttling.Rule("scheduler", window_seconds=600, per_account=20, free=20)
REQUESTS = throttling.Rule("scheduler_request", window_seconds=60, per_account=600, free=600)
"""Of an address with a right secret: ten a second, far more than any scheduler needs."""
FOR_PROGRAMS = {"exclude_from_csrf": True, "exclude_from_auth": True}

AnyRequest = Request[Any, Any, Any]
Answer = Response[Any]


class Refusal(Exception):
    """The body cannot be used; says what and, where there is one, in which field."""

    def __init__(self, status: int, error: str, field: str | None = None) -> None:
        super().__init__(error)
        self.status = status
        self.field = field


@post(
    "/api/jobs/run", guards=[bearer], opt=FOR_PROGRAMS, request_max_body_size=BODY_BYTES, status_code=202
)
async def start_run(request: AnyRequest) -> Answer:
    await _require_secret(request)
    try:
        kind, payload = _parse(await request.body())
        run = await enqueue(kind, payload, trigger=Trigger.SCHEDULER)
    except Refusal as refusal:
        return _refused(refusal.status, str(refusal), refusal.field)
    except UnknownKind as error:
        return _refused(404, str(error), "task_type")
    except FeatureOff as error:
        return _refused(409, str(error))
    except BadPayload as error:
        return _refused(422, str(error), error.field)
    body: dict[str, Any] = {"run_id": run.run_id, "state": run.state}
    if run.is_paused:
        body["paused"] = True
    return Response(body, status_code=202 if run.is_new else 200)


@post("/api/jobs/tick", guards=[bearer], opt=FOR_PROGRAMS, request_max_body_size=BODY_BYTES, status_code=200)
async def tick(request: AnyRequest) -> dict[str, Any]:
    await _require_secret(request)
    started = await schedules.tick()
    wake_soon(DueRun(run.run_id, run.task_type, fence=0) for run in started)
    return {"started": started}


@get("/api/jobs/runs/{run_id:str}", guards=[bearer], opt=FOR_PROGRAMS)
async def show_run(request: AnyRequest, run_id: FromPath[str]) -> Answer:
    await _require_secret(request)
    run = await job_runs.get_run(_parse_id(run_id))
    if run is None:
        raise NotFoundException(detail="There is no such run.")
    return Response(run)


async def _require_secret(request: AnyRequest) -> None:
    """Wrong secrets are counted apart, so that nobody can keep the right one out."""
    settings: Settings = request.app.state.settings
    if not settings.job_queue_runner_secret:
        raise NotFoundException(detail="JOB_QUEUE_RUNNER_SECRET is not set: schedulers from outside are off.")
    if not _is_known(request.headers.get("authorization", ""), settings.job_queue_runner_secret):
        await throttling.admit(WRONG_SECRETS, account="scheduler", address=client_address(request))
        raise NotAuthorizedException(
            detail="The Authorization header should be Bearer and JOB_QUEUE_RUNNER_SECRET.",
            headers={"WWW-Authenticate": "Bearer"},
        )
    await throttling.admit(REQUESTS, account="scheduler", address=client_address(request))


def _is_known(header: str, secrets: tuple[str, ...]) -> bool:
    """Compares with each secret in constant time, also after one matched."""
    scheme, _space, presented = header.partition(" ")
    matches = [hmac.compare_digest(presented.strip().encode("utf-8", "replace"), each.encode()) for each in secrets]
    return any(matches) and scheme.lower() == "bearer"


def _parse(body: bytes) -> tuple[str, dict[str, Any]]:
    try:
        wish = json.loads(body)
    except (ValueError, RecursionError):
        raise Refusal(400, "The body should be JSON.") from None
    if not isinstance(wish, dict):
        raise Refusal(422, 'The body should be an object with "task_type" and "payload".')
    if unknown := sorted(set(wish) - {"task_type", "payload"}):
        raise Refusal(422, f"{unknown[0]}: is not a field of this request", unknown[0])
    if not isinstance(wish.get("task_type"), str):
        raise Refusal(422, "task_type: should be the name of a job kind", "task_type")
    if not isinstance(wish.get("payload", {}), dict):
        raise Refusal(422, "payload: should be an object", "payload")
    return wish["task_type"], wish.get("payload", {})


def _parse_id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise NotFoundException(detail="There is no such run.") from None


def _refused(status: int, error: str, field: str | None = None) -> Answer:
    body = {"error": one_line(error)[:1000]} | ({"field": one_line(field)[:200]} if field else {})
    return Response(body, status_code=status)


ROUTES = [start_run, tick, show_run]
