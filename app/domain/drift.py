"""Where the Game Platform and our tables disagree, from what both say; and what can be done about which difference.

The platform owns accounts, status, usernames and totals; we own who is on which team. Where it cannot be told
something, pushing is refused in words, and where our tables must not be changed on its word, accepting is.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

THERE = "there"
AGREES = "agrees again"
PUSHED = "pushed ours"
ACCEPTED = "accepted theirs"
MOST_REMOVALS = 20
REMOVALS_SHARE = 0.2


class Subject(StrEnum):
    """`stranger`: a person whom only the platform has. `listing`: the platform's whole answer."""

    COMPETITOR = "competitor"
    TEAM = "team"
    STRANGER = "stranger"
    LISTING = "listing"


class Field(StrEnum):
    TEAM = "team"
    ACCOUNT = "account"
    STATUS = "status"
    USERNAME = "username"
    CHALLENGES = "challenges"
    POINTS = "points"
    NAME = "name"
    DIVISION = "division"
    AFFILIATION = "affiliation"
    EXISTENCE = "existence"
    MEMBERS = "members"


ACCOUNT_FIELDS = (Field.ACCOUNT, Field.STATUS, Field.USERNAME)
TEAM_FIELDS = (Field.NAME, Field.DIVISION, Field.AFFILIATION)
TOTALS_FIELDS = (Field.CHALLENGES, Field.POINTS)

Key = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Difference:
    """`ours` and `theirs` are None for "nothing there"."""

    subject: str
    subject_id: str
    field: str
    ours: str | None
    theirs: str | None
    competitor_id: UUID | None = None
    organization_id: UUID | None = None

    @property
    def key(self) -> Key:
        return self.subject, self.subject_id, self.field


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A competitor as our tables have them; `team` is the platform's id of their team.

    `has_account`: we have their id at the platform. `is_expected`: it would take them onto a team. `is_kept`: they are
    on an archived team, of which nothing is sent. `agreed_team` stands only where `was_agreed`.
    """

    competitor_id: UUID
    organization_id: UUID
    syned_user_id: str
    team: str | None
    has_account: bool = True
    is_expected: bool = True
    is_kept: bool = False
    was_agreed: bool = False
    agreed_team: str | None = None
    status: str | None = None
    username: str | None = None

    def key(self, field: str) -> Key:
        return Subject.COMPETITOR, str(self.competitor_id), field

    def differs(self, field: str, ours: str | None, theirs: str | None) -> Difference:
        return Difference(*self.key(field), ours, theirs, self.competitor_id, self.organization_id)


@dataclass(frozen=True, slots=True)
class Unresolved:
    """A row that is known already. `is_over`: it was ignored until a day that has come."""

    id: UUID
    ours: str | None
    theirs: str | None
    is_ignored: bool = False
    is_over: bool = False


class Comparison:
    """The differences of one look, and every subject and field that was looked at."""

    def __init__(self) -> None:
        self.differences: dict[Key, Difference] = {}
        self.compared: set[Key] = set()

    def put(self, difference: Difference) -> None:
        self.compared.add(difference.key)
        if difference.ours != difference.theirs:
            self.differences[difference.key] = difference

    def leave_out(self, keys: Iterable[Key]) -> None:
        """As if these had not been looked at."""
        for key in keys:
            self.compared.discard(key)
            self.differences.pop(key, None)

    def news(self, known: Mapping[Key, Unresolved]) -> list[Difference]:
        """What is not known yet, is another difference than the one that is known, or was ignored until now."""
        return [difference for key, difference in self.differences.items() if _is_news(difference, known.get(key))]

    def open_count(self, known: Mapping[Key, Unresolved]) -> int:
        """The differences that nobody ignores."""
        return sum(
            _is_news(difference, known.get(key)) or not known[key].is_ignored
            for key, difference in self.differences.items()
        )

    def settled(self, known: Mapping[Key, Unresolved]) -> list[UUID]:
        """What was looked at and agrees again."""
        return [row.id for key, row in known.items() if key in self.compared and key not in self.differences]


def _is_news(difference: Difference, row: Unresolved | None) -> bool:
    return row is None or row.is_over or (row.ours, row.theirs) != (difference.ours, difference.theirs)


def compare_teams(comparison: Comparison, members: Iterable[Member], shown: Mapping[str, str | None]) -> list[Member]:
    """Who is on which team, and who has an account that we have not heard of. Those whose team agrees.

    Whoever the platform does not show is on no team there; of those without an account that says nothing.
    """
    agreed = []
    for member in members:
        theirs, is_shown = shown.get(member.syned_user_id), member.syned_user_id in shown
        is_comparable = member.has_account and not member.is_kept and (is_shown or member.is_expected)
        comparison.put(member.differs(Field.TEAM, *((member.team, theirs) if is_comparable else (None, None))))
        if not member.has_account:
            comparison.put(member.differs(Field.ACCOUNT, None, THERE if is_shown else None))
        elif is_comparable and member.team == theirs:
            agreed.append(member)
    return agreed


def compare_account(comparison: Comparison, member: Member, seen: tuple[str, str] | None) -> None:
    """An account as the platform shows it, status and username; None where it has none of this id."""
    status, username = seen or (None, None)
    comparison.put(member.differs(Field.ACCOUNT, THERE, THERE if seen else None))
    comparison.put(member.differs(Field.STATUS, member.status if seen else None, status))
    comparison.put(member.differs(Field.USERNAME, member.username if seen else None, member.username and username))


def vanished(members: Iterable[Member], shown: Collection[str]) -> Iterator[Member]:
    """Who was on their team there when both sides agreed, and is on none now."""
    for member in members:
        was_there = member.was_agreed and member.agreed_team is not None and member.agreed_team == member.team
        if was_there and member.syned_user_id not in shown:
            yield member


def is_too_much(gone: int, of: int) -> bool:
    """So many at once are more likely a mistake in the answer than so many changes."""
    return gone > MOST_REMOVALS and gone > of * REMOVALS_SHARE


NOTHING_TO_TELL = {
    Field.STATUS: "The Game Platform decides about its accounts. Ask the platform, or accept its status.",
    Field.USERNAME: "The Game Platform gives the usernames. Accept its username.",
    Field.CHALLENGES: "The Game Platform counts the solves. Accept its total, or ask the platform about it.",
    Field.POINTS: "The Game Platform counts the points. Accept its total, or ask the platform about it.",
    Field.NAME: "The Game Platform cannot rename a team. Accept its name, or ignore the difference.",
    Field.DIVISION: "The Game Platform cannot change a team's division. Accept its division, or ignore the difference.",
    Field.AFFILIATION:
        "The Game Platform cannot change a team's affiliation. Accept its affiliation, or ignore the difference.",
    Field.MEMBERS: "There is nothing to send. Ask the platform why its list is short, or accept its list.",
}
STRANGER = (
    "This person is known to the Game Platform only and is left alone there. Add them to a roster with this id as"
    " their game_platform_id, or ignore the difference."
)
UNHEARD_OF = "The Game Platform has this account already. Accept theirs, and the account is taken over."
NOT_OURS_TO_MAKE = (
    "The account of this id was not made by us and cannot be made again. Accept theirs, then add the competitor anew."
)
NOT_A_TEAM_OF_OURS = (
    "The team that the Game Platform names is not one of yours. Push ours, or ask an admin whose team it is."
)
TEAM_IS_GONE = "The team was deleted here and cannot come back. Push ours to ask the platform again, or ignore it."


def why_not_push(subject: str, field: str, ours: str | None) -> str | None:
    """Why ours cannot be sent; None where it can."""
    if subject == Subject.STRANGER:
        return STRANGER
    if field == Field.ACCOUNT and ours is None:
        return UNHEARD_OF
    return NOTHING_TO_TELL.get(Field(field))


def why_not_accept(subject: str, field: str) -> str | None:
    """Why theirs cannot be taken over; None where it can, as far as the row itself tells."""
    if subject == Subject.STRANGER:
        return STRANGER
    return TEAM_IS_GONE if field == Field.EXISTENCE else None
