"""Who may be one and the same person, why, and what becomes of two records that are merged. Pure."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from typing import Protocol, TypeVar
from uuid import UUID

from app.domain.folding import fold

SAME_MAIL = "same e-mail"
SAME_USER = "linked to the same person"
SAME_NAME = "same name"
SWAPPED = "first and last name swapped"
SHORT_NAME = "same last name, one first name begins with the other"
SHORTEST_BEGINNING = 2

TEXTS = ("first_name", "last_name", "email", "grade", "division", "school_id", "region_id")
FLAGS = ("release_signed", "agreement_signed", "data_consent")
FIELDS = (*TEXTS, *FLAGS)


class Named(Protocol):
    """What people are compared by."""

    @property
    def id(self) -> UUID: ...
    @property
    def first_name(self) -> str: ...
    @property
    def last_name(self) -> str: ...
    @property
    def email(self) -> str | None: ...
    @property
    def division(self) -> str | None: ...
    @property
    def user_id(self) -> UUID | None: ...


P = TypeVar("P", bound=Named)


class Strength(StrEnum):
    CERTAIN = "certain"
    LIKELY = "likely"
    POSSIBLE = "possible"


def reasons(one: Named, other: Named) -> tuple[str, ...]:
    """Why these two may be one; nothing where nothing speaks for it."""
    found = []
    if one.email and other.email and one.email.casefold() == other.email.casefold():
        found.append(SAME_MAIL)
    if one.user_id and one.user_id == other.user_id:
        found.append(SAME_USER)
    alike = _alike(_names(one), _names(other))
    if alike and (alike != SHORT_NAME or one.division == other.division):
        found.append(alike)
    return tuple(found)


def strength(one: Named, other: Named, why: Collection[str]) -> Strength:
    if SAME_MAIL in why or SAME_USER in why:
        return Strength.CERTAIN
    is_same_division = one.division == other.division or not (one.division and other.division)
    return Strength.LIKELY if SAME_NAME in why and is_same_division else Strength.POSSIBLE


def among(new: Iterable[P], known: Iterable[P]) -> list[tuple[P, P, tuple[str, ...]]]:
    """Each new one with the known ones who look like them, found by what both have in common."""
    by_key: dict[str, list[P]] = defaultdict(list)
    for person in known:
        for key in _keys(person):
            by_key[key].append(person)
    found = []
    for person in new:
        near = {other.id: other for key in _keys(person) for other in by_key.get(key, ())}
        found += [(person, other, why) for other in near.values() if (why := reasons(person, other))]
    return found


def _names(person: Named) -> tuple[str, str]:
    return _folded(person.first_name), _folded(person.last_name)


@lru_cache(maxsize=50_000)
def _folded(text: str) -> str:
    return fold(text)


def _alike(one: tuple[str, str], other: tuple[str, str]) -> str:
    if not all((*one, *other)):
        return ""
    if one == other:
        return SAME_NAME
    if one == (other[1], other[0]):
        return SWAPPED
    shorter, longer = sorted((one[0], other[0]), key=len)
    begins = len(shorter) >= SHORTEST_BEGINNING and longer.startswith(shorter)
    return SHORT_NAME if begins and one[1] == other[1] else ""


def _keys(person: Named) -> set[str]:
    first, last = _names(person)
    keys = {f"name {first} {last}", f"name {last} {first}", f"last {last} {first[:SHORTEST_BEGINNING]}"}
    if person.email:
        keys.add(f"mail {person.email.casefold()}")
    if person.user_id:
        keys.add(f"user {person.user_id}")
    return keys


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One of two competitors to be merged. `is_read`: scores of an account are stored with it; `solves` counts them."""

    id: UUID
    organization_id: UUID
    coach_id: UUID | None
    coach: str
    user_id: UUID | None
    handle: str
    first_name: str
    last_name: str
    email: str | None
    grade: str | None
    division: str | None
    school_id: str | None
    region_id: str | None
    release_signed: bool
    agreement_signed: bool
    data_consent: bool
    game_platform_id: str | None
    has_account: bool
    is_read: bool
    solves: int
    team_id: UUID | None
    team: str
    team_coach_id: UUID | None
    team_division: str | None
    team_is_open: bool
    created_at: datetime

    @property
    def name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip()


def differing(kept: Record, gone: Record) -> tuple[str, ...]:
    """The fields of which both say something, and not the same."""
    return tuple(
        name for name in FIELDS
        if getattr(kept, name) != getattr(gone, name)
        and (name in FLAGS or (getattr(kept, name) and getattr(gone, name)))
    )


def merged(kept: Record, gone: Record, taken: Collection[str]) -> dict[str, object]:
    """The kept one's fields afterwards: those of `taken` from the other, and whatever only the other has."""
    return {
        name: getattr(gone if name in taken or getattr(kept, name) in (None, "") else kept, name) for name in FIELDS
    }


def moves_account(kept: Record, gone: Record) -> bool:
    """An account and its scores change hands only to somebody who has none: the platform cannot merge two."""
    if gone.game_platform_id is None or kept.is_read:
        return False
    return kept.game_platform_id is None or (gone.has_account and not kept.has_account)


def moves_team(kept: Record, gone: Record, division: object) -> bool:
    """The other one's place on a team is taken over where the kept one has none and may have it."""
    return (
        kept.team_id is None and gone.team_id is not None and gone.team_is_open
        and (gone.team_coach_id, gone.team_division) == (kept.coach_id, division)
    )


def better_first(one: Record, other: Record) -> tuple[Record, Record]:
    """Which of two to keep where nobody has said: who has an account, more solves, a team."""
    def worth(record: Record) -> tuple[bool, int, bool]:
        return record.has_account, record.solves, record.team_id is not None

    return (one, other) if worth(one) >= worth(other) else (other, one)


def chosen_flags(kept: Record, gone: Record) -> tuple[str, ...]:
    """A paper that either record has was signed by the person."""
    return tuple(name for name in FLAGS if getattr(gone, name) and not getattr(kept, name))


def consequences(kept: Record, gone: Record, taken: Sequence[str] = ()) -> tuple[str, ...]:
    """What a merge does beyond the fields, in words."""
    lines = []
    if moves_account(kept, gone):
        lines.append(f"The account on the Game Platform and its {_solves(gone.solves)} go to the kept record.")
    elif gone.game_platform_id and (kept.has_account or kept.is_read):
        lines.append(
            f"Both have an account on the Game Platform, which cannot merge them. The kept one is followed; the "
            f"{_solves(gone.solves)} of the other stay with the archived record."
        )
    if moves_team(kept, gone, merged(kept, gone, taken)["division"]):
        lines.append(f"The place on the team {gone.team} goes to the kept record.")
    elif gone.team_id and gone.team_id != kept.team_id:
        lines.append(f"The other record leaves the team {gone.team}.")
    lines.append("Events, password mails and the log of who saw the data go to the kept record.")
    lines.append("The other record is archived. The merge can be undone.")
    return tuple(lines)


def _solves(count: int) -> str:
    return "1 solve" if count == 1 else f"{count:,} solves"
