"""Under /sandbox/: look behind the platform, make it fail, start it again."""

import msgspec
from litestar import Controller, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromQuery

from app.sandbox import league
from app.sandbox.faults import Rule
from app.sandbox.people import User
from app.sandbox.sandbox import Sandbox
from app.sandbox.side_door import Asked, Told, decode, find_user, loopback_only


class NewWorld(msgspec.Struct, forbid_unknown_fields=True):
    league: bool = False


class PasswordHelp(msgspec.Struct, forbid_unknown_fields=True):
    is_offered: bool


class Control(Controller):
    path = "/sandbox"
    guards = (loopback_only,)

    @get("/league")
    async def league(self, sandbox: NamedDependency[Sandbox]) -> Told:
        return league.describe(sandbox.world.seed, sandbox.world.competitors)

    @get("/faults")
    async def faults(self, sandbox: NamedDependency[Sandbox]) -> list[Rule]:
        return sandbox.faults.rules

    @post("/faults")
    async def add_faults(self, request: Asked, sandbox: NamedDependency[Sandbox]) -> list[Rule]:
        sandbox.faults.add(decode(await request.body(), list[Rule]))
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
            users = {syned_user_id: find_user(sandbox, syned_user_id)}
        return {user_id: _truth(sandbox, user) for user_id, user in users.items()}

    @get("/rosters")
    async def rosters(self, sandbox: NamedDependency[Sandbox]) -> Told:
        """Per team what the platform holds of it, members included."""
        world = sandbox.world
        numbers = {user.number: user.syned_user_id for user in world.users.values() if user.role == "coach"}
        return {
            team.syned_team_id: {
                "name": team.name, "affiliation": team.affiliation, "division": team.division,
                "coach": numbers.get(team.coach_number),
                "members": sorted(user for user, on in world.assignments.items() if on == team.syned_team_id),
            }
            for team in world.teams.values()
        }

    @post("/password-help", status_code=200)
    async def password_help(self, request: Asked, sandbox: NamedDependency[Sandbox]) -> Told:
        """Whether the platform sends mails for a new password, which its description does not promise."""
        is_offered = decode(await request.body(), PasswordHelp).is_offered
        sandbox.world.record("password_help_switched", sandbox.clock(), is_offered=is_offered)
        return {"is_offered": is_offered}

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
        new = decode(await request.body() or b"{}", NewWorld)
        sandbox.world.reset(has_league=new.league, now=sandbox.clock())
        sandbox.faults.clear()
        sandbox.calls.clear()
        return {"league": new.league}


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
