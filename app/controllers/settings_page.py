"""One's own account: how pages look, the password, the browsers that are signed in."""

from uuid import UUID

from litestar import get, post
from litestar.exceptions import NotFoundException
from litestar.params import FromPath
from litestar.response import Redirect, Template

from app.controllers.forms import text_fields
from app.domain.readers import Reader
from app.queries import settings_page
from app.security import sessions
from app.security.passwords import MIN_PASSWORD_CHARACTERS, WeakPassword
from app.security.policy import signed_in
from app.services import accounts, preferences
from app.services.accounts import WrongPassword
from app.services.preferences import BadPreference
from app.tables.accounts import Theme
from app.web import PRIVATE, AnyRequest, page

DONE = {
    "preferences": "Your preferences are saved.",
    "password": "Your password is changed. All other browsers are signed out.",
    "session": "That browser is signed out.",
    "sessions": "All other browsers are signed out.",
    "second-factor": "The second factor is turned off.",
}


@get("/settings", guards=[signed_in])
async def show(request: AnyRequest) -> Template:
    return await _page(request, done=DONE.get(request.query_params.get("done", ""), ""))


@post("/settings/preferences", guards=[signed_in])
async def save_preferences(request: AnyRequest) -> Template | Redirect:
    form = await text_fields(request, "time_zone", "theme")
    try:
        await preferences.save(request.user, time_zone=form["time_zone"], theme=form["theme"])
    except BadPreference as error:
        return await _page(request, errors={error.field: str(error)})
    return _done("preferences")


@post("/settings/password", guards=[signed_in])
async def change_password(request: AnyRequest) -> Template | Redirect:
    form = await text_fields(request, "current_password", "new_password", "new_password_again")
    if form["new_password"] != form["new_password_again"]:
        return await _page(request, errors={"new_password_again": "The two passwords differ."})
    try:
        await accounts.change_password(request.user, form["current_password"], form["new_password"])
    except WrongPassword:
        return await _page(request, errors={"current_password": "This is not your current password."})
    except WeakPassword as error:
        return await _page(request, errors={"new_password": str(error)})
    return _done("password")


@post("/settings/sessions/{session_id:uuid}/end", guards=[signed_in])
async def end_session(request: AnyRequest, session_id: FromPath[UUID]) -> Redirect:
    reader: Reader = request.user
    if not await sessions.end_session(reader, session_id):
        raise NotFoundException(detail="This browser is signed out already, or it is not yours.")
    return _done("session") if session_id != reader.session_id else Redirect("/login", status_code=303, headers=PRIVATE)


@post("/settings/sessions/end-others", guards=[signed_in])
async def end_other_sessions(request: AnyRequest) -> Redirect:
    await sessions.end_other_sessions(request.user)
    return _done("sessions")


async def _page(request: AnyRequest, *, done: str = "", errors: dict[str, str] | None = None) -> Template:
    reader: Reader = request.user
    return page(
        request, "settings/index.html", status_code=422 if errors else 200, done=done, errors=errors or {},
        account=await settings_page.account(reader),
        sessions=await settings_page.sessions(reader, sessions.idle_timeout(reader)),
        time_zones=preferences.time_zones(), themes=tuple(Theme), min_characters=MIN_PASSWORD_CHARACTERS,
    )


def _done(what: str) -> Redirect:
    return Redirect(f"/settings?done={what}", status_code=303, headers=PRIVATE)


ROUTES = [show, save_preferences, change_password, end_session, end_other_sessions]
