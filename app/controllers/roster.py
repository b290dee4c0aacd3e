"""Editing one competitor."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from litestar import get, post
from litestar.exceptions import NotFoundException
from litestar.params import FromPath
from litestar.response import Redirect, Template

from app.controllers.forms import text_fields
from app.controllers.platform_buttons import NOT_FOUND
from app.domain import platform_limits, roster_form
from app.domain.competitor_list import PATH
from app.domain.leaderboard import DIVISIONS
from app.domain.readers import Reader
from app.domain.roster_file import FLAGS
from app.queries.roster import Editable, get_editable
from app.security.policy import coaches
from app.services import roster
from app.services.roster import Edited, NotFound, RosterError
from app.web import PRIVATE, AnyRequest, page

LABELS = {
    "first_name": "First name", "last_name": "Last name", "email": "E-mail", "grade": "Grade", "division": "Division",
    "school_id": "School id", "region_id": "Region id", "release_signed": "Release signed",
    "agreement_signed": "Agreement signed", "data_consent": "Data consent recorded",
}
EDIT = f"{PATH}/{{competitor_id:uuid}}/edit"
SAVED, SAVED_HERE = "The changes are saved.", "The changes are saved here."
DONE = {
    "saved": (SAVED, ""),
    "unchanged": ("Nothing was different, so nothing was changed.", ""),
    "email": (SAVED_HERE, platform_limits.CHANGE_EMAIL),
    "name": (SAVED_HERE, platform_limits.CHANGE_USER),
}


@get(EDIT, guards=[coaches])
async def edit_form(request: AnyRequest, competitor_id: FromPath[UUID]) -> Template:
    person = await _person(request.user, competitor_id)
    return _page(request, person, person.values, seen=person.seen)


@post(EDIT, guards=[coaches])
async def edit(request: AnyRequest, competitor_id: FromPath[UUID]) -> Template | Redirect:
    reader: Reader = request.user
    person = await _person(reader, competitor_id)
    form = await text_fields(request, *roster_form.FIELDS, "seen")
    values, problems = roster_form.read(form)
    if reader.is_presenting or problems:
        return _page(request, person, values, seen=form["seen"], problems=problems or {"": "Stop presenting first."})
    if not reader.is_coach and not values["email"]:
        values.pop("email")  # it was not shown, so that its field was empty says nothing
    try:
        edited = await roster.edit(reader, competitor_id, values, seen=form["seen"])
    except NotFound:
        raise NotFoundException(detail=NOT_FOUND) from None
    except RosterError as error:
        return _page(
            request, person, values, seen=person.seen, problems={error.field: error.text},
            differences=() if error.field else _differences(person, values),
        )
    return Redirect(f"{PATH}/{competitor_id}/edit?done={_done(edited)}", status_code=303, headers=PRIVATE)


def _done(edited: Edited) -> str:
    """What the reader has to know besides: that the platform does not follow."""
    if not edited.fields:
        return "unchanged"
    if edited.has_account and "email" in edited.fields:
        return "email"
    return "name" if edited.has_account and {"first_name", "last_name"} & set(edited.fields) else "saved"


def _differences(person: Editable, values: Mapping[str, Any]) -> tuple[tuple[str, str, str], ...]:
    """Field, what is stored, and what was typed."""
    return tuple(
        (LABELS[name], _words(person.values[name]), _words(value)) for name, value in values.items()
        if value != person.values[name]
    )


def _words(value: str | bool | None) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value or "empty"


async def _person(reader: Reader, competitor_id: UUID) -> Editable:
    person = await get_editable(reader, competitor_id)
    if person is None:
        raise NotFoundException(detail=NOT_FOUND)
    return person


def _page(
    request: AnyRequest, person: Editable, values: Mapping[str, Any], *, seen: str,
    problems: Mapping[str, str] | None = None, differences: Sequence[tuple[str, str, str]] = (),
) -> Template:
    """`problems` by field; '' for the whole."""
    return page(
        request, "roster/edit.html", status_code=422 if problems else 200, person=person, values=values, seen=seen,
        problems=problems or {}, differences=differences, labels=LABELS, flags=FLAGS, divisions=DIVISIONS,
        limits=platform_limits, done=DONE.get(request.query_params.get("done", "")) if not problems else None,
    )


ROUTES = [edit_form, edit]
