"""Coaches and teams at the Game Platform, brought there before anybody is put on a team; and who is on which."""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable
from typing import TypeVar, cast
from uuid import UUID

from app.integrations.errors import ErrorKind, VendorError
from app.integrations.game_platform.client import GamePlatformClient
from app.integrations.game_platform.schemas import NewTeam, PlatformTeam, UserStatus
from app.services import coach_accounts, roster_push_store
from app.services.coach_accounts import CoachAccount
from app.services.job_runs import Claim
from app.services.platform_accounts import CONFLICT
from app.services.roster_push_store import TeamToPush

Result = TypeVar("Result")

ASK_AGAIN_SECONDS = 30 * 60
SOON_SECONDS = 2

NO_TEAM = "The Game Platform has no team with the id of the roster file. Correct the id and import again."


class Hold(Exception):
    """Not now: somebody else has to decide first. `held_for` is the person, where our tables will tell."""

    def __init__(self, reason: str, seconds: float = ASK_AGAIN_SECONDS, held_for: UUID | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.seconds = seconds
        self.held_for = held_for


class Refused(Exception):
    """Not like this: a person has to look at it."""


class PlatformTeams:
    """What the pushes of one round share: every coach, team and list is looked up or made once."""

    def __init__(self, claim: Claim, client: GamePlatformClient) -> None:
        self._claim = claim
        self._client = client
        self._locks: defaultdict[object, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._known: dict[object, object] = {}

    async def _once(self, key: object, work: Callable[[], Awaitable[Result]]) -> Result:
        """The result of the first who asks, a failure included, is everybody's."""
        async with self._locks[key]:
            if key not in self._known:
                try:
                    self._known[key] = await work()
                except (VendorError, Hold, Refused) as failure:
                    self._known[key] = failure
        known = self._known[key]
        if isinstance(known, Exception):
            raise known
        return cast("Result", known)

    async def where_is(self, syned_user_id: str) -> str | None:
        """Whose team it was when the round began."""
        return (await self._once("listed", self.list_members)).get(syned_user_id)

    async def ensure_coach(self, coach_id: UUID) -> str:
        """The coach's id at the platform, once they are approved there."""
        account = await self._once(("coach", coach_id), lambda: self._coach_account(coach_id))
        if account.error is not None:
            raise account.error
        if account.status != UserStatus.APPROVED:
            reason = account.obstacle or "The Game Platform has not approved the coach's account yet."
            raise Hold(reason, held_for=coach_id)
        return account.syned_user_id

    async def _coach_account(self, coach_id: UUID) -> CoachAccount:
        [coach] = await coach_accounts.load({coach_id})
        return await coach_accounts.ensure(self._claim, self._client, coach)

    async def ensure_team(self, team_id: UUID) -> str:
        return await self._once(("team", team_id), lambda: self._bring_team(team_id))

    async def _bring_team(self, team_id: UUID) -> str:
        """The team's id at the platform, where it is afterwards."""
        team = await roster_push_store.read_team(team_id)
        if team is None:
            raise Hold("The team is gone.", SOON_SECONDS)
        if team.is_synced:
            return team.syned_team_id
        made = await self._adopt(team) if team.names_a_team else await self._make(team)
        await roster_push_store.store_team(self._claim, team, made)
        return team.syned_team_id

    async def _adopt(self, team: TeamToPush) -> PlatformTeam | None:
        """The roster named a team that exists: it is looked up, and nothing is made in its place."""
        if await self.members_of(team.syned_team_id) is None:
            raise Refused(NO_TEAM)
        return None  # the platform tells of a team only who is on it

    async def _make(self, team: TeamToPush) -> PlatformTeam | None:
        """None when the platform had it already, from an attempt whose answer was lost."""
        coach_syned_user_id = await self.ensure_coach(team.coach_id)
        if team.was_sent and await self.members_of(team.syned_team_id):
            return None
        new = await roster_push_store.reserve_team(self._claim, team.id, coach_syned_user_id)
        if new is None:
            raise Hold("The team changed meanwhile.", SOON_SECONDS)
        try:
            return await self._client.create_team(new)
        except VendorError as error:
            await self._not_made(team, new, error)
            return None

    async def _not_made(self, team: TeamToPush, new: NewTeam, error: VendorError) -> None:
        """Returns when the platform has the team all the same. A team without members cannot be told from none."""
        if error.status == CONFLICT:
            if await self.members_of(new.syned_team_id) is not None:
                return
        elif error.ambiguous:
            if await self.members_of(new.syned_team_id):
                return
            raise error
        if error.kind not in (ErrorKind.NOT_FOUND, ErrorKind.INVALID):
            raise error
        await roster_push_store.unreserve_team(self._claim, team.id)
        if error.kind is ErrorKind.NOT_FOUND:
            raise Hold(f"The Game Platform does not take this coach's teams yet: {error.message}")
        raise Refused(f"The Game Platform refused the team: {error.message}")

    async def list_members(self) -> dict[str, str | None]:
        """Who is on which team there; whoever is on none is not in it."""
        answer = await self._client.team_assignments()
        return {assignment.syned_user_id: assignment.syned_team_id for assignment in answer.assignments}

    async def members_of(self, syned_team_id: str) -> set[str] | None:
        """Of one team; None where the platform says that it does not know it."""
        try:
            answer = await self._client.team_assignments(syned_team_id)
        except VendorError as error:
            if error.kind is ErrorKind.NOT_FOUND:
                return None
            raise
        return {each.syned_user_id for each in answer.assignments if each.syned_team_id in (None, syned_team_id)}
