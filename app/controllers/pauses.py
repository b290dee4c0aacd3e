"""Pausing everything, a vendor or a kind of work, and going on. The form stands on the page of the sync."""

from litestar import post
from litestar.response import Redirect, Template

from app.controllers import sync
from app.controllers.forms import text_fields
from app.domain.job_words import KIND_TITLES, VENDOR_TITLES
from app.domain.pauses import Scope
from app.domain.redaction import one_line
from app.security.policy import admins
from app.services import alarms, pauses
from app.web import PRIVATE, AnyRequest

PATH = f"{sync.PATH}/pauses"
LONGEST_REASON = 200
NO_REASON = "Say why, so that others know when to resume it."
NO_SUBJECT = "Choose what to pause."
PAUSED_ALREADY = "It is paused already; the first reason stays."
RESUMED_ALREADY = "It is not paused, or somebody has resumed it already."
SUBJECTS = {
    Scope.ALL.value: (Scope.ALL, ""),
    **{f"{Scope.VENDOR}:{name}": (Scope.VENDOR, name) for name in VENDOR_TITLES},
    **{f"{Scope.KIND}:{name}": (Scope.KIND, name) for name in KIND_TITLES},
}


@post(PATH, guards=[admins])
async def pause(request: AnyRequest) -> Template | Redirect:
    form = await text_fields(request, "what", "reason")
    reason = one_line(form["reason"].strip())[:LONGEST_REASON]
    errors = {"what": "" if form["what"] in SUBJECTS else NO_SUBJECT, "reason": "" if reason else NO_REASON}
    if any(errors.values()):
        return await sync.shown(request, problem=" ".join(filter(None, errors.values())), errors=errors, entered=form)
    scope, name = SUBJECTS[form["what"]]
    if not await pauses.pause(scope, name, reason=reason, actor=request.user):
        return await sync.shown(request, problem=PAUSED_ALREADY, entered=form)
    return _back("paused")


@post(f"{PATH}/end", guards=[admins])
async def resume(request: AnyRequest) -> Template | Redirect:
    form = await text_fields(request, "what", "automatic")
    scope, name = SUBJECTS.get(form["what"], (None, ""))
    if form["automatic"] and scope is Scope.KIND:
        resumed = await alarms.resume(request.user, name)
    else:
        resumed = scope is not None and await pauses.resume(scope, name, actor=request.user)
    return _back("resumed") if resumed else await sync.shown(request, problem=RESUMED_ALREADY)


def _back(done: str) -> Redirect:
    return Redirect(f"{sync.PATH}?done={done}#pauses", status_code=303, headers=PRIVATE)


ROUTES = [pause, resume]
