"""/competitors/import: a roster file is looked at first, then taken as a whole or not at all."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from litestar import get, post
from litestar.datastructures import UploadFile
from litestar.exceptions import NotFoundException
from litestar.params import FromPath
from litestar.response import Redirect, Response, Template

from app.controllers.forms import text_fields
from app.domain import csv_text, roster_file
from app.domain.addresses import as_uuid
from app.domain.competitor_list import PATH as COMPETITORS
from app.domain.leaderboard import DIVISIONS
from app.domain.readers import Reader
from app.domain.roster_plan import Entry
from app.queries import teams
from app.security.policy import coaches
from app.services import roster_uploads
from app.services.roster_import import RowError
from app.services.roster_preview import Preview, preview_roster
from app.services.roster_uploads import NotFound, Upload, UploadError
from app.web import PRIVATE, AnyRequest, page

PATH = f"{COMPETITORS}/import"
UPLOAD = f"{PATH}/{{upload_id:uuid}}"
NOT_FOUND = "This file is not here any more. Files are kept for a day; upload it again."
MOST_ROWS = 200
FORM_BYTES = 16 * 1024
FIELDS = {
    "first_name": "First name", "last_name": "Last name", "email": "E-mail", "grade": "Grade", "division": "Division",
    "team_id": "Team", "release_signed": "Release", "agreement_signed": "Agreement", "data_consent": "Data consent",
    "school_id": "School", "region_id": "Region", "game_platform_id": "Game Platform account",
    "user_id": "Linked person", "status": "Status",
}


@get(PATH, guards=[coaches])
async def ask(request: AnyRequest) -> Response[Any]:
    if request.query_params.get("format") == "csv":
        return _file("roster.csv", [roster_file.ORDER])
    return await _form(request)


@post(PATH, guards=[coaches], request_max_body_size=roster_file.MAX_BYTES + FORM_BYTES)
async def upload(request: AnyRequest) -> Template | Redirect:
    form = await text_fields(request, "coach_id")
    file = (await request.form()).get("file")
    try:
        upload_id = await roster_uploads.keep(
            request.user, coach_id=as_uuid(form["coach_id"]),
            file_name=file.filename if isinstance(file, UploadFile) else "",
            content=await file.read() if isinstance(file, UploadFile) else b"",
        )
    except UploadError as error:
        return await _form(request, error=error, coach_id=form["coach_id"])
    return _redirect(upload_id)


@get(UPLOAD, guards=[coaches])
async def look(request: AnyRequest, upload_id: FromPath[UUID]) -> Response[Any]:
    uploaded = await _find(request.user, upload_id)
    preview = await _preview(uploaded)
    if preview and request.query_params.get("format") == "csv":
        return _file("rows-to-correct.csv", [("row", "field", "problem"), *_lines(preview.report.errors)])
    return _review(request, uploaded, preview)


@post(UPLOAD, guards=[coaches])
async def take(request: AnyRequest, upload_id: FromPath[UUID]) -> Response[Any]:
    uploaded = await _find(request.user, upload_id)
    report = await roster_uploads.run(request.user, upload_id)
    if report and report.errors:
        return _review(request, uploaded, await _preview(uploaded), status_code=422)
    return _redirect(upload_id)


async def _form(request: AnyRequest, *, error: UploadError | None = None, coach_id: str = "") -> Template:
    return page(
        request, "roster_import/index.html", status_code=422 if error else 200, error=error, coach_id=coach_id,
        coaches=await teams.get_coaches(request.user), columns=roster_file.ORDER, required=roster_file.REQUIRED,
        megabytes=roster_file.MAX_BYTES // 1024 // 1024, path=PATH,
    )


async def _find(reader: Reader, upload_id: UUID) -> Upload:
    try:
        return await roster_uploads.find(reader, upload_id)
    except NotFound:
        raise NotFoundException(detail=NOT_FOUND) from None


async def _preview(uploaded: Upload) -> Preview | None:
    if uploaded.content is None:
        return None
    return await preview_roster(uploaded.content, coach_email=uploaded.coach_email)


def _review(
    request: AnyRequest, uploaded: Upload, preview: Preview | None, *, status_code: int = 200
) -> Template:
    """Before the import what it would do; afterwards what it did."""
    if preview is None:
        return page(request, "roster_import/done.html", upload=uploaded, report=uploaded.outcome)
    changes = [
        (change.row, change.after, _differences(change.before, change.after, preview) if change.before else None)
        for change in preview.changes[:MOST_ROWS]
    ]
    return page(
        request, "roster_import/review.html", status_code=status_code, upload=uploaded, report=preview.report,
        errors=preview.report.errors[:MOST_ROWS], changes=changes, all_changes=len(preview.changes),
        lookalikes=preview.lookalikes[:MOST_ROWS], teams=preview.teams, divisions=DIVISIONS, path=PATH,
        was_refused=status_code != 200,
    )


def _differences(before: Entry, after: Entry, preview: Preview) -> list[tuple[str, str, str, str]]:
    """The column, its name, and its value before and after, as a reader says it."""
    return [
        (name, label, _words(name, getattr(before, name), preview), _words(name, getattr(after, name), preview))
        for name, label in FIELDS.items() if getattr(before, name) != getattr(after, name)
    ]


def _words(name: str, value: Any, preview: Preview) -> str:
    if value in (None, ""):
        return "nothing"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if name == "user_id":
        return "linked"
    return preview.teams.get(value, "a team") if name == "team_id" else DIVISIONS.get(value, str(value))


def _lines(errors: Iterable[RowError]) -> list[tuple[object, ...]]:
    return [(error.row or "", error.field, error.message) for error in errors]


def _file(name: str, rows: Iterable[Iterable[object]]) -> Response[str]:
    return Response(
        csv_text.BYTE_ORDER_MARK + csv_text.lines(rows), media_type="text/csv; charset=utf-8",
        headers={**PRIVATE, "Content-Disposition": f'attachment; filename="{name}"'},
    )


def _redirect(upload_id: UUID) -> Redirect:
    return Redirect(f"{PATH}/{upload_id}", status_code=303, headers=PRIVATE)


ROUTES = [ask, upload, look, take]
