"""The switches: what each does, how it stands and why, and setting it for all or for one organization."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from litestar import get, post
from litestar.response import Redirect, Template

from app.controllers.forms import text_fields
from app.domain import flag_words
from app.features import Feature, Flags, is_on_by_default, killed_by, read_flags
from app.queries import flags as queries
from app.queries.flags import Setting
from app.security.policy import admins
from app.services import flags
from app.services.flags import ChangedMeanwhile, Killed, UnknownFlag, UnknownOrganization
from app.web import PRIVATE, AnyRequest, page

PAGE = "/admin/flags"
VALUES = {"on": True, "off": False, "unset": None}
DONE = {"on": "It is switched on.", "off": "It is switched off.", "unset": "The setting is removed."}
NO_CHOICE = "Choose on, off or the default, for all or for an organization of the list."


class BadChoice(Exception):
    def __init__(self) -> None:
        super().__init__(NO_CHOICE)


@dataclass(frozen=True, slots=True)
class Switch:
    """`is_on` counts the vendor's switch too; `is_switched_on` is this one alone. Both where nobody differs."""

    name: str
    title: str
    does: str
    is_on: bool
    is_switched_on: bool
    killed_by: str
    is_on_by_default: bool
    everywhere: Setting | None
    organizations: tuple[Setting, ...]
    others: tuple[tuple[UUID, str], ...]


@get(PAGE, guards=[admins])
async def list_all(request: AnyRequest) -> Template:
    return await _list(request)


@post(PAGE, guards=[admins])
async def choose(request: AnyRequest) -> Template | Redirect:
    form = await text_fields(request, "flag", "organization", "seen", "to")
    try:
        await flags.choose(
            request.user, form["flag"], _value(form["to"]), seen=_value(form["seen"]),
            organization_id=_organization(form["organization"]),
        )
    except ChangedMeanwhile as error:
        return await _list(request, problem=str(error), status_code=409)
    except UnknownFlag:
        return await _list(request, problem="There is no such flag; choose one of the list.", status_code=422)
    except (BadChoice, Killed, UnknownOrganization) as error:
        return await _list(request, problem=str(error), status_code=422)
    return Redirect(f"{PAGE}?done={form['to']}#{form['flag']}", status_code=303, headers=PRIVATE)


def _value(text: str) -> bool | None:
    if text not in VALUES:
        raise BadChoice
    return VALUES[text]


def _organization(text: str) -> UUID | None:
    """None: for all."""
    if text == "all":
        return None
    try:
        return UUID(text)
    except ValueError:
        raise BadChoice from None


async def _list(request: AnyRequest, *, problem: str = "", status_code: int = 200) -> Template:
    settings, organizations = await queries.list_settings(), await queries.list_organizations()
    now = await read_flags()
    switches = [_switch(feature, now, settings, organizations) for feature in Feature]
    return page(
        request, "flags/index.html", status_code=status_code, problem=problem, vendors=_by_vendor(switches),
        done=DONE.get(request.query_params.get("done", ""), ""),
    )


def _by_vendor(switches: Iterable[Switch]) -> list[tuple[Switch, list[Switch]]]:
    """Each vendor's switch with the finer ones that need it."""
    found: dict[str, list[Switch]] = {}
    for switch in switches:
        found.setdefault(Feature(switch.name).vendor, []).append(switch)
    return [(own[0], own[1:]) for own in found.values()]


def _switch(
    feature: Feature, now: Flags, settings: Iterable[Setting], organizations: Iterable[tuple[UUID, str]]
) -> Switch:
    own = [each for each in settings if each.name == feature]
    differing = tuple(each for each in own if each.organization_id)
    taken = {each.organization_id for each in differing}
    return Switch(
        feature, flag_words.title_of(feature), flag_words.does(feature), now.is_on(feature),
        now.is_switched_on(feature), killed_by(feature), is_on_by_default(feature),
        next((each for each in own if each.organization_id is None), None), differing,
        tuple(each for each in organizations if each[0] not in taken),
    )


ROUTES = [list_all, choose]
