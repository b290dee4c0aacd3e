"""Two to four teams or people side by side, on one page that can be linked to, printed and taken as a file."""

from typing import Any

from litestar import get
from litestar.background_tasks import BackgroundTask
from litestar.exceptions import NotFoundException
from litestar.response import Response

from app.domain import compare as comparing
from app.domain import csv_text
from app.domain.compare import COMPETITOR, FEWEST, MOST, PATH, View
from app.domain.leaderboard import WINDOWS
from app.domain.presenting import shown_name
from app.domain.readers import Reader
from app.queries import compare as queries
from app.queries.compare import Comparison
from app.queries.team_numbers import Span
from app.security import audit
from app.security.policy import coaches
from app.web import PRIVATE, AnyRequest, page

NOT_FOUND = "One of them does not exist or is not yours to see."
FIELDS = ("first_name", "last_name", "handle", "team", "points", "challenges", "solves")


@get(PATH, guards=[coaches])
async def show(request: AnyRequest) -> Response[Any]:
    reader: Reader = request.user
    parsed = comparing.parse(request.query_params.multi_items())
    view = parsed.view
    found = await _found(view, reader)
    if found and request.query_params.get("format") == "csv":
        answer: Response[Any] = _file(found, view, reader)
    else:
        answer = page(
            request, "compare/index.html", view=view, notices=parsed.notices, found=found,
            choices=await queries.choices(view, reader.sight) if view.has_room else (), fewest=FEWEST, most=MOST,
            days=_days(found.span) if found else "", windows=WINDOWS,
        )
    if found and view.kind == COMPETITOR:
        answer.background = BackgroundTask(_disclose, reader, view)
    return answer


async def _found(view: View, reader: Reader) -> Comparison | None:
    """Nothing where nobody is asked for; somebody else's is the same as nobody's."""
    if not view.ids:
        return None
    found = await queries.compare(view, reader.sight)
    if found is None:
        raise NotFoundException(detail=NOT_FOUND)
    return found


def _days(span: Span) -> str:
    name = WINDOWS.get(span.window.name)
    return f"{name}, {span.window.days_words}" if name else span.window.days_words


def _file(found: Comparison, view: View, reader: Reader) -> Response[str]:
    window = found.span.window
    rows: list[tuple[object, ...]] = [
        ("measure", *(shown_name(reader, each.name, each.handle, each.id) if view.kind == COMPETITOR else each.name
                      for each in found.subjects)),
        *((measure.label, *measure.values) for measure in found.measures),
        *((category, *(each.covers.get(category, 0) for each in found.subjects)) for category in found.categories),
        ("first day", *(window.first_day for _ in found.subjects)),
        ("last day", *(window.last_day for _ in found.subjects)),
        ("data as of", *(each.numbers.as_of for each in found.subjects)),
    ]
    return Response(
        csv_text.BYTE_ORDER_MARK + csv_text.lines(rows), media_type="text/csv; charset=utf-8",
        headers={**PRIVATE, "Content-Disposition": f'attachment; filename="compare-{window.last_day}.csv"'},
    )


async def _disclose(reader: Reader, view: View) -> None:
    await audit.disclose(
        view.ids, purpose="comparison", recipient=reader.name, user_id=reader.user_id, fields=FIELDS
    )
