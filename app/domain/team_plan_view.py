"""What the planner's address says: which group, what is suggested for it, and what was changed by hand in that."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from app.domain.addresses import Reading, address, as_uuid
from app.domain.leaderboard import DIVISIONS
from app.domain.team_plans import Assignment, Call, Mode, Move, Squad

PATH = "/teams/plan"
NOBODY = "none"
MOST_CHANGES = 100
LARGEST_TEAM = 50

Changes = tuple[tuple[UUID, UUID | None], ...]


@dataclass(frozen=True, slots=True)
class View:
    organization_id: UUID | None = None
    group: str = ""
    mode: Mode = Mode.NOW
    size: int | None = None
    changes: Changes = ()

    def url(self, path: str = PATH, **changes: Any) -> str:
        view = replace(self, **changes)
        return address(path, {
            "organization": view.organization_id, "group": view.group,
            "mode": "" if view.mode is Mode.NOW else view.mode.value, "size": view.size,
            "changes": ",".join(f"{person.hex}.{team.hex if team else NOBODY}" for person, team in view.changes),
        })


@dataclass(frozen=True, slots=True)
class Parsed:
    view: View
    notices: tuple[str, ...]


def parse(pairs: Iterable[tuple[str, str]]) -> Parsed:
    reading = Reading(pairs)
    mode = reading.choice("mode", tuple(mode.value for mode in Mode))
    view = View(
        reading.uuid("organization"), _group(reading), Mode(mode or Mode.NOW), _size(reading), _changes(reading)
    )
    return Parsed(view, tuple(reading.notices))


def _group(reading: Reading) -> str:
    text = reading.text("group")
    coach, _, division = text.partition(".")
    if text and (as_uuid(coach) is None or division not in DIVISIONS):
        reading.refuse("group", "is not known; the first one is shown")
        return ""
    return text.lower()


def _size(reading: Reading) -> int | None:
    text = reading.text("size")
    if not text:
        return None
    if text.isascii() and text.isdigit() and len(text) < 4 and 1 <= int(text) <= LARGEST_TEAM:
        return int(text)
    reading.refuse("size", f"is a number from 1 to {LARGEST_TEAM}; everybody gets a place instead")
    return None


def _changes(reading: Reading) -> Changes:
    texts = [text for text in reading.text("changes").split(",") if text]
    changes = [_change(text) for text in texts[:MOST_CHANGES]]
    if len(texts) > MOST_CHANGES or None in changes:
        reading.refuse("changes", "holds something that is no change; that is left out")
    return tuple(dict(change for change in changes if change).items())


def _change(text: str) -> tuple[UUID, UUID | None] | None:
    person, _, team = text.partition(".")
    found, wanted = _id(person), _id(team)
    return (found, wanted) if found and (wanted or team == NOBODY) else None


def _id(text: str) -> UUID | None:
    return as_uuid("-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))) if len(text) == 32 else None


@dataclass(frozen=True, slots=True)
class Draft:
    """A view of a squad: the suggestion with what was changed by hand, as far as it is possible."""

    view: View
    squad: Squad
    plan: Assignment

    @property
    def moves(self) -> tuple[Move, ...]:
        return self.squad.moves(self.plan)

    @property
    def calls(self) -> tuple[Call, ...]:
        return self.squad.calls(self.moves)


def draft(view: View, squad: Squad) -> tuple[Draft, tuple[str, ...]]:
    possible = tuple(change for change in view.changes if squad.allows(*change))
    notices = () if possible == view.changes else ("“changes” names somebody or a team that is not here any more.",)
    plan = {**squad.suggested(view.mode, view.size), **dict(possible)}
    return Draft(replace(view, changes=possible), squad, plan), notices


def changed_by_hand(view: View, squad: Squad, wanted: Assignment) -> Changes:
    """Where what is wanted differs from what the view suggests by itself."""
    suggested = squad.suggested(view.mode, view.size)
    return tuple((person, team) for person, team in wanted.items() if suggested[person] != team)
