"""The ledger of runs: the list, one run, and what an admin does about it."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

from litestar import get, post
from litestar.exceptions import NotFoundException
from litestar.params import FromPath
from litestar.response import Redirect, Response, Stream

from app.controllers.forms import text_fields
from app.controllers.polling import digest, with_seen
from app.domain import csv_text, job_list
from app.domain import schedules as words
from app.domain.job_list import PATH, SINCE, STATES, TRIGGERS, View
from app.domain.job_words import KIND_TITLES, kind_title
from app.features import FeatureOff
from app.queries import health
from app.queries import jobs as queries
from app.queries.jobs import Row
from app.queue import BadPayload, UnknownKind
from app.security.policy import admins
from app.services import job_actions
from app.services.job_actions import NotFound
from app.web import PRIVATE, AnyRequest, page

COLUMNS = (
    "run_id", "kind", "state", "trigger", "attempts", "queued_at", "started_at", "finished_at", "result", "error",
)
DONE = {
    "again": "This is the new run. The old one stays as it was.",
    "waits": "The same work is queued or running already; this is it.",
    "cancelled": "The run is cancelled.",
    "aborted": "The run is aborted: its worker stops within seconds, and what it had not stored yet is not stored.",
    "deleted": "The run is deleted.",
}
CHANGED = {
    "again": "Only a run that has ended can be run again; this one waits or runs.",
    "cancel": "Only a run that waits can be cancelled; this one has begun or ended meanwhile.",
    "abort": "Only a run that is running can be aborted; this one waits or has ended meanwhile.",
    "delete": "Only a run that has ended can be deleted; this one waits or runs.",
}
NOT_FOUND = "There is no such run; it may have been deleted."
NO_ACTION = "Choose what to do with the run."


@get(PATH, guards=[admins])
async def list_all(request: AnyRequest) -> Response[Any]:
    parsed = job_list.parse(request.query_params.multi_items())
    view, notices = queries.understood(parsed.view)
    if parsed.is_export:
        return _file(view)
    found, counts, workers = await queries.get_page(view), await queries.count_states(view), await _workers()
    state = digest(found, counts, workers[0].is_well, [(each.name, each.is_heard, each.runs) for each in workers[1]])
    if request.query_params.get("seen") == state:
        return Response(None, status_code=204, headers=PRIVATE)
    return page(
        request, "jobs/index.html", fragment="jobs/_list.html", view=view, notices=(*parsed.notices, *notices),
        found=found, tabs=_tabs(view, counts), chips=_chips(view), workers=workers, most=queries.COUNTED,
        refresh_url=with_seen(view.url(cursor=view.cursor), state), kinds=KIND_TITLES, since=SINCE, triggers=TRIGGERS,
        deleted=await queries.list_deleted(),
        done=DONE["deleted"] if request.query_params.get("done") == "deleted" else "", **_words(),
    )


@get(f"{PATH}/{{run_id:uuid}}", guards=[admins])
async def show(request: AnyRequest, run_id: FromPath[UUID]) -> Response[Any]:
    return await _one(request, run_id, done=DONE.get(request.query_params.get("done", ""), ""))


@post(f"{PATH}/{{run_id:uuid}}", guards=[admins])
async def act(request: AnyRequest, run_id: FromPath[UUID]) -> Response[Any]:
    do = (await text_fields(request, "do"))["do"]
    try:
        leads_to = await _do(request, run_id, do)
    except NotFound:
        raise NotFoundException(detail=NOT_FOUND) from None
    except (FeatureOff, BadPayload, UnknownKind) as error:
        return await _one(request, run_id, problem=str(error))
    if not leads_to:
        return await _one(request, run_id, problem=CHANGED.get(do, NO_ACTION))
    return Redirect(leads_to, status_code=303, headers=PRIVATE)


async def _do(request: AnyRequest, run_id: UUID, do: str) -> str:
    """Where to go now; '' where the run's state has changed meanwhile."""
    match do:
        case "again":
            enqueued = await job_actions.run_again(run_id, request.user)
            if enqueued is None:
                return ""
            return f"{PATH}/{enqueued.run_id}?done={'again' if enqueued.is_new else 'waits'}"
        case "cancel":
            return f"{PATH}/{run_id}?done=cancelled" if await job_actions.cancel(run_id, request.user) else ""
        case "abort":
            return f"{PATH}/{run_id}?done=aborted" if await job_actions.abort(run_id, request.user) else ""
        case "delete":
            return f"{PATH}?done=deleted" if await job_actions.delete(run_id, request.user) else ""
    return ""


async def _one(request: AnyRequest, run_id: UUID, *, done: str = "", problem: str = "") -> Response[Any]:
    detail = await queries.get_run(run_id)
    if detail is None:
        raise NotFoundException(detail=NOT_FOUND)
    state = digest(detail)
    if request.query_params.get("seen") == state:
        return Response(None, status_code=204, headers=PRIVATE)
    return page(
        request, "jobs/show.html", fragment="jobs/_run.html", status_code=409 if problem else 200, detail=detail,
        run=detail.row, done=done, problem=problem, refresh_url=with_seen(f"{PATH}/{run_id}", state), **_words(),
    )


async def _workers() -> tuple[health.Health, tuple[queries.Worker, ...]]:
    return await health.worker_health(), await queries.list_workers()


def _tabs(view: View, counts: dict[str, int]) -> list[tuple[str, str, bool, str]]:
    shown = {state: _bounded(count) for state, count in counts.items()}
    total = _bounded(min(sum(counts.values()), queries.COUNTED + 1))
    return [("All", view.url(state=""), not view.state, total)] + [
        (label, view.url(state=state), state == view.state, shown[state]) for state, label in STATES.items()
    ]


def _bounded(count: int) -> str:
    return f"{queries.COUNTED:,}+" if count > queries.COUNTED else f"{count:,}"


def _chips(view: View) -> list[tuple[str, str, str]]:
    """Each filter that is set: its name, its value and the address without it."""
    candidates = (
        ("Kind", KIND_TITLES.get(view.kind, ""), view.url(kind="")),
        ("Since", SINCE.get(view.since, ""), view.url(since="")),
        ("Started by", TRIGGERS.get(view.trigger, ""), view.url(trigger="")),
        ("Error", view.error, view.url(error="")),
        ("Text", view.q, view.url(q="")),
    )
    return [(name, value, url) for name, value, url in candidates if value]


def _file(view: View) -> Response[Any]:
    return Stream(
        _lines(view), media_type="text/csv; charset=utf-8",
        headers={**PRIVATE, "Content-Disposition": 'attachment; filename="runs.csv"'},
    )


async def _lines(view: View) -> AsyncIterator[str]:
    yield csv_text.BYTE_ORDER_MARK + csv_text.lines([COLUMNS])
    async for rows in queries.walk(view):
        yield csv_text.lines(_cells(row) for row in rows)


def _cells(row: Row) -> list[object]:
    return [
        row.id, row.kind, row.state, row.trigger, row.attempts, row.queued_at, row.started_at, row.finished_at,
        words.result_words(row.result), row.error,
    ]


def _words() -> dict[str, Any]:
    return {
        "kind_title": kind_title, "mark_of_run": words.mark_of, "duration_words": words.duration_words,
        "result_words": words.result_words, "does": words.does, "trigger_words": TRIGGERS,
    }


ROUTES = [list_all, show, act]
