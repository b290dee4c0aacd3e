"""/competitors/duplicates: who may be one person, the merge of two records, and the way back."""

from collections.abc import Mapping
from typing import Any

from litestar import get, post
from litestar.background_tasks import BackgroundTask
from litestar.exceptions import NotFoundException
from litestar.response import Redirect, Response, Template

from app.controllers.forms import text_fields
from app.domain import csv_text, duplicates, platform_limits
from app.domain.addresses import as_uuid
from app.domain.competitor_list import PATH as COMPETITORS
from app.domain.duplicates import FIELDS, FLAGS, Record, Strength
from app.domain.leaderboard import DIVISIONS
from app.domain.presenting import shown_name
from app.domain.readers import Reader
from app.queries import duplicates as queries
from app.queries.duplicates import Pair, Pairs, Person
from app.security import audit
from app.security.policy import coaches
from app.services import duplicates as service
from app.services import standings
from app.services.duplicates import MergeError, NotFound
from app.web import PRIVATE, AnyRequest, page

PATH = f"{COMPETITORS}/duplicates"
NOT_FOUND = "There is no such competitor or merge, or it is not yours to see."
LABELS = {
    "first_name": "First name", "last_name": "Last name", "email": "E-mail", "grade": "Grade", "division": "Division",
    "school_id": "School", "region_id": "Region", "release_signed": "Release", "agreement_signed": "Agreement",
    "data_consent": "Data consent",
}
STRENGTHS = {
    Strength.CERTAIN: ("good", "Certain"), Strength.LIKELY: ("waiting", "Likely"),
    Strength.POSSIBLE: ("unknown", "Possible"),
}
DONE = {
    "merged": "The two records are one now. The merge stands below and can be undone.",
    "undone": "The merge is undone. Both records are as they were.",
    "apart": "These two are different people. They are not shown as a pair again.",
}
COLUMNS = (
    "strength", "reasons", "name", "division", "grade", "team", "coach", "other_name", "other_division", "other_grade",
    "other_team", "other_coach",
)


@get(PATH, guards=[coaches])
async def list_all(request: AnyRequest) -> Response[Any]:
    pairs = await queries.get_pairs(request.user.sight)
    if request.query_params.get("format") == "csv":
        return _file(request.user, pairs)
    return await _list(request, pairs)


@get(f"{PATH}/merge", guards=[coaches])
async def ask(request: AnyRequest) -> Template:
    """Which of two to keep is the better one, unless the address says it."""
    first, second = await _records(request.user, request.query_params.get("kept"), request.query_params.get("gone"))
    if request.query_params.get("keep") != "first":
        first, second = duplicates.better_first(first, second)
    return _comparison(request, first, second)


@post(f"{PATH}/merge", guards=[coaches])
async def merge(request: AnyRequest) -> Response[Any]:
    form = await text_fields(request, "kept", "gone", *FIELDS)
    kept_id, gone_id = as_uuid(form["kept"]), as_uuid(form["gone"])
    if kept_id is None or gone_id is None:
        raise NotFoundException(detail=NOT_FOUND)
    try:
        await service.merge(request.user, kept_id, gone_id, [name for name in FIELDS if form[name] == "gone"])
    except NotFound:
        raise NotFoundException(detail=NOT_FOUND) from None
    except MergeError as error:
        kept, gone = await _records(request.user, form["kept"], form["gone"])
        return _comparison(request, kept, gone, problem=error.text, entered=form)
    return _done("merged")


@post(f"{PATH}/apart", guards=[coaches])
async def set_apart(request: AnyRequest) -> Redirect:
    form = await text_fields(request, "first", "second")
    first, second = await _records(request.user, form["first"], form["second"])
    await service.set_apart(request.user, first.id, second.id)
    return _done("apart")


@post(f"{PATH}/undo", guards=[coaches])
async def undo(request: AnyRequest) -> Response[Any]:
    merge_id = as_uuid((await text_fields(request, "merge"))["merge"])
    if merge_id is None:
        raise NotFoundException(detail=NOT_FOUND)
    try:
        await service.undo(request.user, merge_id)
    except NotFound:
        raise NotFoundException(detail=NOT_FOUND) from None
    except MergeError as error:
        return await _list(request, await queries.get_pairs(request.user.sight), problem=error.text)
    return _done("undone")


async def _records(reader: Reader, first: str | None, second: str | None) -> tuple[Record, Record]:
    first_id, second_id = as_uuid(first or ""), as_uuid(second or "")
    if first_id is None or second_id is None:
        raise NotFoundException(detail=NOT_FOUND)
    try:
        return await service.compare(reader, first_id, second_id)
    except NotFound:
        raise NotFoundException(detail=NOT_FOUND) from None


async def _list(request: AnyRequest, pairs: Pairs, *, problem: str = "") -> Template:
    return page(
        request, "duplicates/index.html", status_code=422 if problem else 200, pairs=pairs, problem=problem,
        merges=await queries.get_merges(request.user.sight), divisions=DIVISIONS, strengths=STRENGTHS, path=PATH,
        done=DONE.get(request.query_params.get("done", ""), ""),
    )


def _comparison(
    request: AnyRequest, kept: Record, gone: Record, *, problem: str = "", entered: Mapping[str, str] | None = None
) -> Template:
    differing = duplicates.differing(kept, gone)
    preset = dict.fromkeys(duplicates.chosen_flags(kept, gone), "gone")
    why = duplicates.reasons(kept, gone)
    return page(
        request, "duplicates/merge.html", status_code=422 if problem else 200, kept=kept, gone=gone, problem=problem,
        fields=[(name, LABELS[name], _words(kept, name), _words(gone, name)) for name in differing],
        filled=[(LABELS[name], _words(gone, name)) for name in _filled(kept, gone)],
        chosen={name: (entered or preset).get(name) or "kept" for name in differing}, reasons=why, path=PATH,
        strength=STRENGTHS[duplicates.strength(kept, gone, why)] if why else ("late", "Nothing in common"),
        consequences=duplicates.consequences(kept, gone), change_email=platform_limits.CHANGE_EMAIL,
    )


def _filled(kept: Record, gone: Record) -> list[str]:
    """What only the other record knows."""
    return [name for name in FIELDS if name not in FLAGS and getattr(gone, name) and not getattr(kept, name)]


def _words(record: Record, name: str) -> str:
    value = getattr(record, name)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return DIVISIONS.get(value, str(value or ""))


def _file(reader: Reader, pairs: Pairs) -> Response[str]:
    """The pairs of the page; whose data it holds is written down after the response."""
    rows = [(*_facts(pair), *_side(reader, pair.one), *_side(reader, pair.other)) for pair in pairs.rows]
    ids = {person.id for pair in pairs.rows for person in (pair.one, pair.other)}
    return Response(
        csv_text.BYTE_ORDER_MARK + csv_text.lines([COLUMNS, *rows]), media_type="text/csv; charset=utf-8",
        headers={**PRIVATE, "Content-Disposition": 'attachment; filename="possible-duplicates.csv"'},
        background=BackgroundTask(
            audit.disclose, sorted(ids), purpose="duplicates export", recipient=reader.name, user_id=reader.user_id,
            fields=COLUMNS,
        ),
    )


def _facts(pair: Pair) -> tuple[str, str]:
    return pair.strength.value, ", ".join(pair.reasons)


def _side(reader: Reader, person: Person) -> tuple[str, ...]:
    name = shown_name(reader, person.name, person.handle, person.id)
    return name, DIVISIONS.get(person.division or "", ""), person.grade, person.team, person.coach


def _done(what: str) -> Redirect:
    """The standings follow after the answer."""
    return Redirect(
        f"{PATH}?done={what}", status_code=303, headers=PRIVATE, background=BackgroundTask(standings.refresh_stale)
    )


ROUTES = [list_all, ask, merge, set_apart, undo]
