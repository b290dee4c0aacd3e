"""The small files that browsers and robots ask for by themselves, and every address that is none."""

from litestar import get, route
from litestar.exceptions import NotFoundException
from litestar.response import File

from app.security.policy import anyone
from app.web import STATIC


@get(["/favicon.ico", "/favicon.svg"], guards=[anyone], opt={"exclude_from_auth": True})
async def favicon() -> File:
    return File(
        STATIC / "favicon.svg", media_type="image/svg+xml", content_disposition_type="inline",
        headers={"Cache-Control": "public, max-age=86400"},
    )


@get("/robots.txt", guards=[anyone], opt={"exclude_from_auth": True}, media_type="text/plain")
async def robots() -> str:
    """Nothing here is for search engines."""
    return "User-agent: *\nDisallow: /\n"


@get("/{path:path}", guards=[anyone])
async def unknown_page() -> None:
    """A route of its own, so that the page which says so still knows its reader."""
    raise NotFoundException


@route(
    "/{path:path}", http_method=["POST", "PUT", "PATCH", "DELETE"], guards=[anyone], opt={"exclude_from_csrf": True}
)
async def unknown_target() -> None:
    raise NotFoundException


ROUTES = [favicon, robots, unknown_page, unknown_target]
