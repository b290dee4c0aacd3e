"""The notification centre: what one was told, the views one keeps, and when mail may come."""

from typing import Any
from uuid import UUID

from litestar import get, post
from litestar.exceptions import NotFoundException
from litestar.params import FromPath
from litestar.response import Redirect, Response

from app.controllers.forms import text_fields
from app.controllers.polling import digest, with_seen
from app.domain import notification_list
from app.domain.digests import KINDS, MAIL_TIMES
from app.domain.notification_list import PATH
from app.domain.readers import Reader
from app.domain.saved_views import LONGEST_ADDRESS, BadView
from app.queries import notifications as queries
from app.queries import saved_views as view_queries
from app.security.policy import anyone, coaches
from app.services import notices, notification_mail, notification_preferences, saved_views
from app.services.notification_mail import NoAddress, TooSoon
from app.services.notification_preferences import BadLink, BadPreference
from app.services.saved_views import NotFound
from app.web import PRIVATE, AnyRequest, page

NO_VIEW = "There is no such view, or it is somebody else's."
BAD_LINK = "This link cannot be used. Copy it whole from the mail, or sign in and choose under Notifications."
DONE = {
    "read": "Everything is marked as read.", "preferences": "Your preferences are saved.",
    "test": "A test notification is here.", "mail": "A test mail is on its way.",
    "saved": "The view is kept.", "removed": "The view is removed.",
    "watched": "You will be told who enters and leaves.", "unwatched": "You will not be told of it any more.",
}


@get(PATH, guards=[coaches])
async def show(request: AnyRequest) -> Response[Any]:
    return await _page(request, done=DONE.get(request.query_params.get("done", ""), ""))


@post(f"{PATH}/read", guards=[coaches])
async def read_all(request: AnyRequest) -> Redirect:
    """What is newer than the page that was looked at stays unread."""
    newest = (await text_fields(request, "newest"))["newest"]
    if newest.isascii() and newest.isdigit() and len(newest) < 19:
        await notices.read_until(request.user.user_id, int(newest))
    return _done("read")


@post(f"{PATH}/preferences", guards=[coaches])
async def save_preferences(request: AnyRequest) -> Response[Any]:
    form = await text_fields(request, "mail", "daily_hour", "quiet_from_hour", "quiet_until_hour")
    wanted = [value for value in (await request.form()).getall("mailed", []) if isinstance(value, str)]
    muted = [kind for kind in KINDS if kind not in wanted]
    try:
        await notification_preferences.save(request.user, **form, muted=muted)
    except BadPreference as error:
        return await _page(request, errors={error.field: str(error)})
    return _done("preferences")


@post(f"{PATH}/test", guards=[coaches])
async def test_notice(request: AnyRequest) -> Redirect:
    await notices.tell_of_a_test(request.user.user_id)
    return _done("test")


@post(f"{PATH}/test-mail", guards=[coaches])
async def test_mail(request: AnyRequest) -> Response[Any]:
    try:
        failure = await notification_mail.send_test(request.user.user_id)
    except NoAddress:
        failure = "your account has no e-mail address"
    except TooSoon:
        failure = "the last one is less than a minute old; try again in a minute"
    if failure:
        return await _page(request, problem=f"No test mail was sent: {failure}.")
    return _done("mail")


@post(f"{PATH}/views", guards=[coaches])
async def save_view(request: AnyRequest) -> Response[Any]:
    form = await text_fields(request, "name", "address", "is_watched")
    try:
        await saved_views.save(
            request.user, name=form["name"], address=form["address"], is_watched=form["is_watched"] == "yes"
        )
    except BadView as error:
        return await _page(request, errors={error.field: str(error)}, typed=form)
    return _done("saved")


@post(f"{PATH}/views/{{view_id:uuid}}/remove", guards=[coaches])
async def remove_view(request: AnyRequest, view_id: FromPath[UUID]) -> Redirect:
    try:
        await saved_views.remove(request.user, view_id)
    except NotFound:
        raise NotFoundException(detail=NO_VIEW) from None
    return _done("removed")


@post(f"{PATH}/views/{{view_id:uuid}}/watch", guards=[coaches])
async def watch_view(request: AnyRequest, view_id: FromPath[UUID]) -> Response[Any]:
    is_watched = (await text_fields(request, "is_watched"))["is_watched"] == "yes"
    try:
        await saved_views.watch(request.user, view_id, is_watched=is_watched)
    except NotFound:
        raise NotFoundException(detail=NO_VIEW) from None
    except BadView as error:
        return await _page(request, problem=str(error))
    return _done("watched" if is_watched else "unwatched")


@get(f"{PATH}/unsubscribe", guards=[anyone])
async def ask_to_unsubscribe(request: AnyRequest) -> Response[Any]:
    """Only asks: programs that look at mail follow its links too."""
    token = request.query_params.get("token", "")
    try:
        notification_preferences.reader_of(token)
    except BadLink:
        raise NotFoundException(detail=BAD_LINK) from None
    return page(request, "notifications/unsubscribe.html", token=token, is_done=False)


@post(f"{PATH}/unsubscribe", guards=[anyone], opt={"exclude_from_csrf": True})
async def unsubscribe(request: AnyRequest) -> Response[Any]:
    """The link itself is the proof; a mail program may send it without a page of ours."""
    try:
        await notification_preferences.unsubscribe(request.query_params.get("token", ""))
    except BadLink:
        raise NotFoundException(detail=BAD_LINK) from None
    return page(request, "notifications/unsubscribe.html", token="", is_done=True)


async def _page(
    request: AnyRequest, *, done: str = "", problem: str = "", errors: dict[str, str] | None = None,
    typed: dict[str, str] | None = None,
) -> Response[Any]:
    reader: Reader = request.user
    parsed = notification_list.parse(request.query_params.multi_items())
    found = await queries.get_page(parsed.view, reader)
    state = digest(found, reader.is_presenting)
    if request.query_params.get("seen") == state:
        return Response(None, status_code=204, headers=PRIVATE)
    return page(
        request, "notifications/index.html", fragment="notifications/_list.html",
        status_code=422 if errors or problem else 200, view=parsed.view, notices=parsed.notices, done=done,
        problem=problem, errors=errors or {}, typed=typed or {"address": _address_to_keep(request)}, found=found,
        tabs=_tabs(parsed.view, found.unread),
        refresh_url=with_seen(parsed.view.url(cursor=parsed.view.cursor), state),
        views=await view_queries.of_reader(reader.user_id),
        preferences=await notification_preferences.read(reader.user_id), mail_times=MAIL_TIMES, kinds=KINDS,
    )


def _address_to_keep(request: AnyRequest) -> str:
    """A list's own button brings it along."""
    return str(request.query_params.get("address", ""))[:LONGEST_ADDRESS]


def _tabs(view: notification_list.View, unread: int) -> list[tuple[str, str, bool, int | None]]:
    return [
        ("All", view.url(is_unread_only=False), not view.is_unread_only, None),
        ("Unread", view.url(is_unread_only=True), view.is_unread_only, unread),
    ]


def _done(what: str) -> Redirect:
    return Redirect(f"{PATH}?done={what}", status_code=303, headers=PRIVATE)


ROUTES = [
    show, read_all, save_preferences, test_notice, test_mail, save_view, remove_view, watch_view, ask_to_unsubscribe,
    unsubscribe,
]
