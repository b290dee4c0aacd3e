"""The platform's operations over its world: who may do what, and what they are told.

Where the contract is silent we chose what a careful vendor would do: an id or an e-mail address that is taken is 409,
a change that the state does not allow is 400, and assigning somebody to the team that they are on already is fine.
"""

import time
from collections.abc import Callable
from typing import Any

from app.sandbox.contract import Refused
from app.sandbox.people import EventKey, Solve, Team, User
from app.sandbox.world import World

Body = dict[str, Any]
APPROVAL_SECONDS = 8 * 3600
NO_USER = "User not found or not approved"
NO_COACH = "Coach not found or not approved connection"


class Platform:
    """One method per operation of the contract, by the operation's name, taking its fields."""

    def __init__(self, world: World, *, speed: float = 0, clock: Callable[[], float] = time.time) -> None:
        self.world = world
        self.speed = speed
        self.clock = clock

    def index(self) -> Body:
        return {"message": "SynEd integration API"}

    def get_user(self, syned_user_id: str) -> Body:
        user = self.world.users.get(syned_user_id)
        if user is None:
            raise Refused(404, NO_USER)
        return self._describe_user(user)

    def create_user(
        self, *, syned_user_id: str, email: str, role: str, syned_coach_user_id: str | None = None, **_: object
    ) -> Body:
        """Names are not kept, and a preferred username is ignored: the platform assigns its own."""
        if role == "user":
            self._approved_coach(syned_coach_user_id)
        if syned_user_id in self.world.users:
            raise Refused(409, "User with this syned_user_id already exists")
        if email.lower() in self.world.emails:
            raise Refused(409, "User with this email already exists")
        status = self.world.first_status(email, role)
        self.world.record(
            "user_created", self.clock(), syned_user_id=syned_user_id, email=email, role=role, status=status,
            approved_at=self._approval_time(status),
        )
        return self._describe_user(self.world.users[syned_user_id])

    def send_password_mail(self, syned_user_id: str) -> Body:
        if not self.world.offers_password_help:
            raise Refused(404, "Not Found")
        self._approved_user(syned_user_id)
        self.world.record("password_mail_sent", self.clock(), syned_user_id=syned_user_id)
        return {"message": "Password reset email sent"}

    def create_team(
        self, *, syned_coach_user_id: str, syned_team_id: str, team_name: str, affiliation: str, division: str
    ) -> Body:
        self._approved_coach(syned_coach_user_id)
        if syned_team_id in self.world.teams:
            raise Refused(409, "Team with this syned_team_id already exists")
        self.world.record(
            "team_created", self.clock(), syned_team_id=syned_team_id, syned_coach_user_id=syned_coach_user_id,
            team_name=team_name, affiliation=affiliation, division=division,
        )
        return _describe_team(self.world.teams[syned_team_id])

    def delete_team(self, syned_team_id: str) -> Body:
        self._team(syned_team_id)
        if syned_team_id in self.world.assignments.values():
            raise Refused(400, "Team still has members")
        self.world.record("team_deleted", self.clock(), syned_team_id=syned_team_id)
        return {"message": "Team deleted"}

    def assign_team(self, *, syned_team_id: str, syned_user_id: str) -> Body:
        self._approved_user(syned_user_id)
        self._team(syned_team_id)
        current = self.world.assignments.get(syned_user_id, syned_team_id)
        if current != syned_team_id:
            raise Refused(400, "User is already assigned to a team")
        if syned_user_id not in self.world.assignments:
            self.world.record(
                "user_assigned", self.clock(), syned_team_id=syned_team_id, syned_user_id=syned_user_id
            )
        return {"syned_team_id": syned_team_id, "syned_user_id": syned_user_id}

    def delete_assignment(self, syned_user_id: str) -> Body:
        if syned_user_id not in self.world.assignments:
            raise Refused(404, "Assignment not found")
        team_id = self.world.assignments[syned_user_id]
        self.world.record("user_unassigned", self.clock(), syned_team_id=team_id, syned_user_id=syned_user_id)
        return {"syned_user_id": syned_user_id}

    def team_assignments(self, syned_team_id: str | None = None) -> Body:
        if syned_team_id is not None:
            self._team(syned_team_id)
        assignments = [
            {"syned_team_id": team_id, "syned_user_id": user_id}
            for user_id, team_id in self.world.assignments.items()
            if syned_team_id in (None, team_id)
        ]
        return {"assignments": assignments, "total_count": len(assignments)}

    def odl_scores(self, syned_user_id: str, after_time_unix: int | None = None) -> Body:
        """Totals are of a lifetime; only the list begins after the given time, which is itself left out."""
        user = self._approved_user(syned_user_id)
        solves = list(user.solves.values())
        return {
            "syned_user_id": syned_user_id,
            "metactf_user_id": user.number,
            "total_challenges_solved": len(solves),
            "total_points": _points(solves),
            "last_accessed_unix_timestamp": user.last_accessed,
            "category_points": _points_by_category(solves),
            "challenge_solves": [
                solve for solve in solves if after_time_unix is None or solve["timestamp_unix"] > after_time_unix
            ],
        }

    def flash_ctf_progress(self, syned_user_id: str) -> Body:
        user = self._approved_user(syned_user_id)
        played = sorted(user.flash_ctfs, key=lambda key: key[1])
        return {"syned_user_id": syned_user_id, "flash_ctfs": [self.progress(user, key) for key in played]}

    def progress(self, user: User, key: EventKey) -> Body:
        contest, solves = self.world.flash_ctfs[key], list(user.flash_ctfs[key].values())
        points = _points(solves)
        return {
            "flash_ctf_name": contest.name,
            "flash_ctf_time_start_unix": contest.start,
            "challenges_solved": len(solves),
            "challenge_solves": solves,
            "points_earned": points,
            "max_points_possible": contest.max_points,
            "rank": contest.rank(points),
        }

    def _describe_user(self, user: User) -> Body:
        return {
            "metactf_user_id": user.number,
            "metactf_username": user.username,
            "syned_user_id": user.syned_user_id,
            "metactf_user_status": user.status_at(self.clock()),
            "last_login_unix_timestamp": user.last_accessed or None,
        }

    def _approval_time(self, status: str) -> float | None:
        """Eight hours of the platform's own time; somebody who is denied stays so until told otherwise."""
        waits = status in ("user_created", "pending_approval") and self.speed
        return self.clock() + APPROVAL_SECONDS / self.speed if waits else None

    def _approved_user(self, syned_user_id: str) -> User:
        user = self.world.users.get(syned_user_id)
        if user is None:
            raise Refused(404, NO_USER)
        if user.status_at(self.clock()) != "approved":
            raise Refused(403, NO_USER)
        return user

    def _approved_coach(self, syned_user_id: str | None) -> None:
        coach = self.world.users.get(syned_user_id or "")
        if coach is None or coach.role != "coach" or coach.status_at(self.clock()) != "approved":
            raise Refused(404, NO_COACH)

    def _team(self, syned_team_id: str) -> Team:
        if syned_team_id not in self.world.teams:
            raise Refused(404, "Team not found")
        return self.world.teams[syned_team_id]


def _describe_team(team: Team) -> Body:
    return {
        "metactf_team_id": team.number,
        "metactf_coach_id": str(team.coach_number),
        "syned_team_id": team.syned_team_id,
        "team_name": team.name,
        "division": team.division,
        "affiliation": team.affiliation,
    }


def _points(solves: list[Solve]) -> int:
    return sum(solve["challenge_points"] for solve in solves)


def _points_by_category(solves: list[Solve]) -> dict[str, int]:
    points: dict[str, int] = {}
    for solve in solves:
        label = solve["challenge_category"]
        points[label] = points.get(label, 0) + solve["challenge_points"]
    return points
