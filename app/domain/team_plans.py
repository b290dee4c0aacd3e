"""What if: other teams for one coach's competitors of one division, what the teams would cover, and what the Game
Platform would be told. Nothing here changes anything."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from app.domain.coverage import Cell, Solver, all_categories

NO_ACCOUNT = "no approved account on the Game Platform yet"
NO_CONSENT = "data consent is not recorded"
COACH_WAITS = "the coach's own account there is not approved yet"


class Mode(StrEnum):
    NOW = "now"
    WINNING = "winning"
    GROWTH = "growth"


MODES = {
    Mode.NOW: "As they are now", Mode.WINNING: "To win: rank and cut", Mode.GROWTH: "To grow: captains, then snake",
}


class CallKind(StrEnum):
    CREATE_COACH = "create_coach"
    CREATE_TEAM = "create_team"
    UNASSIGN = "unassign"
    ASSIGN = "assign"


@dataclass(frozen=True, slots=True)
class Group:
    """Who may be on a team together: competitors of one coach in one division."""

    coach_id: UUID
    coach: str
    division: str
    teams: int
    is_coach_known: bool
    is_coach_approved: bool

    @property
    def key(self) -> str:
        return f"{self.coach_id}.{self.division}"


@dataclass(frozen=True, slots=True)
class Team:
    """`platform_id` is what the platform calls it, or will; `is_new` where it does not have the team yet."""

    team_id: UUID
    name: str
    platform_id: str
    is_new: bool


@dataclass(frozen=True, slots=True)
class Person:
    """`strengths` are the categories in which they have solved something at medium or above, `there` is the team that
    the platform has them on as far as we know, and `is_moving` says that a change of theirs is still on its way."""

    competitor_id: UUID
    name: str
    handle: str
    rank: int
    points: int
    team_id: UUID | None
    strengths: frozenset[str] = frozenset()
    there: str | None = None
    is_moving: bool = False
    has_account: bool = True
    may_be_told: bool = True


Assignment = Mapping[UUID, UUID | None]


@dataclass(frozen=True, slots=True)
class Move:
    person: Person
    before: Team | None
    after: Team | None


@dataclass(frozen=True, slots=True)
class Call:
    kind: CallKind
    person: Person | None = None
    team: Team | None = None


@dataclass(frozen=True, slots=True)
class Squad:
    """A group's teams by name and its people by rank."""

    group: Group
    teams: tuple[Team, ...]
    people: tuple[Person, ...]

    @property
    def categories(self) -> tuple[str, ...]:
        return all_categories(category for person in self.people for category in person.strengths)

    def team(self, team_id: UUID | None) -> Team | None:
        return next((team for team in self.teams if team.team_id == team_id), None)

    def allows(self, competitor_id: UUID, team_id: UUID | None) -> bool:
        is_one_of_them = any(person.competitor_id == competitor_id for person in self.people)
        return is_one_of_them and (team_id is None or self.team(team_id) is not None)

    def usual_size(self) -> int:
        """So that everybody has a place."""
        return max(1, -(-len(self.people) // max(1, len(self.teams))))

    def suggested(self, mode: Mode, size: int | None) -> Assignment:
        seats = size or self.usual_size()
        match mode:
            case Mode.NOW:
                return {person.competitor_id: person.team_id for person in self.people}
            case Mode.WINNING:
                return self._winning(seats)
            case Mode.GROWTH:
                return self._growth(seats)

    def _winning(self, seats: int) -> Assignment:
        """The best fill the first team, the next best the second; who is beyond the last seat has no team."""
        places = [team.team_id for team in self.teams for _ in range(seats)]
        return {
            person.competitor_id: places[number] if number < len(places) else None
            for number, person in enumerate(self.people)
        }

    def _growth(self, seats: int) -> Assignment:
        """The best lead a team each. Then the teams choose in turns, there and back: whoever brings most categories
        that the team does not have yet, among equals the best."""
        assignment: dict[UUID, UUID | None] = {person.competitor_id: None for person in self.people}
        covered: dict[UUID, set[str]] = {team.team_id: set() for team in self.teams}
        remaining = list(self.people)
        for turn in range(seats):
            for team in self.teams if turn % 2 == 0 else reversed(self.teams):
                if remaining:
                    chosen = remaining[0] if turn == 0 else _most_needed(remaining, covered[team.team_id])
                    remaining.remove(chosen)
                    assignment[chosen.competitor_id] = team.team_id
                    covered[team.team_id] |= chosen.strengths
        return assignment

    def moves(self, plan: Assignment) -> tuple[Move, ...]:
        """Only who would be elsewhere than now."""
        return tuple(
            Move(person, self.team(person.team_id), self.team(plan[person.competitor_id]))
            for person in self.people if plan[person.competitor_id] != person.team_id
        )

    def members(self, plan: Assignment, team_id: UUID | None) -> tuple[Person, ...]:
        return tuple(person for person in self.people if plan[person.competitor_id] == team_id)

    def coverage(self, plan: Assignment, team_id: UUID) -> tuple[Cell, ...]:
        members = self.members(plan, team_id)
        return tuple(_cell(category, members) for category in self.categories)

    def covered_by(self, count: int, plan: Assignment) -> int:
        """How many categories of teams have exactly that many members who cover them."""
        return sum(cell.members == count for team in self.teams for cell in self.coverage(plan, team.team_id))

    def calls(self, moves: Sequence[Move]) -> tuple[Call, ...]:
        """What the platform would be told, in the order in which one thing needs the other. A team that it does not
        have is brought there also for somebody who has to wait."""
        new = {move.after.team_id: move.after for move in moves if move.after and move.after.is_new}
        calls = [Call(CallKind.CREATE_TEAM, team=team) for team in new.values() if not self._is_coach_waiting]
        if calls and not self.group.is_coach_known:
            calls.insert(0, Call(CallKind.CREATE_COACH))
        return (*calls, *(call for move in moves if not self.obstacle(move) for call in _calls(move)))

    def obstacle(self, move: Move) -> str:
        """Why nothing of it is sent for now; '' where nothing is in the way."""
        if move.after is None:
            return NO_CONSENT if move.person.there and not move.person.may_be_told else ""
        if not move.person.has_account:
            return NO_ACCOUNT
        if not move.person.may_be_told:
            return NO_CONSENT
        return COACH_WAITS if move.after.is_new and self._is_coach_waiting else ""

    @property
    def _is_coach_waiting(self) -> bool:
        return self.group.is_coach_known and not self.group.is_coach_approved


def _most_needed(remaining: Sequence[Person], covered: set[str]) -> Person:
    """`max` answers the first among equals, and the best come first."""
    return max(remaining, key=lambda person: len(person.strengths - covered))


def _cell(category: str, members: Sequence[Person]) -> Cell:
    solvers = [person for person in members if category in person.strengths]
    only = Solver(solvers[0].competitor_id, solvers[0].name, solvers[0].handle) if len(solvers) == 1 else None
    return Cell(category, len(solvers), only)


def _calls(move: Move) -> Iterable[Call]:
    """Off the team that they are on there, then onto the wanted one."""
    person, after = move.person, move.after
    if after is not None and person.there == after.platform_id:
        return
    if person.there is not None:
        yield Call(CallKind.UNASSIGN, person, move.before)
    if after is not None:
        yield Call(CallKind.ASSIGN, person, after)
