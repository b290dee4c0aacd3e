"""What the address of the competitors' list says. Parsed once, never failing."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from app.domain.addresses import Reading, address, as_uuid
from app.domain.leaderboard import DIVISIONS
from app.domain.paging import Cursor

PATH = "/competitors"
ORDER = "competitors"
NO_TEAM = "none"
ARCHIVED = "archived"
STATUSES = {"pending": "Pending", "profile": "Profile", "compliance": "Compliance", "complete": "Complete"}
# The one thing that is missing, as `competitor_status.missing` says it.
MISSING = {
    "first_name": "first name", "last_name": "last name", "email": "e-mail", "division": "division", "coach": "coach",
    "release": "signed release", "agreement": "signed agreement", "consent": "data consent",
    "account": "account on the Game Platform",
}
TROUBLES = {
    "waiting": "Waiting for approval", "denied": "Denied by the platform", "refused": "Refused by the platform",
    "without_papers": "Playing without papers", "without_consent": "Without consent",
}
AGES = {"7": "Over 7 days", "14": "Over 14 days", "30": "Over 30 days", "90": "Over 90 days"}
BY_STAGE = "stage"
PLAIN: dict[str, Any] = {"status": "", "missing": "", "trouble": "", "age": ""}


@dataclass(frozen=True, slots=True)
class View:
    """One state of the page. `age` is the least number of days in the stage; `run_id` is the onboarding whose report
    stands above the list."""

    search: str = ""
    status: str = ""
    missing: str = ""
    trouble: str = ""
    age: str = ""
    division: str = ""
    organization_id: UUID | None = None
    coach_id: UUID | None = None
    team_id: UUID | None = None
    is_without_team: bool = False
    is_archived: bool = False
    sort: str = ""
    run_id: UUID | None = None
    cursor: Cursor | None = None

    @property
    def order_name(self) -> str:
        """What a cursor belongs to."""
        return f"{ORDER}/{self.sort}" if self.sort else ORDER

    @property
    def is_filtered(self) -> bool:
        return any((
            self.search, self.status, self.missing, self.trouble, self.age, self.division, self.organization_id,
            self.coach_id, self.team,
        ))

    @property
    def team(self) -> str:
        """As the address and the filter have it."""
        return NO_TEAM if self.is_without_team else str(self.team_id or "")

    def url(self, path: str = PATH, **changes: Any) -> str:
        """The address of this view with other values; a page further on only where `cursor` is given."""
        view = replace(self, **{"cursor": None, **changes})
        return address(path, {
            "q": view.search, "status": view.status, "missing": view.missing, "trouble": view.trouble, "age": view.age,
            "organization": view.organization_id, "coach": view.coach_id, "team": view.team, "division": view.division,
            "show": ARCHIVED if view.is_archived else "", "sort": view.sort, "run": view.run_id,
            "cursor": view.cursor.encode() if view.cursor else "",
        })

    @property
    def at_every_stage(self) -> "View":
        return replace(self, **PLAIN)

    def staged(self, **changes: Any) -> str:
        """The address of one stage of the funnel, or of what is missing in it, among the same people."""
        return self.at_every_stage.url(run_id=None, **changes)

    @property
    def clear_url(self) -> str:
        return View(is_archived=self.is_archived, sort=self.sort).url()


@dataclass(frozen=True, slots=True)
class Parsed:
    """`seen`: what a page that asks again shows already."""

    view: View
    notices: tuple[str, ...]
    seen: str
    is_export: bool


def parse(pairs: Iterable[tuple[str, str]]) -> Parsed:
    reading = Reading(pairs)
    team_id, is_without_team = _team(reading)
    view = View(
        search=reading.search(), status=reading.choice("status", STATUSES), missing=reading.choice("missing", MISSING),
        trouble=reading.choice("trouble", TROUBLES), age=reading.choice("age", AGES),
        division=reading.choice("division", DIVISIONS), organization_id=reading.uuid("organization"),
        coach_id=reading.uuid("coach"), team_id=team_id, is_without_team=is_without_team,
        is_archived=reading.choice("show", (ARCHIVED,)) == ARCHIVED, sort=reading.choice("sort", (BY_STAGE,)),
        run_id=reading.uuid("run"),
    )
    view = replace(view, cursor=reading.cursor(view.order_name))
    is_export = reading.choice("format", ("csv",)) == "csv"
    return Parsed(view, tuple(reading.notices), reading.text("seen"), is_export)


def _team(reading: Reading) -> tuple[UUID | None, bool]:
    value = reading.text("team")
    if value == NO_TEAM:
        return None, True
    team_id = as_uuid(value)
    if value and team_id is None:
        reading.refuse("team", "is not known; all teams are shown")
    return team_id, False
