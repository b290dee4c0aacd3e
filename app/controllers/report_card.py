"""One person's report card: how they stand, what they did, and the way onto the Game Platform."""

from typing import Any
from uuid import UUID

from litestar import get, post
from litestar.background_tasks import BackgroundTask
from litestar.exceptions import NotFoundException
from litestar.params import FromPath
from litestar.response import Redirect, Response

from app.controllers import panels, platform_buttons, report_card_file
from app.controllers.platform_buttons import NOT_FOUND
from app.controllers.polling import digest, with_seen
from app.controllers.report_card_panels import Report
from app.domain import disclosure_list, platform_limits, presenting, report_card
from app.domain.competitor_list import PATH, STATUSES
from app.domain.leaderboard import DIVISIONS, WINDOWS
from app.domain.readers import Reader
from app.domain.report_card import View
from app.domain.scopes import Scope
from app.features import FeatureOff, read_flags
from app.queries import competitors, disclosures, duplicates, solved_challenges
from app.queries import password_help as mails
from app.queries import report_card as queries
from app.queries.competitors import Card
from app.queries.report_card import Subject
from app.security import audit
from app.security.policy import coaches
from app.services import password_help
from app.services.password_help import PasswordHelpError
from app.web import PRIVATE, AnyRequest, page, wants_fragment

FIELDS = (
    "name", "handle", "grade", "division", "team", "status", "papers", "platform account", "scores", "solved challenges"
)
DONE = {
    "asked": "The Game Platform is being asked. What comes of it is shown here.",
    "mail": "The Game Platform is being asked for the mail. What comes of it is shown here.",
}


@get(f"{PATH}/{{competitor_id:uuid}}", guards=[coaches])
async def show(request: AnyRequest, competitor_id: FromPath[UUID]) -> Response[Any]:
    parsed = report_card.parse(competitor_id, request.query_params.multi_items())
    view, notices = solved_challenges.understood(parsed.view)
    notices = (*parsed.notices, *notices)
    if parsed.is_export:
        return await _file(request, view)
    if wants_fragment(request):
        return await _solves(request, view)
    return await _card(request, view, notices=notices)


@get(f"{PATH}/{{competitor_id:uuid}}/standing", guards=[coaches])
async def show_standing(request: AnyRequest, competitor_id: FromPath[UUID]) -> Response[Any]:
    """The part of the card that asks again by itself."""
    if not wants_fragment(request):
        return _redirect(f"{PATH}/{competitor_id}")
    standing = await _standing(request.user, await _find(request.user, competitor_id))
    if request.query_params.get("seen") == standing["state"]:
        return Response(None, status_code=204, headers=PRIVATE)
    return page(request, "report_card/_standing.html", **standing)


@get(f"{PATH}/{{competitor_id:uuid}}/disclosures", guards=[coaches])
async def show_disclosures(request: AnyRequest, competitor_id: FromPath[UUID]) -> Response[Any]:
    parsed = disclosure_list.parse(competitor_id, request.query_params.multi_items())
    view, notices = disclosures.understood(parsed.view)
    card, subject = await _find(request.user, competitor_id), await _subject(request.user, competitor_id, Scope())
    if parsed.is_export:
        rows = await disclosures.get_all(subject)
        file = report_card_file.disclosures(rows, subject, *_called(request.user, card))
        return _noted(file, request.user, competitor_id, "disclosure log export", report_card_file.DISCLOSURES)
    answer = page(
        request, "report_card/disclosures.html", card=card, view=view, notices=(*parsed.notices, *notices),
        found=await disclosures.get_page(subject, view),
    )
    return _noted(answer, request.user, competitor_id, "disclosure log", ("name", "handle"))


@post(f"{PATH}/{{competitor_id:uuid}}/add", guards=[coaches])
async def add_one(request: AnyRequest, competitor_id: FromPath[UUID]) -> Response[Any]:
    added = await platform_buttons.add(request.user, [competitor_id])
    if added.refused:
        return await _card(request, View(competitor_id), problem=added.refused[0][1])
    return _redirect(f"{PATH}/{competitor_id}?done=asked")


@post(f"{PATH}/{{competitor_id:uuid}}/password-mail", guards=[coaches])
async def ask_for_mail(request: AnyRequest, competitor_id: FromPath[UUID]) -> Response[Any]:
    try:
        await password_help.ask(request.user, competitor_id)
    except password_help.NotFound:
        raise NotFoundException(detail=NOT_FOUND) from None
    except FeatureOff:
        problem = "Password help is switched off for this organization."
        return await _card(request, View(competitor_id), problem=problem)
    except PasswordHelpError as error:
        return await _card(request, View(competitor_id), problem=str(error))
    return _redirect(f"{PATH}/{competitor_id}?done=mail")


async def _find(reader: Reader, competitor_id: UUID) -> Card:
    card = await competitors.get_card(reader.sight, competitor_id)
    if card is None:
        raise NotFoundException(detail=NOT_FOUND)
    return card


async def _subject(reader: Reader, competitor_id: UUID, days: Scope) -> Subject:
    subject = await queries.get_subject(reader.sight, competitor_id, days)
    if subject is None:
        raise NotFoundException(detail=NOT_FOUND)
    return subject


async def _card(
    request: AnyRequest, view: View, *, problem: str = "", notices: tuple[str, ...] = ()
) -> Response[Any]:
    reader: Reader = request.user
    card = await _find(reader, view.competitor_id)
    report = Report(await _subject(reader, view.competitor_id, view.days), view)
    parts = await panels.render(request, report.panels())
    answer = page(
        request, "report_card/index.html", status_code=422 if problem else 200, parts=parts, subject=report.subject,
        view=view, problem=problem, notices=notices, done=DONE.get(request.query_params.get("done", ""), ""),
        windows=WINDOWS, divisions=DIVISIONS, **await _standing(reader, card),
    )
    fields = (*FIELDS, "email") if reader.is_coach else FIELDS
    return _noted(answer, reader, view.competitor_id, "competitor page", fields)


async def _solves(request: AnyRequest, view: View) -> Response[Any]:
    """The table of challenges alone."""
    report = Report(await _subject(request.user, view.competitor_id, view.days), view)
    is_typed = request.headers.get("hx-source", "").endswith("#filters")
    return page(
        request, "report_card/_solves.html", **await report.solves(),
        headers={"HX-Replace-Url": view.url(cursor=view.cursor)} if is_typed else None,
    )


async def _file(request: AnyRequest, view: View) -> Response[Any]:
    card = await _find(request.user, view.competitor_id)
    subject = await _subject(request.user, view.competitor_id, view.days)
    rows = await solved_challenges.get_all(subject, view)
    answer = report_card_file.solves(rows, subject, *_called(request.user, card))
    return _noted(answer, request.user, view.competitor_id, "competitor export", report_card_file.SOLVES)


async def _standing(reader: Reader, card: Card) -> dict[str, Any]:
    """Everything that the part with the status and the buttons shows; `state` tells whether it has changed."""
    button = (await platform_buttons.read(reader, [card.row])).get(card.row.competitor_id)
    mail = await mails.last_mail(reader.sight, card.row.competitor_id)
    kept = await duplicates.get_kept(reader.sight, card.row.competitor_id) if card.is_archived else None
    state = digest(card, button, mail, kept)
    return {
        "card": card, "button": button, "mail": mail, "kept": kept, "state": state, "statuses": STATUSES,
        "offers_mail": await _offers_mail(card), "limits": (platform_limits.CHANGE_COACH, platform_limits.DELETE_USER),
        "refresh_url": with_seen(f"{PATH}/{card.row.competitor_id}/standing", state),
    }


async def _offers_mail(card: Card) -> bool:
    if not card.has_account or card.is_archived:
        return False
    return await password_help.is_offered(await read_flags(), card.row.organization_id)


def _called(reader: Reader, card: Card) -> tuple[str, str]:
    return presenting.shown_name(reader, card.row.name, card.row.handle, card.row.competitor_id), card.row.handle


def _noted(
    answer: Response[Any], reader: Reader, competitor_id: UUID, purpose: str, fields: tuple[str, ...]
) -> Response[Any]:
    """Whose data was shown is written down after the answer has left."""
    answer.background = BackgroundTask(
        audit.disclose, [competitor_id], purpose=purpose, recipient=reader.name, user_id=reader.user_id, fields=fields
    )
    return answer


def _redirect(url: str) -> Redirect:
    return Redirect(url, status_code=303, headers=PRIVATE)


ROUTES = [show, show_standing, show_disclosures, add_one, ask_for_mail]
