"""What a roster file changes: rows matched to the people, teams and accounts that are known already.

Pure, so that a dry run and a real run decide by the same rules.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from uuid import UUID, uuid4

from app.domain.competitor_status import Progress, competitor_status
from app.domain.roster_file import RosterRow, RowError

FIELDS = (
    "first_name", "last_name", "email", "grade", "division", "release_signed", "agreement_signed", "data_consent",
    "school_id", "region_id", "game_platform_id",
)
HANDLES = ("discord_id", "startgg_gamer_tag", "racetime_id")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A competitor as the roster holds it, or will; fields are named as the columns are."""

    id: UUID
    first_name: str
    last_name: str
    division: str | None
    email: str | None = None
    grade: str | None = None
    release_signed: bool = False
    agreement_signed: bool = False
    data_consent: bool = False
    school_id: str | None = None
    region_id: str | None = None
    game_platform_id: str | None = None
    metactf_user_status: str | None = None
    status: str = "pending"
    user_id: UUID | None = None
    team_id: UUID | None = None
    edited_fields: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamEntry:
    id: UUID
    name: str
    division: str
    affiliation: str
    game_platform_id: str | None = None
    is_closed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """The user behind a competitor. Only a placeholder's handles are ours to fill: a person's own are theirs."""

    id: UUID
    is_placeholder: bool = True
    display_name: str = ""
    discord_id: str | None = None
    startgg_gamer_tag: str | None = None
    racetime_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What stands in the tables before the import. The holders map a platform id to the row that has it."""

    coach_id: UUID
    entries: Sequence[Entry] = ()
    teams: Sequence[TeamEntry] = ()
    people: Sequence[Person] = ()
    account_holders: dict[str, UUID] = field(default_factory=dict)
    team_account_holders: dict[str, UUID] = field(default_factory=dict)


@dataclass(slots=True)
class Plan:
    """`rows` says which row speaks of whom."""

    rows: dict[UUID, int] = field(default_factory=dict)
    created: list[Entry] = field(default_factory=list)
    updated: list[Entry] = field(default_factory=list)
    unchanged: int = 0
    teams_created: dict[UUID, TeamEntry] = field(default_factory=dict)
    teams_updated: dict[UUID, TeamEntry] = field(default_factory=dict)
    people_created: dict[UUID, Person] = field(default_factory=dict)
    people_updated: dict[UUID, Person] = field(default_factory=dict)
    errors: list[RowError] = field(default_factory=list)


class Conflict(Exception):
    """A row that cannot be taken as it stands."""

    def __init__(self, field_name: str, message: str) -> None:
        super().__init__(message)
        self.field = field_name


def plan_import(rows: Sequence[RosterRow], known: Known) -> Plan:
    return _Planner(known).plan(rows)


class _Planner:
    def __init__(self, known: Known) -> None:
        self.known = known
        self.result = Plan()
        self.entries = {entry.id: entry for entry in known.entries}
        self.by_email: dict[str, list[UUID]] = defaultdict(list)
        self.by_name: dict[tuple[str, str, str | None], list[UUID]] = defaultdict(list)
        for entry in known.entries:
            if entry.email:
                self.by_email[entry.email.casefold()].append(entry.id)
            self.by_name[entry.first_name, entry.last_name, entry.division].append(entry.id)
        self.teams = {team.name.casefold(): team for team in known.teams}
        self.people = {person.id: person for person in known.people}
        self.holders: dict[tuple[str, str], set[UUID]] = defaultdict(set)
        for person in known.people:
            self._index(person)

    def plan(self, rows: Sequence[RosterRow]) -> Plan:
        claimed = self._claimed_by_email(rows)
        matched: dict[UUID, int] = {}
        for row in rows:
            try:
                entry_id = self._same_person(row, claimed)
                if entry_id in matched:
                    raise Conflict("last_name", f"Row {matched[entry_id]} is the same person.")
                if entry_id:
                    matched[entry_id] = row.row
                self._take(row, self.entries.get(entry_id) if entry_id else None)
            except Conflict as conflict:
                self.result.errors.append(RowError(row.row, conflict.field, str(conflict)))
        return self.result

    def _claimed_by_email(self, rows: Sequence[RosterRow]) -> set[UUID]:
        """Whom the file names by e-mail: a namesake's row without one means somebody else."""
        return {entry_id for row in rows if row.email for entry_id in self.by_email.get(row.email.casefold(), ())}

    def _same_person(self, row: RosterRow, claimed: set[UUID]) -> UUID | None:
        candidates = self.by_email.get(row.email.casefold(), []) if row.email else []
        if not candidates:
            namesakes = self.by_name.get((row.first_name, row.last_name, row.division), [])
            candidates = [entry_id for entry_id in namesakes if entry_id not in claimed]
        if len(candidates) > 1:
            raise Conflict(
                "email" if row.email else "last_name",
                "Two competitors on the roster could be this person. Give each their own e-mail.",
            )
        return candidates[0] if candidates else None

    def _take(self, row: RosterRow, before: Entry | None) -> None:
        account = self._account(row, before)
        team = self._team(row, before)
        person = self._person(row, before)
        after = self._merged(row, before)
        locked = after.edited_fields
        if account and "game_platform_id" not in locked:
            after = replace(after, game_platform_id=account)
        if team and not locked & {"team", "team_id"}:
            after = replace(after, team_id=team.id)
        if person and "user_id" not in locked:
            after = replace(after, user_id=person.id)
        after = replace(after, status=self._status(after))
        self.result.rows[after.id] = row.row
        if before is None:
            self.result.created.append(after)
        elif after != before or self._is_changed(person):
            self.result.updated.append(after)
        else:
            self.result.unchanged += 1

    def _is_changed(self, person: Person | None) -> bool:
        return person is not None and person.id in self.result.people_updated

    def _merged(self, row: RosterRow, before: Entry | None) -> Entry:
        """Empty cells and fields that somebody edited by hand stay as they are."""
        given = {name: getattr(row, name) for name in FIELDS if name != "game_platform_id"}
        if before is None:
            filled = {name: value for name, value in given.items() if value is not None}
            return Entry(id=uuid4(), **filled)
        changes = {
            name: value for name, value in given.items() if value is not None and name not in before.edited_fields
        }
        return replace(before, **changes)

    def _status(self, entry: Entry) -> str:
        return competitor_status(
            Progress(
                first_name=entry.first_name, last_name=entry.last_name, email=entry.email, division=entry.division,
                coach_id=self.known.coach_id, release_signed=entry.release_signed,
                agreement_signed=entry.agreement_signed, data_consent=entry.data_consent,
                game_platform_id=entry.game_platform_id, metactf_user_status=entry.metactf_user_status,
            )
        )

    def _account(self, row: RosterRow, before: Entry | None) -> str | None:
        wanted = row.game_platform_id
        if wanted is None:
            return None
        holder = self.known.account_holders.get(wanted)
        if holder is not None and (before is None or holder != before.id):
            raise Conflict("game_platform_id", "Another competitor has this account.")
        if before and before.game_platform_id not in (None, wanted) and before.metactf_user_status:
            raise Conflict("game_platform_id", "This competitor has a different account on the Game Platform already.")
        return wanted

    def _team(self, row: RosterRow, before: Entry | None) -> TeamEntry | None:
        if row.team is None:
            return None
        team = self.teams.get(row.team.casefold())
        if team is None:
            team = self._new_team(row, row.team)
        if team.is_closed:
            raise Conflict("team", f"The team {team.name} is being deleted. Import again when it is gone.")
        self._require_fitting(row, team, before)
        return self._with_account(row, team)

    def _new_team(self, row: RosterRow, name: str) -> TeamEntry:
        if row.affiliation is None:
            raise Conflict("affiliation", f"The team {name} is new and needs an affiliation.")
        team = TeamEntry(id=uuid4(), name=name, division=row.division, affiliation=row.affiliation)
        self.teams[name.casefold()] = self.result.teams_created[team.id] = team
        return team

    def _require_fitting(self, row: RosterRow, team: TeamEntry, before: Entry | None) -> None:
        division = row.division
        if before and "division" in before.edited_fields:
            division = before.division or row.division
        if division != team.division:
            raise Conflict("division", f"The team {team.name} plays in the division {team.division}.")
        if team.id in self.result.teams_created and row.affiliation not in (None, team.affiliation):
            raise Conflict("affiliation", f"An earlier row gives the team {team.name} another affiliation.")

    def _with_account(self, row: RosterRow, team: TeamEntry) -> TeamEntry:
        wanted = row.team_game_platform_id
        if wanted is None or wanted == team.game_platform_id:
            return team
        if team.game_platform_id is not None:
            raise Conflict("team_game_platform_id", f"The team {team.name} has a different platform id already.")
        if self.known.team_account_holders.setdefault(wanted, team.id) != team.id:
            raise Conflict("team_game_platform_id", "Another team has this platform id.")
        team = replace(team, game_platform_id=wanted)
        is_new = team.id in self.result.teams_created
        (self.result.teams_created if is_new else self.result.teams_updated)[team.id] = team
        self.teams[team.name.casefold()] = team
        return team

    def _person(self, row: RosterRow, before: Entry | None) -> Person | None:
        handles = {name: getattr(row, name) for name in HANDLES if getattr(row, name) is not None}
        if not handles:
            return None
        current = self.people.get(before.user_id) if before and before.user_id else None
        found = self._holder(handles, current)
        if found is None and current and _agree(current, handles):
            found = current
        if current and not current.is_placeholder and found != current:
            raise Conflict(next(iter(handles)), "This competitor is linked to an account that has other handles.")
        if found is None:
            return self._placeholder(row, handles)
        return self._filled(found, handles)

    def _holder(self, handles: dict[str, str], current: Person | None) -> Person | None:
        found = {
            holder for name, value in handles.items() for holder in self.holders.get((name, value.casefold()), ())
        }
        if current and current.id in found:
            found = {current.id} | {holder for holder in found if self._has_own(holder, handles)}
        if len(found) > 1:
            raise Conflict(next(iter(handles)), "These handles belong to more than one person.")
        return self.people[found.pop()] if found else None

    def _has_own(self, holder: UUID, handles: dict[str, str]) -> bool:
        """Discord and racetime ids are one person's; a gamer tag may be many people's."""
        person = self.people[holder]
        return any(name in handles and getattr(person, name) == handles[name] for name in ("discord_id", "racetime_id"))

    def _filled(self, person: Person, handles: dict[str, str]) -> Person:
        if not _agree(person, handles):
            raise Conflict(next(iter(handles)), "The person with this handle has other handles than the row gives.")
        missing = {name: value for name, value in handles.items() if getattr(person, name) is None}
        if not missing or not person.is_placeholder:
            return person
        person = replace(person, **missing)  # type: ignore[arg-type]
        is_new = person.id in self.result.people_created
        (self.result.people_created if is_new else self.result.people_updated)[person.id] = person
        self._index(person)
        return person

    def _placeholder(self, row: RosterRow, handles: dict[str, str]) -> Person:
        """Known by a handle, or by the first name: the bracket shows this, so the full name stays out of it."""
        name = handles.get("startgg_gamer_tag") or handles.get("racetime_id") or row.first_name
        person = Person(id=uuid4(), display_name=name, **handles)  # type: ignore[arg-type]
        self.result.people_created[person.id] = person
        self._index(person)
        return person

    def _index(self, person: Person) -> None:
        self.people[person.id] = person
        for name in HANDLES:
            if value := getattr(person, name):
                self.holders[name, value.casefold()].add(person.id)


def _agree(person: Person, handles: dict[str, str]) -> bool:
    """Nothing that the row gives contradicts what is known of the person."""
    return all(
        getattr(person, name) is None or getattr(person, name).casefold() == value.casefold()
        for name, value in handles.items()
    )
