"""Theme and row height. Cookies remember them for this browser; a signed-in reader's theme goes with the person."""

from dataclasses import dataclass
from typing import Any

from litestar import Request, post
from litestar.datastructures import Cookie
from litestar.exceptions import HTTPException
from litestar.params import URLEncodedBody
from litestar.response import Redirect, Response

from app.security.policy import anyone
from app.security.redirects import local_path
from app.services.preferences import choose_theme
from app.tables.accounts import Theme
from app.web import PRIVATE, reader_of

DENSITIES = ("normal", "compact")
ONE_YEAR_SECONDS = 365 * 24 * 3600


@dataclass(frozen=True)
class Appearance:
    theme: str = ""
    density: str = ""
    next: str = "/"


@post("/appearance", guards=[anyone], status_code=303)
async def appearance(request: Request[Any, Any, Any], data: URLEncodedBody[Appearance]) -> Response[None]:
    _check(data)
    reader = reader_of(request)
    if reader and data.theme:
        await choose_theme(reader, Theme(data.theme))
    choices = {"theme": data.theme, "density": data.density}
    cookies = [_cookie(request, name, value) for name, value in choices.items() if value]
    if request.headers.get("hx-request"):
        return Response(None, status_code=204, headers=PRIVATE, cookies=cookies)
    return Redirect(local_path(data.next) or "/", status_code=303, headers=PRIVATE, cookies=cookies)


def _check(data: Appearance) -> None:
    if data.theme and data.theme not in set(Theme):
        raise HTTPException(status_code=422, detail="Theme: choose system, light or dark.")
    if data.density and data.density not in DENSITIES:
        raise HTTPException(status_code=422, detail="Density: choose normal or compact.")


def _cookie(request: Request[Any, Any, Any], name: str, value: str) -> Cookie:
    return Cookie(
        key=name, value=value, max_age=ONE_YEAR_SECONDS, path="/", httponly=True, samesite="lax",
        secure=request.app.state.settings.is_production,
    )
