"""Handles instead of names, on every page at once, for this session."""

from dataclasses import dataclass
from typing import Any

from litestar import Request, post
from litestar.params import URLEncodedBody
from litestar.response import Redirect

from app.domain.readers import Reader
from app.security import sessions
from app.security.policy import coaches
from app.security.redirects import local_path
from app.web import PRIVATE


@dataclass(frozen=True)
class Presenting:
    present: str = ""
    next: str = "/"


@post("/presenting", guards=[coaches], status_code=303)
async def present(request: Request[Any, Any, Any], data: URLEncodedBody[Presenting]) -> Redirect:
    reader: Reader = request.user
    await sessions.present(reader, is_presenting=data.present == "on")
    return Redirect(local_path(data.next) or "/", status_code=303, headers=PRIVATE)
