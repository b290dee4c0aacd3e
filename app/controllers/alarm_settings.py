"""Who is told of alarms: admins by mail, and one webhook."""

from dataclasses import dataclass
from uuid import UUID

from litestar import get, post
from litestar.response import Redirect, Template

from app.controllers.forms import text_fields
from app.domain.addresses import as_uuid
from app.domain.alarm_list import PATH
from app.queries import alarms as queries
from app.queries.alarms import Admin, Delivery
from app.security.policy import admins
from app.services import alarm_deliveries, alarm_settings
from app.services.alarm_settings import BadWebhook, NoWebhook, TooSoon
from app.web import PRIVATE, AnyRequest, page

SETTINGS = f"{PATH}/settings"
DONE = {
    "mail": "Saved who gets mail.", "save": "The address is saved.", "remove": "The webhook is removed.",
    "test": "The test was delivered.",
}


@dataclass(frozen=True, slots=True)
class Found:
    admins: tuple[Admin, ...]
    deliveries: tuple[Delivery, ...]
    host: str


@get(SETTINGS, guards=[admins])
async def show(request: AnyRequest) -> Template:
    return await _page(request, done=DONE.get(request.query_params.get("done", ""), ""))


@post(f"{SETTINGS}/mail", guards=[admins])
async def choose_mailed(request: AnyRequest) -> Redirect:
    chosen = [as_uuid(value) for value in (await request.form()).getall("admin", []) if isinstance(value, str)]
    await alarm_settings.choose_mailed(request.user, [user_id for user_id in chosen if isinstance(user_id, UUID)])
    return _done("mail")


@post(f"{SETTINGS}/webhook", guards=[admins])
async def change_webhook(request: AnyRequest) -> Template | Redirect:
    form = await text_fields(request, "do", "url")
    match form["do"]:
        case "remove":
            await alarm_settings.remove_webhook(request.user)
            return _done("remove")
        case "test":
            return await _test(request)
    try:
        secret = await alarm_settings.save_webhook(request.user, form["url"].strip())
    except BadWebhook as error:
        return await _page(request, problem="See the message at the field.", error=str(error), typed=form["url"])
    return await _page(request, done=DONE["save"], secret=secret)


async def _test(request: AnyRequest) -> Template | Redirect:
    try:
        await alarm_deliveries.send_test(request.user)
    except NoWebhook:
        return await _page(request, problem="There is no webhook.")
    except TooSoon:
        return await _page(request, problem="The last test is less than a minute old. Try again in a minute.")
    except BadWebhook as error:
        return await _page(request, problem=f"The webhook failed: {error}")
    return _done("test")


def _done(what: str) -> Redirect:
    return Redirect(f"{SETTINGS}?done={what}", status_code=303, headers=PRIVATE)


async def _page(
    request: AnyRequest, *, done: str = "", problem: str = "", error: str = "", typed: str = "", secret: str = ""
) -> Template:
    target = await alarm_settings.webhook_target()
    found = Found(await queries.list_admins(), await queries.list_deliveries(), target.host if target else "")
    return page(
        request, "alarms/settings.html", status_code=422 if problem else 200, found=found, done=done,
        problem=problem, error=error, typed=typed, secret=secret,
    )


ROUTES = [show, choose_mailed, change_webhook]
