"""The settings that each organization has for itself."""

import calendar
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any
from uuid import UUID

from litestar import get, post
from litestar.exceptions import NotFoundException
from litestar.params import FromPath
from litestar.response import Redirect, Template

from app.controllers.forms import text_fields
from app.queries import organizations as queries
from app.security.policy import admins
from app.services import organization_settings, preferences
from app.services.organization_settings import ONBOARDING_WORDS, BadSettings, NotFound, OrganizationSettings
from app.web import PRIVATE, AnyRequest, page

PAGE = "/admin/organizations"
MONTHS = tuple(enumerate(calendar.month_name))[1:]
YES_OR_NO = {"yes": True, "no": False}
NOT_FOUND = "There is no such organization, or you are not its admin."


@get(PAGE, guards=[admins])
async def list_all(request: AnyRequest) -> Template:
    return page(
        request, "organizations/index.html", organizations=await queries.list_organizations(request.user),
        months=dict(MONTHS), onboarding_words=ONBOARDING_WORDS,
    )


@get(f"{PAGE}/{{organization_id:uuid}}", guards=[admins])
async def show(request: AnyRequest, organization_id: FromPath[UUID]) -> Template:
    return await _form(request, organization_id, is_saved=request.query_params.get("done") == "saved")


@post(f"{PAGE}/{{organization_id:uuid}}", guards=[admins])
async def save(request: AnyRequest, organization_id: FromPath[UUID]) -> Template | Redirect:
    form = await text_fields(request, *OrganizationSettings.__dataclass_fields__)
    wanted = OrganizationSettings(
        name=form["name"], time_zone=form["time_zone"], onboarding_status=form["onboarding_status"],
        school_year_starts_month=_month(form["school_year_starts_month"]),
        second_factor_required=YES_OR_NO.get(form["second_factor_required"]),
        automatic_onboarding=YES_OR_NO.get(form["automatic_onboarding"]),
    )
    try:
        await organization_settings.save(request.user, organization_id, wanted)
    except NotFound:
        raise NotFoundException(detail=NOT_FOUND) from None
    except BadSettings as error:
        return await _form(request, organization_id, entered=asdict(wanted), errors=error.errors)
    return Redirect(f"{PAGE}/{organization_id}?done=saved", status_code=303, headers=PRIVATE)


def _month(text: str) -> int | None:
    return next((number for number, _ in MONTHS if text == str(number)), None)


async def _form(
    request: AnyRequest, organization_id: UUID, *, entered: Mapping[str, Any] | None = None,
    errors: Mapping[str, str] | None = None, is_saved: bool = False,
) -> Template:
    organization = await queries.get_organization(request.user, organization_id)
    if organization is None:
        raise NotFoundException(detail=NOT_FOUND)
    return page(
        request, "organizations/form.html", status_code=422 if errors else 200, organization=organization,
        values=entered or asdict(organization), errors=errors or {}, is_saved=is_saved, months=MONTHS,
        time_zones=[(zone, zone) for zone in dict.fromkeys((organization.time_zone, *preferences.time_zones()))],
        onboarding_words=ONBOARDING_WORDS,
    )


ROUTES = [list_all, show, save]
