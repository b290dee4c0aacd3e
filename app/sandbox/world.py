"""The platform's state. Every change is an entry: kept in the journal, then applied, now and at the next start."""

import itertools
from typing import Any

from app.sandbox import league
from app.sandbox.catalogue import flash_ctf_challenges
from app.sandbox.history import recall
from app.sandbox.journal import Entry, Journal
from app.sandbox.league import LEAGUE_SIZE
from app.sandbox.people import EventKey, Past, Team, User
from app.sandbox.practice import HABITS, FlashCtf, Habit, monthly_flash_ctfs, practise

EFFECTS = ("user_created", "team_created", "team_deleted", "user_assigned", "user_unassigned", "password_mail_sent")
FIRST_USER_NUMBER = 5401
FIRST_TEAM_NUMBER = 71


class World:
    """Everything that exists, and the one way to change it: `record`."""

    def __init__(
        self, journal: Journal, *, seed: int, has_league: bool, now: float, competitors: int = LEAGUE_SIZE
    ) -> None:
        self.journal = journal
        self.seed = seed
        self.competitors = competitors
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
        self.emails: set[str] = set()
        self.first_statuses: dict[str, str] = {}
        self.teams: dict[str, Team] = {}
        self.assignments: dict[str, str] = {}
        self.flash_ctfs: dict[EventKey, FlashCtf] = {}
        self.offers_password_help = False
        self.effects: list[Entry] = []
        self._numbers = itertools.count(FIRST_USER_NUMBER)
        self._team_numbers = itertools.count(FIRST_TEAM_NUMBER)

    def start(self, *, has_league: bool, now: float) -> None:
        """A new world in an empty journal, with the accounts that people had before."""
        self.record("world_started", now, seed=self.seed, has_league=has_league, competitors=self.competitors)
        for player in league.players(self.seed, self.competitors) if has_league else ():
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
        self.competitors = entry.get("competitors", LEAGUE_SIZE)
        self._contests_before = monthly_flash_ctfs(self.started_at) if self.has_league else []
        self.flash_ctfs = {contest.key: contest for contest in self._contests_before}

    def _user_created(self, entry: Entry) -> None:
        user = User(
            entry["syned_user_id"], next(self._numbers), entry["email"], entry["role"], entry["status"],
            entry["approved_at"], self._recall,
        )
        self.users[user.syned_user_id] = user
        self.emails.add(user.email.lower())
        if self.has_league and user.role == "user" and not entry.get("is_blank"):
            user.player = self.player_at(user.email)
            user.habit = HABITS[user.player.habit if user.player else "new"]

    def _recall(self, user: User) -> Past:
        return recall(user, self.key_of(user), self._contests_before, self.started_at)

    def player_at(self, email: str) -> league.Player | None:
        return league.players_by_email(self.seed, self.competitors).get(email.lower())

    def key_of(self, user: User) -> str:
        return f"{self.seed}/{user.email.lower()}"

    def _user_decided(self, entry: Entry) -> None:
        user = self.users[entry["syned_user_id"]]
        user.status, user.approved_at = entry["status"], None

    def _user_deleted(self, entry: Entry) -> None:
        user = self.users.pop(entry["syned_user_id"])
        self.emails.discard(user.email.lower())
        self.assignments.pop(user.syned_user_id, None)

    def _first_statuses_set(self, entry: Entry) -> None:
        self.first_statuses = entry["statuses"]

    def _user_solved(self, entry: Entry) -> None:
        user, solve = self.users[entry["syned_user_id"]], entry["solve"]
        key = entry.get("flash_ctf")
        solves = user.flash_ctfs.setdefault((key[0], key[1]), {}) if key else user.solves
        solves[solve["challenge_solve_id"]] = solve
        user.look_in(solve["timestamp_unix"])

    def _solve_removed(self, entry: Entry) -> None:
        key = entry.get("flash_ctf")
        user = self.users[entry["syned_user_id"]]
        del user.solves_of((key[0], key[1]) if key else None)[entry["challenge_solve_id"]]
        if not key:
            user.past.removed.add(entry["challenge_solve_id"])

    def _user_looked_in(self, entry: Entry) -> None:
        self.users[entry["syned_user_id"]].look_in(int(entry["at"]))

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

    def _password_help_switched(self, entry: Entry) -> None:
        self.offers_password_help = entry["is_offered"]

    def _password_mail_sent(self, entry: Entry) -> None:
        """The mail is gone; nothing of ours remembers it but the effects."""

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
        """What a new account is told: as scripted, else coaches are approved at once, and so is nearly everybody."""
        player = self.player_at(email) if self.has_league and role == "user" else None
        return self.first_statuses.get(role) or (player.approval if player else "approved")

    def active(self, now: float) -> list[tuple[User, Habit]]:
        """Who has habits and may play."""
        return [
            (user, user.habit) for user in self.users.values() if user.habit and user.status_at(now) == "approved"
        ]
