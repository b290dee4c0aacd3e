"""The settings that each organization has for itself."""

import calendar
from collections.abc import Mapping
from dataclasses import asdict
from datetime import date
from typing import Any
from uuid import UUID

from litestar import get, post
from litestar.exceptions import NotFoundException
from litestar.params import FromPath
from litestar.response import Redirect, Template

from app.controllers.forms import text_fields
from app.domain import organization_limits
from app.queries import calendars as calendar_queries
from app.queries import organizations as queries
from app.security.policy import admins
from app.services import calendars, organization_settings, preferences
from app.services.calendars import CalendarError
from app.services.organization_settings import ONBOARDING_WORDS, BadSettings, NotFound, OrganizationSettings
from app.web import PRIVATE, AnyRequest, page

PAGE = "/admin/organizations"
MONTHS = tuple(enumerate(calendar.month_name))[1:]
YES_OR_NO = {"yes": True, "no": False}
DONE = {
    "saved": "The settings are saved.", "added": "The break is in the calendar.",
    "removed": "The break is out of the calendar.",
}
NOT_FOUND = "There is no such organization, or you are not its admin."


@get(PAGE, guards=[admins])
async def list_all(request: AnyRequest) -> Template:
    return page(
        request, "organizations/index.html", organizations=await queries.list_organizations(request.user),
        months=dict(MONTHS), onboarding_words=ONBOARDING_WORDS,
    )


@get(f"{PAGE}/{{organization_id:uuid}}", guards=[admins])
async def show(request: AnyRequest, organization_id: FromPath[UUID]) -> Template:
    return await _form(request, organization_id)


@post(f"{PAGE}/{{organization_id:uuid}}", guards=[admins])
async def save(request: AnyRequest, organization_id: FromPath[UUID]) -> Template | Redirect:
    form = await text_fields(request, *OrganizationSettings.__dataclass_fields__)
    wanted = OrganizationSettings(
        name=form["name"], time_zone=form["time_zone"], onboarding_status=form["onboarding_status"],
        school_year_starts_month=_month(form["school_year_starts_month"]),
        second_factor_required=YES_OR_NO.get(form["second_factor_required"]),
        automatic_onboarding=YES_OR_NO.get(form["automatic_onboarding"]),
        **{limit.name: organization_limits.whole_number(form[limit.name]) for limit in organization_limits.ALL},
    )
    try:
        await organization_settings.save(request.user, organization_id, wanted)
    except NotFound:
        raise NotFoundException(detail=NOT_FOUND) from None
    except BadSettings as error:
        return await _form(request, organization_id, entered=asdict(wanted) | _typed(form), errors=error.errors)
    return Redirect(f"{PAGE}/{organization_id}?done=saved", status_code=303, headers=PRIVATE)


@post(f"{PAGE}/{{organization_id:uuid}}/breaks", guards=[admins])
async def add_break(request: AnyRequest, organization_id: FromPath[UUID]) -> Template | Redirect:
    form = await text_fields(request, "break_name", "first_day", "last_day")
    try:
        await calendars.add_break(
            request.user, organization_id, name=form["break_name"], first_day=_day(form["first_day"]),
            last_day=_day(form["last_day"]),
        )
    except calendars.NotFound:
        raise NotFoundException(detail=NOT_FOUND) from None
    except CalendarError as error:
        return await _form(request, organization_id, entered_break=form, break_error=error)
    return _to_calendar(organization_id, "added")


@post(f"{PAGE}/{{organization_id:uuid}}/breaks/{{break_id:uuid}}/remove", guards=[admins])
async def remove_break(request: AnyRequest, organization_id: FromPath[UUID], break_id: FromPath[UUID]) -> Redirect:
    try:
        await calendars.remove_break(request.user, organization_id, break_id)
    except calendars.NotFound:
        raise NotFoundException(detail="There is no such break, or it was removed already.") from None
    return _to_calendar(organization_id, "removed")


def _typed(form: Mapping[str, str]) -> dict[str, str]:
    """What stands in a field again as it was typed."""
    return {limit.name: form[limit.name] for limit in organization_limits.ALL}


def _to_calendar(organization_id: UUID, done: str) -> Redirect:
    return Redirect(f"{PAGE}/{organization_id}?done={done}#calendar", status_code=303, headers=PRIVATE)


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _month(text: str) -> int | None:
    return next((number for number, _ in MONTHS if text == str(number)), None)


async def _form(
    request: AnyRequest, organization_id: UUID, *, entered: Mapping[str, Any] | None = None,
    errors: Mapping[str, str] | None = None, entered_break: Mapping[str, str] | None = None,
    break_error: CalendarError | None = None,
) -> Template:
    organization = await queries.get_organization(request.user, organization_id)
    if organization is None:
        raise NotFoundException(detail=NOT_FOUND)
    return page(
        request, "organizations/form.html", status_code=422 if errors or break_error else 200,
        organization=organization, values=entered or asdict(organization), errors=errors or {}, months=MONTHS,
        done=DONE.get(request.query_params.get("done", "")), breaks=await calendar_queries.breaks(organization_id),
        entered_break=entered_break or {}, break_error=break_error,
        time_zones=[(zone, zone) for zone in dict.fromkeys((organization.time_zone, *preferences.time_zones()))],
        onboarding_words=ONBOARDING_WORDS, promises=organization_limits.PROMISES, limits=organization_limits.LIMITS,
    )


ROUTES = [list_all, show, save, add_break, remove_break]
