"""The platform's state. Every change is an entry: kept in the journal, then applied, now and at the next start."""

import itertools
from dataclasses import dataclass, field
from typing import Any

from app.sandbox import league
from app.sandbox.catalogue import flash_ctf_challenges
from app.sandbox.journal import Entry, Journal
from app.sandbox.league import Player
from app.sandbox.practice import HABITS, FlashCtf, Habit, compete, monthly_flash_ctfs, practise, progress_at

Solve = dict[str, Any]
EventKey = tuple[str, int]

EFFECTS = ("user_created", "team_created", "team_deleted", "user_assigned", "user_unassigned")
FIRST_USER_NUMBER = 5401
FIRST_TEAM_NUMBER = 71
SOLVE_IDS_PER_USER = 100_000
FIRST_FLASH_SOLVE_ID = 1801


@dataclass
class User:
    """An account. `status` holds until `approved_at`, when there is one."""

    syned_user_id: str
    number: int
    email: str
    role: str
    status: str
    approved_at: float | None
    player: Player | None = None
    habit: Habit | None = None
    last_accessed: int = 0
    solves: dict[int, Solve] = field(default_factory=dict)
    flash_ctfs: dict[EventKey, dict[int, Solve]] = field(default_factory=dict)

    @property
    def username(self) -> str:
        """As the platform assigns them: two letters and five digits."""
        scattered = self.number * 7919
        return f"{chr(97 + scattered % 26)}{chr(97 + scattered // 26 % 26)}{10_000 + self.number * 37 % 90_000}"

    def status_at(self, now: float) -> str:
        return "approved" if self.approved_at is not None and now >= self.approved_at else self.status

    def solved_challenges(self) -> set[int]:
        return {solve["challenge_id"] for solve in self.solves.values()}

    def next_solve_id(self) -> int:
        return max(self.solves, default=self.number * SOLVE_IDS_PER_USER) + 1


@dataclass(frozen=True)
class Team:
    syned_team_id: str
    number: int
    coach_number: int
    name: str
    affiliation: str
    division: str


class World:
    """Everything that exists, and the one way to change it: `record`."""

    def __init__(self, journal: Journal, *, seed: int, has_league: bool, now: float) -> None:
        self.journal = journal
        self.seed = seed
        self._begin()
        entries = journal.read()
        for entry in entries:
            self._apply(entry)
        if not entries:
            self.start(has_league=has_league, now=now)

    def _begin(self) -> None:
        self.started_at: float = 0
        self.last_at: float = 0
        self.steps = 0
        self.has_league = False
        self.users: dict[str, User] = {}
        self.teams: dict[str, Team] = {}
        self.assignments: dict[str, str] = {}
        self.flash_ctfs: dict[EventKey, FlashCtf] = {}
        self.effects: list[Entry] = []
        self._numbers = itertools.count(FIRST_USER_NUMBER)
        self._team_numbers = itertools.count(FIRST_TEAM_NUMBER)

    def start(self, *, has_league: bool, now: float) -> None:
        """A new world in an empty journal, with the accounts that people had before."""
        self.record("world_started", now, seed=self.seed, has_league=has_league)
        for player in league.players(self.seed) if has_league else ():
            if player.platform_id:
                self.record(
                    "user_created", now, scripted=True, syned_user_id=player.platform_id, email=player.email,
                    role="user", status="approved", approved_at=None,
                )

    def reset(self, *, has_league: bool, now: float) -> None:
        self.journal.clear()
        self._begin()
        self.start(has_league=has_league, now=now)

    def record(self, what: str, at: float, **told: Any) -> None:
        entry = {"what": what, "at": at} | told
        self.journal.append(entry)
        self._apply(entry)

    def _apply(self, entry: Entry) -> None:
        self.last_at = max(self.last_at, entry["at"])
        self.steps = max(self.steps, entry.get("step", 0))
        getattr(self, f"_{entry['what']}")(entry)
        if entry["what"] in EFFECTS and not entry.get("scripted"):
            self.effects.append(entry)

    def _world_started(self, entry: Entry) -> None:
        self.seed, self.started_at, self.has_league = entry["seed"], entry["at"], entry["has_league"]
        if self.has_league:
            self.flash_ctfs = {contest.key: contest for contest in monthly_flash_ctfs(self.started_at)}

    def _user_created(self, entry: Entry) -> None:
        user = User(
            entry["syned_user_id"], next(self._numbers), entry["email"], entry["role"], entry["status"],
            entry["approved_at"],
        )
        self.users[user.syned_user_id] = user
        if self.has_league and user.role == "user" and not entry.get("is_blank"):
            user.player = league.player_at(self.seed, user.email)
            user.habit = HABITS[user.player.habit if user.player else "new"]
            self._give_history(user)

    def _give_history(self, user: User) -> None:
        """What a member of the league did before the world started; a stranger did nothing."""
        if user.player is None or user.habit is None:
            return
        began = self.started_at
        for moment in practise(user.habit, self.key_of(user), since=0, until=began, year_ends=began):
            user.last_accessed = moment.at
            if moment.challenge:
                solve_id = user.next_solve_id()
                user.solves[solve_id] = moment.challenge.solve(solve_id, moment.at)
        for contest in self.flash_ctfs.values():
            progress = progress_at(contest.start, year_ends=began)
            if contest.end <= began:
                self._give_contest(user, user.habit, contest, progress)

    def _give_contest(self, user: User, habit: Habit, contest: FlashCtf, progress: float) -> None:
        moments = compete(habit, self.key_of(user), contest, progress)
        if moments is not None:
            user.flash_ctfs[contest.key] = {
                solve_id: moment.challenge.solve(solve_id, moment.at)
                for solve_id, moment in enumerate(moments, FIRST_FLASH_SOLVE_ID)
                if moment.challenge
            }
            user.last_accessed = max([user.last_accessed, *(moment.at for moment in moments)])

    def key_of(self, user: User) -> str:
        return f"{self.seed}/{user.email.lower()}"

    def _user_decided(self, entry: Entry) -> None:
        user = self.users[entry["syned_user_id"]]
        user.status, user.approved_at = entry["status"], None

    def _user_solved(self, entry: Entry) -> None:
        user, solve = self.users[entry["syned_user_id"]], entry["solve"]
        key = entry.get("flash_ctf")
        solves = user.flash_ctfs.setdefault((key[0], key[1]), {}) if key else user.solves
        solves[solve["challenge_solve_id"]] = solve
        user.last_accessed = max(user.last_accessed, solve["timestamp_unix"])

    def _user_looked_in(self, entry: Entry) -> None:
        user = self.users[entry["syned_user_id"]]
        user.last_accessed = max(user.last_accessed, int(entry["at"]))

    def _team_created(self, entry: Entry) -> None:
        team_id = entry["syned_team_id"]
        coach = self.users[entry["syned_coach_user_id"]]
        self.teams[team_id] = Team(
            team_id, next(self._team_numbers), coach.number, entry["team_name"], entry["affiliation"], entry["division"]
        )

    def _team_deleted(self, entry: Entry) -> None:
        del self.teams[entry["syned_team_id"]]

    def _user_assigned(self, entry: Entry) -> None:
        self.assignments[entry["syned_user_id"]] = entry["syned_team_id"]

    def _user_unassigned(self, entry: Entry) -> None:
        del self.assignments[entry["syned_user_id"]]

    def _flash_ctf_opened(self, entry: Entry) -> None:
        challenges = flash_ctf_challenges(entry["edition"]) if "edition" in entry else ()
        contest = FlashCtf(entry["name"], entry["start"], challenges, entry["max_points"])
        self.flash_ctfs[contest.key] = contest

    def catch_up(self, now: float) -> None:
        """Practice goes on while nobody runs the sandbox; at its next start it is as if it had been told in time."""
        since = self.last_at
        for user, habit in self.active(now):
            solved = user.solved_challenges()
            for moment in practise(habit, self.key_of(user), since=since, until=now, year_ends=self.started_at):
                if moment.challenge and moment.challenge.id not in solved:
                    solve = moment.challenge.solve(user.next_solve_id(), moment.at)
                    self.record("user_solved", moment.at, syned_user_id=user.syned_user_id, solve=solve)

    def first_status(self, email: str, role: str) -> str:
        """What a new account is told: coaches are approved at once, and so is nearly everybody else."""
        player = league.player_at(self.seed, email) if self.has_league and role == "user" else None
        return player.approval if player else "approved"

    def active(self, now: float) -> list[tuple[User, Habit]]:
        """Who has habits and may play."""
        return [
            (user, user.habit) for user in self.users.values() if user.habit and user.status_at(now) == "approved"
        ]
