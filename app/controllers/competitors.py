"""Competitors: the funnel and the list, with the way onto the Game Platform for one or many."""

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from litestar import get, post
from litestar.exceptions import NotFoundException
from litestar.response import Redirect, Response, Stream

from app.controllers import competitors_file, panels, platform_buttons, roster_changes
from app.controllers.forms import text_fields
from app.controllers.panels import Panel
from app.controllers.platform_buttons import NOT_FOUND
from app.controllers.polling import digest, with_seen
from app.domain import competitor_list
from app.domain.addresses import as_uuid
from app.domain.competitor_list import AGES, BY_STAGE, MISSING, NO_TEAM, PATH, STATUSES, TROUBLES, Parsed, View
from app.domain.leaderboard import DIVISIONS
from app.domain.onboarding_button import ADD
from app.domain.readers import Reader
from app.queries import competitors as queries
from app.queries import funnel, onboarding
from app.queries.competitors import Choices
from app.security.policy import coaches
from app.services.roster_changes import Action
from app.web import PRIVATE, AnyRequest, page

WORDS = {
    "statuses": STATUSES, "missing": MISSING, "troubles": TROUBLES, "ages": AGES, "divisions": DIVISIONS,
    "without_team": NO_TEAM, "by_stage": BY_STAGE, "add_label": ADD,
}
NOBODY_CHOSEN = "Nobody was chosen. Tick the competitors that are meant, then press the button again."


@get(PATH, guards=[coaches])
async def list_all(request: AnyRequest) -> Response[Any]:
    parsed = competitor_list.parse(request.query_params.multi_items())
    return await _file(request, parsed) if parsed.is_export else await _list(request, parsed)


@post(f"{PATH}/add", guards=[coaches])
async def add_selected(request: AnyRequest) -> Response[Any]:
    """The view that the form stands in is in its address; a row's own button names only that row."""
    parsed = competitor_list.parse(request.query_params.multi_items())
    only = (await text_fields(request, "only"))["only"]
    if only:
        return await _add_one(request, parsed, only)
    chosen = await roster_changes.chosen(request)
    if not chosen:
        return await _list(request, parsed, problems=(NOBODY_CHOSEN,))
    return await roster_changes.change(request, Action.ADD, chosen, None)


@post(f"{PATH}/choose", guards=[coaches])
async def choose(request: AnyRequest) -> Response[Any]:
    """To the page that asks what is to be done with them. Nothing is changed here."""
    parsed = competitor_list.parse(request.query_params.multi_items())
    chosen = await roster_changes.chosen(request)
    if not chosen:
        return await _list(request, parsed, problems=(NOBODY_CHOSEN,))
    return _redirect(roster_changes.url_for(parsed.view, chosen))


async def _add_one(request: AnyRequest, parsed: Parsed, text: str) -> Response[Any]:
    competitor_id = as_uuid(text)
    if competitor_id is None:
        raise NotFoundException(detail=NOT_FOUND)
    added = await platform_buttons.add(request.user, [competitor_id])
    if added.run_id is None:
        return await _list(request, parsed, problems=("Nobody was added.", *(reason for _, reason in added.refused)))
    return _redirect(parsed.view.url(run_id=added.run_id, cursor=parsed.view.cursor))


async def _file(request: AnyRequest, parsed: Parsed) -> Response[Any]:
    reader: Reader = request.user
    view, _ = queries.understood(parsed.view, await queries.get_choices(reader, parsed.view))
    name = f"competitors-{datetime.now(UTC):%Y-%m-%d}.csv"
    return Stream(
        competitors_file.lines(view, reader), media_type="text/csv; charset=utf-8",
        headers={**PRIVATE, "Content-Disposition": f'attachment; filename="{name}"'},
    )


async def _list(request: AnyRequest, parsed: Parsed, *, problems: tuple[str, ...] = ()) -> Response[Any]:
    reader: Reader = request.user
    choices = await queries.get_choices(reader, parsed.view)
    view, notices = queries.understood(parsed.view, choices)
    shown = await _shown(reader, view)
    drawn = {} if view.is_archived else await _funnel(request, view, shown)
    state = digest(*shown.values())
    if parsed.seen == state:
        return Response(None, status_code=204, headers=PRIVATE)
    is_typed = request.headers.get("hx-source", "").endswith("#filters")
    return page(
        request, "competitors/index.html", fragment="competitors/_fragment.html", status_code=422 if problems else 200,
        headers={"HX-Replace-Url": view.url(cursor=view.cursor)} if is_typed else None,
        view=view, notices=(*parsed.notices, *notices), problems=problems, chips=_chips(view, choices), choices=choices,
        as_of=datetime.now(UTC), form_key=uuid4(), refresh_url=with_seen(view.url(cursor=view.cursor), state),
        **shown, **drawn, **WORDS, **_urls(view),
    )


def _urls(view: View) -> dict[str, str]:
    return {
        "add_url": view.url(f"{PATH}/add", cursor=view.cursor),
        "choose_url": view.url(f"{PATH}/choose", cursor=view.cursor),
        "all_url": roster_changes.url_for(view, ()), "file_url": _with_format(view.url()),
    }


async def _shown(reader: Reader, view: View) -> dict[str, Any]:
    """Everything that the page says but the funnel."""
    found = await queries.get_page(view, reader.sight)
    return {
        "found": found, "buttons": await platform_buttons.read(reader, found.rows),
        "report": await onboarding.report(reader.sight, view.run_id) if view.run_id else (),
        "waiting": await onboarding.waiting_by_coach(reader.sight),
    }


async def _funnel(request: AnyRequest, view: View, shown: dict[str, Any]) -> dict[str, Any]:
    """Drawn under a guard of its own; what it says goes with what is `shown`."""
    async def load() -> dict[str, Any]:
        shown["counts"] = await funnel.get_funnel(view, request.user.sight)
        return {"funnel": shown["counts"], "view": view, "by_stage": BY_STAGE}

    panel = Panel("funnel", "The onboarding", "competitors/_funnel.html", load)
    return await panels.render(request, [panel])


def _with_format(url: str) -> str:
    return f"{url}{'&' if '?' in url else '?'}format=csv"


def _chips(view: View, choices: Choices) -> tuple[tuple[str, str, str], ...]:
    """Each filter that is set: its name, its value and the address without it."""
    candidates = (
        ("Search", view.search, {"search": ""}),
        ("Stage", STATUSES.get(view.status, ""), {"status": ""}),
        ("Missing", MISSING.get(view.missing, ""), {"missing": ""}),
        ("In stage", AGES.get(view.age, ""), {"age": ""}),
        ("Game Platform", TROUBLES.get(view.trouble, ""), {"trouble": ""}),
        ("Organization", choices.organization or "", {"organization_id": None}),
        ("Coach", choices.coach or "", {"coach_id": None}),
        ("Team", "No team" if view.is_without_team else choices.team or "",
         {"team_id": None, "is_without_team": False}),
        ("Division", DIVISIONS.get(view.division, ""), {"division": ""}),
    )
    return tuple((name, value, view.url(**without)) for name, value, without in candidates if value)


def _redirect(url: str) -> Redirect:
    return Redirect(url, status_code=303, headers=PRIVATE)


ROUTES = [list_all, add_selected, choose]
