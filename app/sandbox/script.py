"""Under /sandbox/: what happens at the platform without the product, by script. None of it counts as an effect."""

from typing import Any, Literal

import msgspec
from litestar import Controller, delete, post
from litestar.di import NamedDependency
from litestar.exceptions import HTTPException, NotFoundException
from litestar.params import FromPath

from app.sandbox.catalogue import LAUNCHED, Challenge, challenge
from app.sandbox.contract import TEAM_CREATE, read_body
from app.sandbox.history import FIRST_FLASH_SOLVE_ID
from app.sandbox.people import EventKey, Solve, User
from app.sandbox.sandbox import Sandbox
from app.sandbox.side_door import Asked, Told, decode, find_user, loopback_only

Status = Literal["user_created", "pending_approval", "approved", "denied"]


class NewUser(msgspec.Struct, forbid_unknown_fields=True):
    """An account without a history and without habits."""

    syned_user_id: str
    email: str | None = None
    role: Literal["user", "coach"] = "user"
    status: Status = "approved"


class Decision(msgspec.Struct, forbid_unknown_fields=True):
    status: Status


class FirstStatuses(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """What new accounts are told from now on; a role that is left out is decided as always."""

    coach: Status | None = None
    user: Status | None = None


class Assignment(msgspec.Struct, forbid_unknown_fields=True):
    """Without a team the user is on none."""

    syned_user_id: str
    syned_team_id: str | None = None


class NewSolve(msgspec.Struct, forbid_unknown_fields=True):
    """Whatever is left out is chosen. With a Flash CTF's name it is one of that contest, which is made if need be.

    An id that the user has already in the same place re-scores that solve: what is left out stays as it was.
    """

    syned_user_id: str
    challenge_solve_id: int | None = None
    challenge_id: int | None = None
    challenge_title: str | None = None
    challenge_points: int | None = None
    challenge_category: str | None = None
    challenge_retired: bool | None = None
    timestamp_unix: int | None = None
    flash_ctf_name: str | None = None
    flash_ctf_time_start_unix: int | None = None
    max_points_possible: int = 1000


class OldSolve(msgspec.Struct, forbid_unknown_fields=True):
    syned_user_id: str
    challenge_solve_id: int
    flash_ctf_name: str | None = None
    flash_ctf_time_start_unix: int | None = None


class Script(Controller):
    path = "/sandbox"
    guards = (loopback_only,)

    @post("/users")
    async def add_users(self, request: Asked, sandbox: NamedDependency[Sandbox]) -> Told | list[Told]:
        """One account or a list of them."""
        new = decode(await request.body(), NewUser | list[NewUser])
        return [_add_user(sandbox, one) for one in new] if isinstance(new, list) else _add_user(sandbox, new)

    @delete("/users/{syned_user_id:str}", status_code=200)
    async def delete_user(self, sandbox: NamedDependency[Sandbox], syned_user_id: FromPath[str]) -> Told:
        find_user(sandbox, syned_user_id)
        sandbox.world.record("user_deleted", sandbox.clock(), syned_user_id=syned_user_id)
        return {"syned_user_id": syned_user_id}

    @post("/users/{syned_user_id:str}/status")
    async def decide(self, request: Asked, sandbox: NamedDependency[Sandbox], syned_user_id: FromPath[str]) -> Told:
        find_user(sandbox, syned_user_id)
        status = decode(await request.body(), Decision).status
        sandbox.world.record("user_decided", sandbox.clock(), syned_user_id=syned_user_id, status=status)
        return sandbox.platform.get_user(syned_user_id)

    @post("/users/{syned_user_id:str}/access")
    async def look_in(self, sandbox: NamedDependency[Sandbox], syned_user_id: FromPath[str]) -> Told:
        """The user looks in now, without solving anything."""
        find_user(sandbox, syned_user_id)
        sandbox.world.record("user_looked_in", sandbox.clock(), syned_user_id=syned_user_id)
        return sandbox.platform.get_user(syned_user_id)

    @post("/first-statuses", status_code=200)
    async def decide_first(self, request: Asked, sandbox: NamedDependency[Sandbox]) -> Told:
        statuses = decode(await request.body(), FirstStatuses)
        told: Told = msgspec.to_builtins(statuses)
        sandbox.world.record("first_statuses_set", sandbox.clock(), statuses=told)
        return told

    @post("/teams")
    async def add_team(self, request: Asked, sandbox: NamedDependency[Sandbox]) -> Told:
        """With the fields of the platform's own call."""
        team = read_body(TEAM_CREATE, await request.body(), "application/json")
        find_user(sandbox, team["syned_coach_user_id"])
        if team["syned_team_id"] in sandbox.world.teams:
            raise HTTPException(f"There is a team {team['syned_team_id']} already.", status_code=409)
        sandbox.world.record("team_created", sandbox.clock(), scripted=True, **team)
        return team

    @delete("/teams/{syned_team_id:str}", status_code=200)
    async def delete_team(self, sandbox: NamedDependency[Sandbox], syned_team_id: FromPath[str]) -> Told:
        """Its members are on no team then."""
        _require_team(sandbox, syned_team_id)
        members = [user for user, team in sandbox.world.assignments.items() if team == syned_team_id]
        for member in members:
            _unassign(sandbox, member)
        sandbox.world.record("team_deleted", sandbox.clock(), scripted=True, syned_team_id=syned_team_id)
        return {"syned_team_id": syned_team_id, "members": members}

    @post("/assignments")
    async def assign(self, request: Asked, sandbox: NamedDependency[Sandbox]) -> Told:
        """Puts somebody on a team, or on none, wherever they were before."""
        wanted = decode(await request.body(), Assignment)
        find_user(sandbox, wanted.syned_user_id)
        if wanted.syned_team_id is not None:
            _require_team(sandbox, wanted.syned_team_id)
        _unassign(sandbox, wanted.syned_user_id)
        told: Told = msgspec.to_builtins(wanted)
        if wanted.syned_team_id is not None:
            sandbox.world.record("user_assigned", sandbox.clock(), scripted=True, **told)
        return told

    @post("/solves")
    async def solve(self, request: Asked, sandbox: NamedDependency[Sandbox]) -> Solve | list[Solve]:
        """One solve or a list of them."""
        new = decode(await request.body(), NewSolve | list[NewSolve])
        return [_add_solve(sandbox, one) for one in new] if isinstance(new, list) else _add_solve(sandbox, new)

    @post("/solves/remove", status_code=200)
    async def remove_solve(self, request: Asked, sandbox: NamedDependency[Sandbox]) -> Solve:
        """The platform takes a solve back; totals follow. What was removed."""
        old = decode(await request.body(), OldSolve)
        key = _contest(sandbox, old.flash_ctf_name, old.flash_ctf_time_start_unix)
        solve = find_user(sandbox, old.syned_user_id).solves_of(key).get(old.challenge_solve_id)
        if solve is None:
            raise NotFoundException(f"{old.syned_user_id} has no solve {old.challenge_solve_id} there.")
        sandbox.world.record(
            "solve_removed", sandbox.clock(), syned_user_id=old.syned_user_id,
            challenge_solve_id=old.challenge_solve_id, **_told(key),
        )
        return solve


def _add_user(sandbox: Sandbox, new: NewUser) -> Told:
    if new.syned_user_id in sandbox.world.users:
        raise HTTPException(f"There is a user {new.syned_user_id} already.", status_code=409)
    sandbox.world.record(
        "user_created", sandbox.clock(), scripted=True, is_blank=True, syned_user_id=new.syned_user_id,
        email=new.email or f"{new.syned_user_id}@example.com", role=new.role, status=new.status, approved_at=None,
    )
    return sandbox.platform.get_user(new.syned_user_id)


def _require_team(sandbox: Sandbox, syned_team_id: str) -> None:
    if syned_team_id not in sandbox.world.teams:
        raise NotFoundException(f"There is no team {syned_team_id}.")


def _unassign(sandbox: Sandbox, syned_user_id: str) -> None:
    if syned_user_id in sandbox.world.assignments:
        sandbox.world.record("user_unassigned", sandbox.clock(), scripted=True, syned_user_id=syned_user_id)


def _add_solve(sandbox: Sandbox, new: NewSolve) -> Solve:
    user = find_user(sandbox, new.syned_user_id)
    key = _open_contest(sandbox, new)
    solve = _solve(sandbox, user, new, key)
    sandbox.world.record("user_solved", sandbox.clock(), syned_user_id=new.syned_user_id, solve=solve, **_told(key))
    return solve


def _told(key: EventKey | None) -> dict[str, Any]:
    return {"flash_ctf": list(key)} if key else {}


def _contest(sandbox: Sandbox, name: str | None, start: int | None) -> EventKey | None:
    """The named contest: the one that began then, else the latest of that name, else one that began an hour ago."""
    if name is None:
        return None
    starts = [known for title, known in sandbox.world.flash_ctfs if title == name]
    return name, start or max(starts, default=int(sandbox.clock()) - 3600)


def _open_contest(sandbox: Sandbox, new: NewSolve) -> EventKey | None:
    key = _contest(sandbox, new.flash_ctf_name, new.flash_ctf_time_start_unix)
    if key and key not in sandbox.world.flash_ctfs:
        sandbox.world.record(
            "flash_ctf_opened", sandbox.clock(), name=key[0], start=key[1], max_points=new.max_points_possible
        )
    return key


def _solve(sandbox: Sandbox, user: User, new: NewSolve, key: EventKey | None) -> Solve:
    taken = user.solves_of(key)
    next_id = max(taken, default=FIRST_FLASH_SOLVE_ID - 1) + 1 if key else user.next_solve_id()
    solve_id = next_id if new.challenge_solve_id is None else new.challenge_solve_id
    solve = taken.get(solve_id) or _unsolved(taken).solve(solve_id, int(sandbox.clock()))
    given = (
        "challenge_id", "challenge_title", "challenge_points", "challenge_category", "challenge_retired",
        "timestamp_unix",
    )
    return solve | {name: getattr(new, name) for name in given if getattr(new, name) is not None}


def _unsolved(taken: dict[int, Solve]) -> Challenge:
    solved = {solve["challenge_id"] for solve in taken.values()}
    return challenge(next(number for number in range(1, LAUNCHED + len(solved) + 1) if number not in solved))
