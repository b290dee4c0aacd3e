"""The sandbox's own side door, under /sandbox/: look behind the platform, script it, make it fail. Loopback only."""

import ipaddress
from typing import Any, Literal

import msgspec
from litestar import Controller, Request, delete, get, post
from litestar.connection import ASGIConnection
from litestar.di import NamedDependency
from litestar.exceptions import HTTPException, NotFoundException, PermissionDeniedException
from litestar.handlers import BaseRouteHandler
from litestar.params import FromPath, FromQuery

from app.sandbox import league
from app.sandbox.catalogue import LAUNCHED, Challenge, challenge
from app.sandbox.faults import Rule
from app.sandbox.sandbox import Sandbox
from app.sandbox.world import FIRST_FLASH_SOLVE_ID, Solve, User

Told = dict[str, Any]
Asked = Request[Any, Any, Any]


def loopback_only(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
    host = connection.client.host if connection.client else ""
    if not ipaddress.ip_address(host or "0.0.0.0").is_loopback:  # noqa: S104
        raise PermissionDeniedException("The control of the sandbox answers to this machine only.")


class NewUser(msgspec.Struct, forbid_unknown_fields=True):
    """An account without a history and without habits."""

    syned_user_id: str
    email: str | None = None
    role: Literal["user", "coach"] = "user"
    status: Literal["user_created", "pending_approval", "approved", "denied"] = "approved"


class Decision(msgspec.Struct, forbid_unknown_fields=True):
    status: Literal["user_created", "pending_approval", "approved", "denied"]


class NewSolve(msgspec.Struct, forbid_unknown_fields=True):
    """Whatever is left out is chosen. With a Flash CTF's name it is one of that contest, which is made if need be.

    An id that the user has already in the same place replaces that solve.
    """

    syned_user_id: str
    challenge_solve_id: int | None = None
    challenge_id: int | None = None
    challenge_title: str | None = None
    challenge_points: int | None = None
    challenge_category: str | None = None
    timestamp_unix: int | None = None
    flash_ctf_name: str | None = None
    flash_ctf_time_start_unix: int | None = None
    max_points_possible: int = 1000


class NewWorld(msgspec.Struct, forbid_unknown_fields=True):
    league: bool = False


class Control(Controller):
    path = "/sandbox"
    guards = (loopback_only,)

    @get("/league")
    async def league(self, sandbox: NamedDependency[Sandbox]) -> Told:
        return league.describe(sandbox.world.seed)

    @get("/faults")
    async def faults(self, sandbox: NamedDependency[Sandbox]) -> list[Rule]:
        return sandbox.faults.rules

    @post("/faults")
    async def add_faults(self, request: Asked, sandbox: NamedDependency[Sandbox]) -> list[Rule]:
        sandbox.faults.add(_decode(await request.body(), list[Rule]))
        return sandbox.faults.rules

    @delete("/faults", status_code=200)
    async def clear_faults(self, sandbox: NamedDependency[Sandbox]) -> list[Rule]:
        sandbox.faults.clear()
        return []

    @get("/calls")
    async def calls(self, sandbox: NamedDependency[Sandbox]) -> list[Told]:
        return list(sandbox.calls)

    @delete("/calls", status_code=200)
    async def forget_calls(self, sandbox: NamedDependency[Sandbox]) -> list[Told]:
        sandbox.calls.clear()
        return []

    @get("/effects")
    async def effects(self, sandbox: NamedDependency[Sandbox]) -> list[Told]:
        """Everything that was changed over the platform's HTTP, each change once."""
        return sandbox.world.effects

    @get("/truth")
    async def truth(self, sandbox: NamedDependency[Sandbox], syned_user_id: FromQuery[str | None] = None) -> Told:
        """Per user what the platform holds, whole; approved or not."""
        users = sandbox.world.users
        if syned_user_id is not None:
            users = {syned_user_id: _user(sandbox, syned_user_id)}
        return {user_id: _truth(sandbox, user) for user_id, user in users.items()}

    @post("/users")
    async def add_user(self, request: Asked, sandbox: NamedDependency[Sandbox]) -> Told:
        new = _decode(await request.body(), NewUser)
        if new.syned_user_id in sandbox.world.users:
            raise HTTPException(f"There is a user {new.syned_user_id} already.", status_code=409)
        sandbox.world.record(
            "user_created", sandbox.clock(), scripted=True, is_blank=True, syned_user_id=new.syned_user_id,
            email=new.email or f"{new.syned_user_id}@example.com", role=new.role, status=new.status, approved_at=None,
        )
        return sandbox.platform.get_user(new.syned_user_id)

    @post("/users/{syned_user_id:str}/status")
    async def decide(self, request: Asked, sandbox: NamedDependency[Sandbox], syned_user_id: FromPath[str]) -> Told:
        _user(sandbox, syned_user_id)
        status = _decode(await request.body(), Decision).status
        sandbox.world.record("user_decided", sandbox.clock(), syned_user_id=syned_user_id, status=status)
        return sandbox.platform.get_user(syned_user_id)

    @post("/users/{syned_user_id:str}/access")
    async def look_in(self, sandbox: NamedDependency[Sandbox], syned_user_id: FromPath[str]) -> Told:
        """The user looks in now, without solving anything."""
        _user(sandbox, syned_user_id)
        sandbox.world.record("user_looked_in", sandbox.clock(), syned_user_id=syned_user_id)
        return sandbox.platform.get_user(syned_user_id)

    @post("/solves")
    async def solve(self, request: Asked, sandbox: NamedDependency[Sandbox]) -> Solve | list[Solve]:
        """One solve or a list of them."""
        new = _decode(await request.body(), NewSolve | list[NewSolve])
        return [_add(sandbox, one) for one in new] if isinstance(new, list) else _add(sandbox, new)

    @post("/pause", status_code=200)
    async def pause(self, sandbox: NamedDependency[Sandbox]) -> Told:
        sandbox.is_paused = True
        return {"paused": True}

    @post("/resume", status_code=200)
    async def resume(self, sandbox: NamedDependency[Sandbox]) -> Told:
        sandbox.is_paused = False
        return {"paused": False}

    @post("/reset", status_code=200)
    async def reset(self, request: Asked, sandbox: NamedDependency[Sandbox]) -> Told:
        """Everything that happened is forgotten, faults and calls included; without a league everybody is blank."""
        new = _decode(await request.body() or b"{}", NewWorld)
        sandbox.world.reset(has_league=new.league, now=sandbox.clock())
        sandbox.faults.clear()
        sandbox.calls.clear()
        return {"league": new.league}


def _decode(content: bytes, kind: Any) -> Any:
    try:
        return msgspec.json.decode(content, type=kind)
    except msgspec.DecodeError as error:
        raise HTTPException(str(error), status_code=422) from error


def _user(sandbox: Sandbox, syned_user_id: str) -> User:
    user = sandbox.world.users.get(syned_user_id)
    if user is None:
        raise NotFoundException(f"There is no user {syned_user_id}.")
    return user


def _add(sandbox: Sandbox, new: NewSolve) -> Solve:
    user = _user(sandbox, new.syned_user_id)
    key = _contest(sandbox, new)
    taken = user.flash_ctfs.get(key, {}) if key else user.solves
    solve = _solve(sandbox, user, new, taken, is_flash=key is not None)
    told = {"flash_ctf": list(key)} if key else {}
    sandbox.world.record("user_solved", sandbox.clock(), syned_user_id=new.syned_user_id, solve=solve, **told)
    return solve


def _contest(sandbox: Sandbox, new: NewSolve) -> tuple[str, int] | None:
    if new.flash_ctf_name is None:
        return None
    start = new.flash_ctf_time_start_unix or int(sandbox.clock()) - 3600
    key = (new.flash_ctf_name, start)
    if key not in sandbox.world.flash_ctfs:
        sandbox.world.record(
            "flash_ctf_opened", sandbox.clock(), name=key[0], start=start, max_points=new.max_points_possible
        )
    return key


def _solve(sandbox: Sandbox, user: User, new: NewSolve, taken: dict[int, Solve], *, is_flash: bool) -> Solve:
    next_id = max(taken, default=FIRST_FLASH_SOLVE_ID - 1) + 1 if is_flash else user.next_solve_id()
    solve_id = next_id if new.challenge_solve_id is None else new.challenge_solve_id
    at = int(sandbox.clock()) if new.timestamp_unix is None else new.timestamp_unix
    solve = _unsolved(taken).solve(solve_id, at)
    given = ("challenge_id", "challenge_title", "challenge_points", "challenge_category")
    return solve | {name: getattr(new, name) for name in given if getattr(new, name) is not None}


def _unsolved(taken: dict[int, Solve]) -> Challenge:
    solved = {solve["challenge_id"] for solve in taken.values()}
    return challenge(next(number for number in range(1, LAUNCHED + len(solved) + 1) if number not in solved))


def _truth(sandbox: Sandbox, user: User) -> Told:
    solves = list(user.solves.values())
    return {
        "status": user.status_at(sandbox.clock()),
        "metactf_user_id": user.number,
        "last_accessed_unix_timestamp": user.last_accessed,
        "total_challenges_solved": len(solves),
        "total_points": sum(solve["challenge_points"] for solve in solves),
        "challenge_solves": solves,
        "flash_ctfs": [sandbox.platform.progress(user, key) for key in user.flash_ctfs],
    }
