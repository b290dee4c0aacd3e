"""Setting up and turning off one's own second factor, and whether an organization requires it of its admins."""

import io
from uuid import UUID

import segno
from litestar import get, post
from litestar.exceptions import NotFoundException
from litestar.params import FromPath
from litestar.response import Redirect, Response, Template

from app.controllers.forms import text_fields
from app.domain.readers import Reader
from app.queries import settings_page
from app.security.connections import client_address
from app.security.policy import SETS_UP_SECOND_FACTOR, admins, signed_in
from app.security.redirects import SECOND_FACTOR_PAGE
from app.services import accounts, second_factor
from app.services.accounts import WrongPassword
from app.services.second_factor import SecondFactorError
from app.web import PRIVATE, AnyRequest, page

SETS_UP = {SETS_UP_SECOND_FACTOR: True}
QR_SCALE_PIXELS = 5
NOT_YOURS = "This is not your current password."


@get(SECOND_FACTOR_PAGE, guards=[signed_in], opt=SETS_UP)
async def show(request: AnyRequest) -> Template:
    return await _page(request)


@post(SECOND_FACTOR_PAGE, guards=[signed_in], opt=SETS_UP)
async def begin(request: AnyRequest) -> Template | Redirect:
    try:
        await accounts.require_password(request.user, (await text_fields(request, "password"))["password"])
        await second_factor.begin(request.user)
    except WrongPassword:
        return await _page(request, errors={"password": NOT_YOURS})
    except SecondFactorError as error:
        return await _page(request, problem=str(error))
    return _to_page()


@get(f"{SECOND_FACTOR_PAGE}/qr.svg", guards=[signed_in], opt=SETS_UP)
async def qr_code(request: AnyRequest) -> Response[bytes]:
    enrolment = await second_factor.enrolment(request.user)
    if enrolment is None:
        raise NotFoundException(detail="There is no second factor being set up.")
    return Response(_qr_svg(enrolment.uri), media_type="image/svg+xml", headers=PRIVATE)


@post(f"{SECOND_FACTOR_PAGE}/confirm", guards=[signed_in], opt=SETS_UP)
async def confirm(request: AnyRequest) -> Template:
    code = (await text_fields(request, "code"))["code"]
    recovery_codes = await second_factor.confirm(request.user, code, address=client_address(request))
    if recovery_codes is None:
        return await _page(request, errors={"code": "This code is wrong. Look at the app for the current one."})
    return page(request, "settings/recovery_codes.html", codes=recovery_codes)


@post(f"{SECOND_FACTOR_PAGE}/turn-off", guards=[signed_in])
async def turn_off(request: AnyRequest) -> Template | Redirect:
    reader: Reader = request.user
    try:
        await accounts.require_password(reader, (await text_fields(request, "password"))["password"])
    except WrongPassword:
        return await _page(request, errors={"password": NOT_YOURS})
    await second_factor.turn_off(reader)
    return Redirect("/settings?done=second-factor", status_code=303, headers=PRIVATE)


@post(f"{SECOND_FACTOR_PAGE}/requirements/{{organization_id:uuid}}", guards=[admins])
async def require_of_admins(request: AnyRequest, organization_id: FromPath[UUID]) -> Template | Redirect:
    is_required = (await text_fields(request, "required"))["required"] == "yes"
    try:
        await second_factor.require_of_admins(organization_id, is_required, actor=request.user)
    except SecondFactorError as error:
        return await _page(request, problem=str(error))
    return _to_page()


async def _page(request: AnyRequest, *, problem: str = "", errors: dict[str, str] | None = None) -> Template:
    reader: Reader = request.user
    return page(
        request, "settings/second_factor.html", status_code=422 if problem or errors else 200, problem=problem,
        errors=errors or {}, account=await settings_page.account(reader),
        enrolment=await second_factor.enrolment(reader), requirements=await settings_page.requirements(reader),
    )


def _to_page() -> Redirect:
    return Redirect(SECOND_FACTOR_PAGE, status_code=303, headers=PRIVATE)


def _qr_svg(content: str) -> bytes:
    """Black on white in both themes: cameras want it so."""
    svg = io.BytesIO()
    segno.make(content, error="m").save(svg, kind="svg", scale=QR_SCALE_PIXELS, border=4, light="#fff", svgclass=None)
    return svg.getvalue()


ROUTES = [show, begin, qr_code, confirm, turn_off, require_of_admins]
