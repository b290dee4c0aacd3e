"""Competitors: the list with the way onto the Game Platform for one or many, and one person's card."""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from litestar import get, post
from litestar.background_tasks import BackgroundTask
from litestar.exceptions import NotFoundException
from litestar.params import FromPath
from litestar.response import Redirect, Response

from app.controllers.forms import text_fields
from app.domain import competitor_list, platform_limits
from app.domain.addresses import as_uuid
from app.domain.competitor_list import NO_TEAM, PATH, STATUSES, Parsed, View
from app.domain.leaderboard import DIVISIONS
from app.domain.onboarding_button import ADD, Button, ButtonState
from app.domain.readers import Reader
from app.features import Feature, FeatureOff, Flags, read_flags
from app.queries import competitors as queries
from app.queries import onboarding
from app.queries import password_help as mails
from app.queries.competitors import Card, Row
from app.security import audit
from app.security.policy import coaches
from app.services import onboarding_requests, password_help
from app.services.onboarding_requests import SWITCHED_OFF, NotFound
from app.services.password_help import PasswordHelpError
from app.web import PRIVATE, AnyRequest, page, wants_fragment

NOT_FOUND = "There is no such competitor, or it is not yours to see."
NOBODY_CHOSEN = "Nobody was chosen. Tick the competitors that are to be added, then press the button again."
FIELDS = ("name", "handle", "grade", "division", "team", "status", "papers", "platform account")
DONE = {
    "asked": "The Game Platform is being asked. What comes of it is shown here.",
    "mail": "The Game Platform is being asked for the mail. What comes of it is shown here.",
}


@get(PATH, guards=[coaches])
async def list_all(request: AnyRequest) -> Response[Any]:
    return await _list(request, competitor_list.parse(request.query_params.multi_items()))


@post(f"{PATH}/add", guards=[coaches])
async def add_selected(request: AnyRequest) -> Response[Any]:
    """The view that the form stands in is in its address; a row's own button names only that row."""
    parsed = competitor_list.parse(request.query_params.multi_items())
    wanted = await _chosen(request)
    if not wanted:
        return await _list(request, parsed, problems=(NOBODY_CHOSEN,))
    added = await _add(request.user, wanted)
    if added.run_id is None:
        reasons = tuple(dict.fromkeys(reason for _, reason in added.refused))
        return await _list(request, parsed, problems=("Nobody was added.", *reasons))
    url = parsed.view.url(run_id=added.run_id, cursor=parsed.view.cursor)
    return _redirect(f"{url}&left_out={len(added.refused)}" if added.refused else url)


@get(f"{PATH}/{{competitor_id:uuid}}", guards=[coaches])
async def show(request: AnyRequest, competitor_id: FromPath[UUID]) -> Response[Any]:
    answer = await _card(request, competitor_id)
    if not wants_fragment(request):
        answer.background = BackgroundTask(_disclose, request.user, competitor_id)
    return answer


@post(f"{PATH}/{{competitor_id:uuid}}/add", guards=[coaches])
async def add_one(request: AnyRequest, competitor_id: FromPath[UUID]) -> Response[Any]:
    added = await _add(request.user, [competitor_id])
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


async def _chosen(request: AnyRequest) -> list[UUID]:
    """What is no id is nobody's."""
    only = (await text_fields(request, "only"))["only"]
    texts = [only] if only else (await request.form()).getall("competitor", [])
    ids = [as_uuid(text) if isinstance(text, str) else None for text in texts]
    if None in ids:
        raise NotFoundException(detail=NOT_FOUND)
    return [competitor_id for competitor_id in ids if competitor_id]


async def _add(reader: Reader, competitor_ids: Sequence[UUID]) -> onboarding_requests.Added:
    try:
        return await onboarding_requests.add_to_platform(reader, competitor_ids)
    except NotFound:
        raise NotFoundException(detail=NOT_FOUND) from None


async def _list(request: AnyRequest, parsed: Parsed, *, problems: tuple[str, ...] = ()) -> Response[Any]:
    sight = request.user.sight
    teams = await queries.get_teams(sight, parsed.view)
    view, notices = queries.understood(parsed.view, teams)
    found = await queries.get_page(view, sight)
    buttons = await _buttons(request.user, found.rows)
    report = await onboarding.report(sight, view.run_id) if view.run_id else ()
    waiting = await onboarding.waiting_by_coach(sight)
    state = _digest(found, buttons, report, waiting)
    if parsed.seen == state:
        return Response(None, status_code=204, headers=PRIVATE)
    is_typed = request.headers.get("hx-source", "").endswith("#filters")
    return page(
        request, "competitors/index.html", fragment="competitors/_list.html", status_code=422 if problems else 200,
        headers={"HX-Replace-Url": view.url(cursor=view.cursor)} if is_typed else None,
        view=view, notices=(*parsed.notices, *notices), problems=problems, found=found, buttons=buttons,
        report=report, waiting=waiting, left_out=parsed.left_out, chips=_chips(view, teams.chosen), statuses=STATUSES,
        divisions=DIVISIONS, teams=teams.choices, without_team=NO_TEAM, add_label=ADD,
        refresh_url=_with_seen(view.url(cursor=view.cursor), state),
        form_url=view.url(f"{PATH}/add", cursor=view.cursor),
    )


def _chips(view: View, team: str | None) -> tuple[tuple[str, str, str], ...]:
    """Each filter that is set: its name, its value and the address without it."""
    candidates = (
        ("Search", view.search, {"search": ""}),
        ("Status", STATUSES.get(view.status, ""), {"status": ""}),
        ("Team", "No team" if view.is_without_team else team or "", {"team_id": None, "is_without_team": False}),
        ("Division", DIVISIONS.get(view.division, ""), {"division": ""}),
    )
    return tuple((name, value, view.url(**without)) for name, value, without in candidates if value)


async def _card(request: AnyRequest, competitor_id: UUID, *, problem: str = "") -> Response[Any]:
    reader: Reader = request.user
    card = await queries.get_card(reader.sight, competitor_id)
    if card is None:
        raise NotFoundException(detail=NOT_FOUND)
    button = (await _buttons(reader, [card.row])).get(competitor_id)
    mail = await mails.last_mail(reader.sight, competitor_id)
    state = _digest(card, button, mail)
    if request.query_params.get("seen") == state:
        return Response(None, status_code=204, headers=PRIVATE)
    return page(
        request, "competitors/card.html", fragment="competitors/_standing.html", status_code=422 if problem else 200,
        card=card, button=button, mail=mail, problem=problem, done=DONE.get(request.query_params.get("done", ""), ""),
        offers_mail=await _offers_mail(card), statuses=STATUSES, divisions=DIVISIONS,
        limits=(platform_limits.CHANGE_COACH, platform_limits.DELETE_USER),
        refresh_url=_with_seen(f"{PATH}/{competitor_id}", state),
    )


async def _offers_mail(card: Card) -> bool:
    return card.has_account and not card.is_archived and await password_help.is_offered(card.row.organization_id)


async def _buttons(reader: Reader, rows: Sequence[Row]) -> dict[UUID, Button]:
    """Where adding is switched off, nothing can be pressed and the reason stands beside it."""
    buttons = await onboarding.buttons(reader.sight, [row.competitor_id for row in rows])
    flags = await read_flags()
    return {row.competitor_id: _offered(buttons[row.competitor_id], row, flags) for row in rows}


def _offered(button: Button, row: Row, flags: Flags) -> Button:
    if button.can_be_pressed and not flags.is_on(Feature.ONBOARDING, row.organization_id):
        return replace(button, state=ButtonState.BLOCKED, label=ADD, reason=SWITCHED_OFF)
    return button


async def _disclose(reader: Reader, competitor_id: UUID) -> None:
    fields = (*FIELDS, "email") if reader.is_coach else FIELDS
    await audit.disclose(
        [competitor_id], purpose="competitor page", recipient=reader.name, user_id=reader.user_id, fields=fields
    )


def _digest(*shown: object) -> str:
    """Equal for equal pages, so that one which is up to date is not sent again."""
    return hashlib.sha256(repr(shown).encode()).hexdigest()[:16]


def _with_seen(url: str, state: str) -> str:
    return f"{url}{'&' if '?' in url else '?'}seen={state}"


def _redirect(url: str) -> Redirect:
    return Redirect(url, status_code=303, headers=PRIVATE)


ROUTES = [list_all, add_selected, show, add_one, ask_for_mail]
