"""Marks the overview as seen."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from litestar import Request, post
from litestar.exceptions import NotFoundException
from litestar.params import URLEncodedBody
from litestar.response import Redirect

from app.domain.addresses import as_uuid
from app.domain.readers import Reader
from app.security.policy import coaches
from app.security.redirects import local_path
from app.services import looks
from app.web import PRIVATE


@dataclass(frozen=True)
class Seen:
    """`until` is the moment that the page was of."""

    organization: str = ""
    until: str = ""
    next: str = "/"


@post("/looks", guards=[coaches], status_code=303)
async def mark_seen(request: Request[Any, Any, Any], data: URLEncodedBody[Seen]) -> Redirect:
    reader: Reader = request.user
    organization_id = as_uuid(data.organization)
    if organization_id not in reader.organization_ids:
        raise NotFoundException(detail="This organization does not exist, or it is not yours.")
    await looks.mark_seen(reader, organization_id, _moment(data.until))
    return Redirect(local_path(data.next) or "/", status_code=303, headers=PRIVATE)


def _moment(text: str) -> datetime:
    """Now for what is no moment with a zone."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return datetime.now(UTC)
    return moment if moment.tzinfo and 1970 <= moment.year <= 9000 else datetime.now(UTC)
