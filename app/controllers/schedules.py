"""When work starts by itself: the list of schedules, the page of one, and what an admin does about it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from litestar import get, post
from litestar.exceptions import NotFoundException
from litestar.params import FromPath
from litestar.response import Redirect, Template

from app.controllers.forms import text_fields
from app.controllers.payload_fields import form_names, payload_fields, read_payload, schedulable
from app.domain import schedules as words
from app.domain.addresses import Reading, address
from app.domain.job_words import kind_title
from app.domain.pauses import Pause, pause_of
from app.domain.readers import Reader
from app.features import FeatureOff
from app.queries import health
from app.queries import schedules as queries
from app.queries.schedules import Schedule
from app.queue import JOB_KINDS, BadPayload
from app.security.policy import admins
from app.services import cron, preferences, schedule_changes
from app.services.cron import BadCron
from app.services.schedule_changes import ChangedMeanwhile, NotFound, ScheduleError, Wish
from app.web import PRIVATE, AnyRequest, page

PAGE = "/admin/schedules"
STATES = {"": "All", "enabled": "Enabled", "paused": "Paused"}
NEXT_TIMES = 5
DONE = {
    "created": "The schedule is made.", "saved": "The schedule is changed.", "reset": "It is back at its default.",
    "deleted": "The schedule is deleted; its runs stay.", "paused": "The schedule is paused.",
    "resumed": "The schedule goes on with its next slot.", "started": "A run is queued.",
    "waits": "The same work was queued or running already; nothing was added.",
    "held": "A run is queued; it waits, because this kind of work is paused.",
}
NOT_FOUND = "There is no such schedule; somebody may have deleted it."
NO_ACTION = "Choose what to do with the schedule."


@dataclass(frozen=True, slots=True)
class Preview:
    """What an expression means; `problem` and its field where it cannot be used."""

    words: str = ""
    zone: str = ""
    times: tuple[tuple[datetime, str, str], ...] = ()
    problem: str = ""
    field: str = ""


@get(PAGE, guards=[admins])
async def list_all(request: AnyRequest) -> Template:
    reading = Reading(request.query_params.multi_items())
    state = reading.choice("state", [name for name in STATES if name])
    found = await queries.list_schedules()
    shown = tuple(each for each in found if not state or each.enabled is (state == "enabled"))
    return page(
        request, "schedules/index.html", fragment="schedules/_list.html", schedules=shown, state=state,
        here_url=address(PAGE, {"state": state}), notices=reading.notices, tabs=_tabs(state, found),
        done=DONE.get(reading.text("done"), ""), scheduler=await health.scheduler_health(),
        worker=await health.worker_health(), as_of=datetime.now(UTC), **_words(request.user),
    )


@get(f"{PAGE}/new", guards=[admins])
async def show_new(request: AnyRequest) -> Template:
    reading = Reading(request.query_params.multi_items())
    return _new(request, Wish("", reading.choice("kind", schedulable()), {}, "0 3 * * *", request.user.time_zone),
                notices=reading.notices)


@post(f"{PAGE}/new", guards=[admins])
async def create(request: AnyRequest) -> Template | Redirect:
    wish, form = await _wish(request)
    if form["do"] == "check":
        return _new(request, wish)
    try:
        schedule_id = await schedule_changes.create(request.user, wish)
    except (BadCron, BadPayload, ScheduleError) as error:
        return _new(request, wish, error=error)
    return _to(schedule_id, "created")


@get(f"{PAGE}/preview", guards=[admins])
async def show_preview(request: AnyRequest) -> Template:
    reading = Reading(request.query_params.multi_items())
    preview = _preview(request.user, reading.text("cron"), reading.text("zone"))
    return page(request, "schedules/preview.html", fragment="schedules/_preview.html", preview=preview)


@get(f"{PAGE}/{{schedule_id:uuid}}", guards=[admins])
async def show(request: AnyRequest, schedule_id: FromPath[UUID]) -> Template:
    return await _one(request, schedule_id)


@post(f"{PAGE}/{{schedule_id:uuid}}", guards=[admins])
async def save(request: AnyRequest, schedule_id: FromPath[UUID]) -> Template | Redirect:
    schedule = await _get(schedule_id)
    wish, form = await _wish(request, schedule)
    if form["do"] == "check":
        return await _one(request, schedule_id, entered=wish, version=_version(form))
    try:
        await schedule_changes.save(request.user, schedule_id, _version(form), wish)
    except NotFound:
        raise NotFoundException(detail=NOT_FOUND) from None
    except (BadCron, BadPayload, ScheduleError) as error:
        return await _one(request, schedule_id, entered=wish, error=error, version=_version(form))
    return _to(schedule_id, "saved")


@post(f"{PAGE}/{{schedule_id:uuid}}/actions", guards=[admins])
async def act(request: AnyRequest, schedule_id: FromPath[UUID]) -> Template | Redirect:
    form = await text_fields(request, "do", "reason", "version")
    try:
        done = await _do(request.user, schedule_id, form)
    except NotFound:
        raise NotFoundException(detail=NOT_FOUND) from None
    except (FeatureOff, BadCron, BadPayload, ScheduleError) as error:
        return await _one(request, schedule_id, error=error, reason=form["reason"])
    return _to(None if done == "deleted" else schedule_id, done)


async def _do(reader: Reader, schedule_id: UUID, form: Mapping[str, str]) -> str:
    match form["do"]:
        case "pause":
            await schedule_changes.pause(reader, schedule_id, form["reason"])
            return "paused"
        case "resume":
            await schedule_changes.resume(reader, schedule_id)
            return "resumed"
        case "reset":
            await schedule_changes.reset(reader, schedule_id, _version(form))
            return "reset"
        case "delete":
            await schedule_changes.delete(reader, schedule_id, _version(form))
            return "deleted"
        case "run":
            asked = await schedule_changes.run_now(reader, schedule_id)
            return ("held" if asked.is_paused else "started") if asked.is_new else "waits"
        case _:
            raise ScheduleError(NO_ACTION)


def _to(schedule_id: UUID | None, done: str) -> Redirect:
    path = f"{PAGE}/{schedule_id}" if schedule_id else PAGE
    return Redirect(address(path, {"done": done}), status_code=303, headers=PRIVATE)


def _version(form: Mapping[str, str]) -> int:
    """One that nobody has where it cannot be read."""
    text = form["version"]
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else -1


async def _wish(request: AnyRequest, schedule: Schedule | None = None) -> tuple[Wish, dict[str, str]]:
    kind = schedule.kind if schedule else (await text_fields(request, "kind"))["kind"]
    form = await text_fields(request, "do", "version", "name", "cron", "zone", *form_names(kind))
    name = schedule.name if schedule and schedule.is_built_in else form["name"]
    cron_text = " ".join(form["cron"][: 2 * cron.LONGEST].split())
    return Wish(name, kind, read_payload(kind, form), cron_text, form["zone"]), form


async def _get(schedule_id: UUID) -> Schedule:
    schedule = await queries.get_schedule(schedule_id)
    if schedule is None:
        raise NotFoundException(detail=NOT_FOUND)
    return schedule


def _new(
    request: AnyRequest, wish: Wish, *, notices: list[str] | None = None, error: Exception | None = None
) -> Template:
    return page(
        request, "schedules/new.html", status_code=422 if error else 200, wish=wish, notices=notices or [],
        kinds=[(kind, kind_title(kind)) for kind in schedulable()],
        fields=payload_fields(wish.kind, dict(wish.payload)),
        preview=_preview(request.user, wish.cron, wish.zone), zones=_zones(wish.zone), version=0, schedule=None,
        **_problem(error), **_words(request.user),
    )


async def _one(
    request: AnyRequest, schedule_id: UUID, *, entered: Wish | None = None, error: Exception | None = None,
    version: int | None = None, reason: str = "",
) -> Template:
    """After somebody else's change the form goes on from what is there now, so that saving again is meant."""
    schedule = await _get(schedule_id)
    is_stale = isinstance(error, ChangedMeanwhile)
    wish = entered or _as_wish(schedule)
    return page(
        request, "schedules/show.html", status_code=(409 if is_stale else 422) if error else 200, schedule=schedule,
        wish=wish, fields=payload_fields(schedule.kind, dict(wish.payload)), zones=_zones(wish.zone), reason=reason,
        version=schedule.version if is_stale or version is None else version,
        preview=_preview(request.user, wish.cron, wish.zone),
        meanwhile=_differences(_as_wish(schedule), wish) if is_stale and entered else [], is_edited=entered is not None,
        from_default=await _from_default(schedule), done=DONE.get(request.query_params.get("done", ""), ""),
        **_problem(error), **_words(request.user),
    )


def _problem(error: Exception | None) -> dict[str, Any]:
    """At its field where it has one: `competitor_ids.0` is at `competitor_ids`."""
    field = getattr(error, "field", "").partition(".")[0]
    return {"problem": str(error) if error else "", "errors": {field: str(error)} if error and field else {}}


def _as_wish(schedule: Schedule) -> Wish:
    return Wish(schedule.name, schedule.kind, schedule.payload, schedule.cron, schedule.zone)


async def _from_default(schedule: Schedule) -> list[tuple[str, str, str]]:
    default = (await schedule_changes.defaults()).get(schedule.name)
    if not schedule.is_changed or default is None:
        return []
    return _differences(Wish(schedule.name, schedule.kind, {}, default, "UTC"), _as_wish(schedule))


def _differences(left: Wish, right: Wish) -> list[tuple[str, str, str]]:
    rows = [("Name", left.name, right.name), ("Expression", left.cron, right.cron), ("Zone", left.zone, right.zone)]
    pairs = zip(payload_fields(left.kind, dict(left.payload)), payload_fields(left.kind, dict(right.payload)),
                strict=True)
    rows += [(ours.label, ours.value or "default", theirs.value or "default") for ours, theirs in pairs]
    return [row for row in rows if row[1] != row[2]]


def _zones(chosen: str) -> list[tuple[str, str]]:
    """With the one that stands there, even where it is of no use: the message says so."""
    return [(zone, zone) for zone in dict.fromkeys((chosen, *preferences.time_zones()))]


def _preview(reader: Reader, expression: str, zone: str) -> Preview:
    try:
        slots = cron.next_slots(expression, zone, datetime.now(UTC), NEXT_TIMES)
    except BadCron as error:
        return Preview(problem=str(error), field=error.field)
    there, here = ZoneInfo(zone), ZoneInfo(reader.time_zone)
    return Preview(cron.in_words(expression), zone, tuple(
        (slot, f"{slot.astimezone(there):%a %Y-%m-%d %H:%M %Z}", f"{slot.astimezone(here):%a %Y-%m-%d %H:%M %Z}")
        for slot in slots
    ))


def _tabs(state: str, found: tuple[Schedule, ...]) -> list[tuple[str, str, bool, int]]:
    enabled = sum(each.enabled for each in found)
    counts = {"": len(found), "enabled": enabled, "paused": len(found) - enabled}
    return [(label, address(PAGE, {"state": name}), name == state, counts[name]) for name, label in STATES.items()]


def _held_by(reader: Reader, kind: str) -> Pause | None:
    """What keeps the runs of a schedule waiting, though its slots come."""
    job = JOB_KINDS.get(kind)
    return pause_of(reader.pauses, kind, job.vendor if job else None, is_asked_for=False)


def _words(reader: Reader) -> dict[str, Any]:
    return {
        "held_by": partial(_held_by, reader),
        "in_words": cron.in_words, "does": words.does, "kind_title": kind_title, "mark_of_run": words.mark_of,
        "duration_words": words.duration_words, "result_words": words.result_words,
    }


ROUTES = [list_all, show_new, create, show_preview, show, save, act]
