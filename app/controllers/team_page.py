"""One team: its page, which is also the drawer of the list, and its brief for paper."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from litestar import get
from litestar.exceptions import NotFoundException
from litestar.params import FromPath
from litestar.response import Template

from app.domain import platform_limits, scopes, team_brief
from app.domain.competitor_list import STATUSES
from app.domain.coverage import Cell, Solver, all_categories
from app.domain.leaderboard import DIVISIONS, WINDOWS
from app.domain.presenting import shown_name
from app.domain.readers import Reader
from app.domain.team_list import PATH
from app.features import Feature, read_flags
from app.queries import team_members, team_numbers
from app.queries import teams as queries
from app.queries.team_members import Member
from app.queries.team_numbers import Span
from app.queries.teams import Team
from app.security.policy import coaches
from app.services import manual_sync, organization_limits, password_help
from app.services.teams import TeamError
from app.web import AnyRequest, page

TEAM = f"{PATH}/{{team_id:uuid}}"
NOT_FOUND = "There is no such team or competitor, or it is not yours to see."
DONE = {
    "created": "The team is created.",
    "renamed": "The team has its new name.",
    "renamed-here": f"The team has its new name here. {platform_limits.RENAME_TEAM}",
    "edited": "The division and affiliation are saved.",
    "added": "The competitor is on the team.",
    "removed": "The competitor is off the team.",
    "moved": "The competitor is on this team now.",
    "archived": f"The team is archived. {platform_limits.ARCHIVE_TEAM}",
    "restored": "The team is back.",
    "deleting": "The team is closed. It is deleted as soon as the Game Platform has answered.",
    "sync": "The scores of the members are being read.",
    "sync-running": "The scores of the members are being read already. What comes of it stands below.",
    "mail": "The Game Platform is asked for a mail to set a new password.",
}


@get(TEAM, guards=[coaches])
async def show(request: AnyRequest, team_id: FromPath[UUID]) -> Template:
    return await render(request, team_id)


@get(f"{TEAM}/brief", guards=[coaches])
async def brief(request: AnyRequest, team_id: FromPath[UUID]) -> Template:
    reader: Reader = request.user
    shown = await _shown(request, await find(reader, team_id))
    people = [_person(reader, member) for member in shown["members"]]
    only = next((cell.only for cell in shown["cells"] if cell.only), None)
    return page(
        request, "teams/brief.html", **shown, facts=team_brief.facts(people, shown["cells"]),
        actions=team_brief.actions(
            people, shown["cells"], shown_name(reader, only.name, only.handle, only.competitor_id) if only else ""
        ),
    )


async def find(reader: Reader, team_id: UUID) -> Team:
    team = await queries.get_team(reader.sight, team_id)
    if team is None:
        raise NotFoundException(detail=NOT_FOUND)
    return team


async def render(
    request: AnyRequest, team_id: UUID, *, error: TeamError | None = None, entered: Mapping[str, Any] | None = None
) -> Template:
    """The page, or where a script asks for it the inside of the drawer."""
    reader: Reader = request.user
    team = await find(reader, team_id)
    shown = await _shown(request, team)
    flags = await read_flags()
    return page(
        request, "teams/team.html", fragment="teams/_drawer.html", status_code=422 if error else 200, **shown,
        statuses=STATUSES, done=DONE.get(request.query_params.get("done", ""), ""), error=error, values=entered or {},
        candidates=await queries.get_candidates(reader.sight, team) if team.can_change else (),
        others=await queries.get_others(reader.sight, team) if team.can_change else (), limits=platform_limits,
        is_sent=flags.is_on(Feature.ROSTER_SYNC, team.organization_id),
        is_read=flags.is_on(Feature.SCORE_INGESTION, team.organization_id),
        sync_pause_minutes=(await organization_limits.of(team.organization_id)).sync_pause_minutes,
        offers_mail=await password_help.is_offered(flags, team.organization_id),
        asked=await manual_sync.last_asked([each.competitor_id for each in shown["members"] if each.is_linked]),
    )


async def _shown(request: AnyRequest, team: Team) -> dict[str, Any]:
    """What the page, the drawer and the brief have in common."""
    parsed = scopes.parse(request.query_params.multi_items())
    span = await team_members.span(team.organization_id, parsed.scope)
    members = await team_members.get_members(request.user.sight, team.team_id, span)
    numbers = team_members.added_up(members)
    return {
        "team": team, "members": members, "numbers": numbers, "cells": _cells(members), "span": span,
        "days": _days(span), "age": team_numbers.age([numbers], span), "divisions": DIVISIONS,
        "notices": parsed.notices, "query": parsed.scope.url(""),
    }


def _days(span: Span) -> str:
    name = WINDOWS.get(span.window.name)
    return f"{name}, {span.window.days_words}" if name else span.window.days_words


def _cells(members: Sequence[Member]) -> tuple[Cell, ...]:
    """The team's row of the matrix, from its members."""
    categories = all_categories(category for member in members for category in member.covers)
    solvers = {category: [each for each in members if category in each.covers] for category in categories}
    return tuple(Cell(category, len(found), _only(found)) for category, found in solvers.items())


def _only(found: Sequence[Member]) -> Solver | None:
    return Solver(found[0].competitor_id, found[0].name, found[0].handle) if len(found) == 1 else None


def _person(reader: Reader, member: Member) -> team_brief.Person:
    return team_brief.Person(
        shown_name(reader, member.name, member.handle, member.competitor_id), member.gain, member.gain_before,
        member.is_active, member.is_linked,
    )


ROUTES = [show, brief]
