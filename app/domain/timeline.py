"""What the timeline's address says, and how what happened is told: many small things of a day as one line."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from app.domain import scopes
from app.domain.addresses import Reading
from app.domain.paging import Cursor
from app.domain.scopes import Scope

PATH = "/timeline"
ORDER = "timeline"


class Kind(StrEnum):
    SOLVES = "solves"
    FLASH_CTFS = "flash_ctfs"
    TEAMS = "teams"
    ROSTER = "roster"
    PLATFORM = "platform"
    SETTINGS = "settings"


LABELS = {
    Kind.SOLVES: "Solves", Kind.FLASH_CTFS: "Flash CTFs", Kind.TEAMS: "Teams", Kind.ROSTER: "Roster",
    Kind.PLATFORM: "Game Platform", Kind.SETTINGS: "Settings",
}
MARKS = {
    Kind.SOLVES: 3, Kind.FLASH_CTFS: 6, Kind.TEAMS: 1, Kind.ROSTER: 5, Kind.PLATFORM: 2, Kind.SETTINGS: 10,
}

SOLVED, PLAYED, JOINED = "solved", "played", "joined"

PHRASES = {
    JOINED: "joined the roster",
    "team_created": "was created", "team_renamed": "was renamed", "team_edited": "was edited",
    "team_archived": "was archived", "team_restored": "was brought back", "team_closed": "is being deleted",
    "team_deleted": "was deleted", "team_reopened": "stays, because the platform keeps it",
    "team_assistant_added": "has one more assistant coach", "team_assistant_removed": "has one assistant coach less",
    "team_pushed": "is on the Game Platform", "team_adopted": "was found on the Game Platform",
    "membership_pushed": "is on the team on the Game Platform too",
    "membership_waiting": "waits to come onto the team on the Game Platform",
    "membership_parked": "could not be put onto the team on the Game Platform",
    "member_added": "came onto the team", "member_removed": "left the team",
    "competitor_edited": "was edited", "competitor_archived": "was archived", "competitor_restored": "was brought back",
    "competitor_handed_over": "has another coach", "competitor_onboarded": "was added to the Game Platform",
    "competitor_held_back": "could not be added to the Game Platform",
    "competitors_merged": "is one with another record now", "competitors_merge_undone": "is two records again",
    "season_turned": "A season was closed", "season_undone": "The end of a season was taken back",
    "roster_imported": "A roster was imported", "roster_handed_over": "A roster was handed over",
    "drift_pushed": "A difference from the platform was settled: ours was sent",
    "drift_accepted": "A difference from the platform was settled: theirs was taken",
    "drift_ignored": "A difference from the platform is left as it is for now",
    "alert_taken": "An alert was taken", "alert_given_back": "An alert was given back",
    "alert_snoozed": "An alert was put aside", "alert_woken": "An alert was brought back",
    "outbox_retried": "A change is sent to the platform again",
    "outbox_discarded": "A change is not sent to the platform",
    "calendar_break_added": "A break was put into the calendar",
    "calendar_break_removed": "A break was taken out of the calendar",
    "practice_window_set": "The length of a Flash CTF was set",
}

OF_SEVERAL = {
    "competitor_onboarded": "were added to the Game Platform",
    "membership_pushed": "are on their teams on the Game Platform too",
}
IMPORT_WORDS = {"updated": "updated", "unchanged": "unchanged", "teams_created": "new teams"}


@dataclass(frozen=True, slots=True)
class View:
    """`kind` '' means all; `is_full` leaves nothing but the timeline on the screen."""

    scope: Scope
    kind: str = ""
    person_id: UUID | None = None
    is_full: bool = False
    cursor: Cursor | None = None

    @property
    def others(self) -> dict[str, object]:
        return {"kind": self.kind, "person": self.person_id, "full": "yes" if self.is_full else ""}

    def url(self, **changes: Any) -> str:
        """The address of this view with other values; a page further on only where `cursor` is given."""
        view = replace(self, **{"cursor": None, **changes})
        return view.scope.url(PATH, {**view.others, "cursor": view.cursor.encode() if view.cursor else ""})

    @property
    def file_url(self) -> str:
        return self.scope.url(PATH, {"kind": self.kind, "person": self.person_id, "format": "csv"})

    @property
    def clear_url(self) -> str:
        scope = replace(self.scope, coach_id=None, team_id=None, division="")
        return self.url(scope=scope, kind="", person_id=None)


@dataclass(frozen=True, slots=True)
class Parsed:
    view: View
    notices: tuple[str, ...]
    is_export: bool = False
    seen: str = ""


def parse(pairs: Iterable[tuple[str, str]]) -> Parsed:
    """Unknown parameters say nothing; bad values of known ones become the default, and a notice names them."""
    pairs = list(pairs)
    scope, reading = scopes.parse(pairs), Reading(pairs)
    view = View(
        scope.scope, kind=reading.choice("kind", tuple(Kind)), person_id=reading.uuid("person"),
        is_full=reading.choice("full", ("yes",)) != "", cursor=reading.cursor(ORDER),
    )
    is_export = reading.choice("format", ("csv",)) != ""
    return Parsed(view, (*scope.notices, *reading.notices), is_export, reading.text("seen"))


@dataclass(frozen=True, slots=True)
class Person:
    competitor_id: UUID
    name: str
    handle: str


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened. `day` is the organization's; `details` are what the kind keeps; `brought`: whom a
    file brought."""

    at: datetime
    day: date
    kind: Kind
    what: str
    person: Person | None
    team_id: UUID | None
    team: str
    actor: str
    details: dict[str, Any]
    brought: tuple[Person, ...] = ()

    @property
    def points(self) -> int:
        return int(self.details.get("points") or 0)


@dataclass(frozen=True, slots=True)
class Line:
    """Events that are told together: a person's solves of a day, a day's newcomers here and at the platform, who played
    an event."""

    events: tuple[Event, ...]

    @property
    def first(self) -> Event:
        return self.events[0]

    @property
    def people(self) -> tuple[Person, ...]:
        """Without repetition, in the order in which they come."""
        return tuple(dict.fromkeys(event.person for event in self.events if event.person))

    @property
    def phrase(self) -> str:
        return phrase(self.events)

    @property
    def more(self) -> str:
        return more(self.events)


def gathered(events: Iterable[Event]) -> tuple[Line, ...]:
    """Each line stands where its newest event does."""
    lines: dict[object, list[Event]] = {}
    for number, event in enumerate(events):
        lines.setdefault(_belongs_to(event) or number, []).append(event)
    return tuple(Line(tuple(of_one)) for of_one in lines.values())


def _belongs_to(event: Event) -> tuple[object, ...] | None:
    match event.what:
        case "solved":
            return event.what, event.day, event.person
        case "joined" | "competitor_onboarded" | "membership_pushed":
            return event.what, event.day
        case "played":
            return event.what, event.details.get("event_id")
    return None


def by_days(lines: Sequence[Line]) -> dict[date, list[Line]]:
    days: dict[date, list[Line]] = {}
    for line in lines:
        days.setdefault(line.first.day, []).append(line)
    return days


def phrase(events: Sequence[Event]) -> str:
    """What whoever it is about did, or what was done."""
    first, points = events[0], sum(event.points for event in events)
    match first.what:
        case "solved" if len(events) == 1:
            return f"solved {first.details.get('title') or 'a challenge'} ({points} points)"
        case "solved":
            return f"solved {len(events)} challenges ({points} points)"
        case "played":
            return f"played {first.details.get('event') or 'a Flash CTF'} ({points} points)"
        case "roster_imported" if created := first.details.get("created"):
            return f"Imported {created} competitor{'' if created == 1 else 's'} from a file"
    told = OF_SEVERAL if len({event.person for event in events}) > 1 else PHRASES
    return told.get(first.what) or PHRASES.get(first.what) or first.what.replace("_", " ")


def more(events: Sequence[Event]) -> str:
    """What else is worth a look, in a few words."""
    details = events[0].details
    match events[0].what:
        case "solved":
            counts = Counter(str(event.details.get("category") or "Other") for event in events)
            return ", ".join(f"{name} {count}" if len(events) > 1 else name for name, count in counts.most_common())
        case "played" if len(events) == 1 and details.get("rank"):
            return f"rank {details['rank']}"
        case "roster_imported":
            return ", ".join(f"{words} {details[name]}" for name, words in IMPORT_WORDS.items() if details.get(name))
        case "roster_handed_over":
            return ", ".join(f"{name.replace('_', ' ')} {count}" for name, count in details.items() if count)
        case "competitor_edited":
            return ", ".join(str(field).replace("_", " ") for field in details.get("fields", ()))
        case "calendar_break_added" | "calendar_break_removed":
            return f"{details.get('name')}, {details.get('first_day')} to {details.get('last_day')}"
        case "practice_window_set":
            return str(details.get("event") or "")
        case "season_turned" | "season_undone":
            return str(details.get("ended_year") or "")
        case "team_deleted":
            return str(details.get("name") or "")
    return ""


@dataclass(frozen=True, slots=True)
class Day:
    day: date
    counts: dict[Kind, int]


def finding(days: Sequence[Day], window: str) -> str:
    """The busiest day of the window."""
    totals = {day.day: sum(day.counts.values()) for day in days}
    if not any(totals.values()):
        return f"Nothing happened: {window}."
    best = max(totals, key=lambda day: (totals[day], day))
    whole = sum(totals.values())
    counted = f"{whole:,} event{'' if whole == 1 else 's'}: {window}."
    return f"{counted} Most on {best:%A}, {best.day} {best:%b}: {totals[best]:,}."
