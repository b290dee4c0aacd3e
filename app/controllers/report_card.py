"""One person's report card: how they stand, what they did, and the way onto the Game Platform."""

from typing import Any
from uuid import UUID

from litestar import get, post
from litestar.background_tasks import BackgroundTask
from litestar.exceptions import NotFoundException
from litestar.params import FromPath
from litestar.response import Redirect, Response

from app.controllers import platform_buttons
from app.controllers.platform_buttons import NOT_FOUND
from app.controllers.polling import digest, with_seen
from app.domain import platform_limits
from app.domain.competitor_list import PATH, STATUSES
from app.domain.leaderboard import DIVISIONS
from app.domain.readers import Reader
from app.features import FeatureOff
from app.queries import competitors as queries
from app.queries import password_help as mails
from app.queries.competitors import Card
from app.security import audit
from app.security.policy import coaches
from app.services import password_help
from app.services.password_help import PasswordHelpError
from app.web import PRIVATE, AnyRequest, page, wants_fragment

FIELDS = ("name", "handle", "grade", "division", "team", "status", "papers", "platform account")
DONE = {
    "asked": "The Game Platform is being asked. What comes of it is shown here.",
    "mail": "The Game Platform is being asked for the mail. What comes of it is shown here.",
}


@get(f"{PATH}/{{competitor_id:uuid}}", guards=[coaches])
async def show(request: AnyRequest, competitor_id: FromPath[UUID]) -> Response[Any]:
    answer = await _card(request, competitor_id)
    if not wants_fragment(request):
        answer.background = BackgroundTask(_disclose, request.user, competitor_id)
    return answer


@post(f"{PATH}/{{competitor_id:uuid}}/add", guards=[coaches])
async def add_one(request: AnyRequest, competitor_id: FromPath[UUID]) -> Response[Any]:
    added = await platform_buttons.add(request.user, [competitor_id])
    if added.refused:
        return await _card(request, competitor_id, problem=added.refused[0][1])
    return _redirect(f"{PATH}/{competitor_id}?done=asked")


@post(f"{PATH}/{{competitor_id:uuid}}/password-mail", guards=[coaches])
async def ask_for_mail(request: AnyRequest, competitor_id: FromPath[UUID]) -> Response[Any]:
    try:
        await password_help.ask(request.user, competitor_id)
    except password_help.NotFound:
        raise NotFoundException(detail=NOT_FOUND) from None
    except FeatureOff:
        return await _card(request, competitor_id, problem="Password help is switched off for this organization.")
    except PasswordHelpError as error:
        return await _card(request, competitor_id, problem=str(error))
    return _redirect(f"{PATH}/{competitor_id}?done=mail")


async def _card(request: AnyRequest, competitor_id: UUID, *, problem: str = "") -> Response[Any]:
    reader: Reader = request.user
    card = await queries.get_card(reader.sight, competitor_id)
    if card is None:
        raise NotFoundException(detail=NOT_FOUND)
    button = (await platform_buttons.read(reader, [card.row])).get(competitor_id)
    mail = await mails.last_mail(reader.sight, competitor_id)
    state = digest(card, button, mail)
    if request.query_params.get("seen") == state:
        return Response(None, status_code=204, headers=PRIVATE)
    return page(
        request, "report_card/index.html", fragment="report_card/_standing.html", status_code=422 if problem else 200,
        card=card, button=button, mail=mail, problem=problem, done=DONE.get(request.query_params.get("done", ""), ""),
        offers_mail=await _offers_mail(card), statuses=STATUSES, divisions=DIVISIONS,
        limits=(platform_limits.CHANGE_COACH, platform_limits.DELETE_USER),
        refresh_url=with_seen(f"{PATH}/{competitor_id}", state),
    )


async def _offers_mail(card: Card) -> bool:
    return card.has_account and not card.is_archived and await password_help.is_offered(card.row.organization_id)


async def _disclose(reader: Reader, competitor_id: UUID) -> None:
    fields = (*FIELDS, "email") if reader.is_coach else FIELDS
    await audit.disclose(
        [competitor_id], purpose="competitor page", recipient=reader.name, user_id=reader.user_id, fields=fields
    )


def _redirect(url: str) -> Redirect:
    return Redirect(url, status_code=303, headers=PRIVATE)


ROUTES = [show, add_one, ask_for_mail]
