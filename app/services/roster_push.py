"""Brings the Game Platform in line with our rosters: the coach, the team, off the old team, onto the new one.

Every push begins with a look at what both sides have, and after an answer that was lost the platform is read before
anything is written again. Nothing that concerns a minor is sent before their consent is recorded.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from uuid import UUID

import structlog

from app.domain.failures import describe
from app.integrations.errors import ErrorKind, VendorError
from app.integrations.game_platform.client import GamePlatformClient
from app.services import roster_push_store
from app.services.job_runs import Claim, LeaseLost
from app.services.outbox_rows import FIRST_RETRY_SECONDS, LONGEST_RETRY_SECONDS, Outcome, Push
from app.services.platform_accounts import AWAY
from app.services.platform_teams import ASK_AGAIN_SECONDS, Hold, PlatformTeams, Refused
from app.services.roster_push_store import Member
from app.tables.outbox import OutboxState, PushKind

log = structlog.get_logger(__name__)

PERSON_SECONDS = 8 * 3600
LEAVE_SECONDS = 5
LOST_ANSWERS = 3
UNREADABLE_ATTEMPTS = 20

NO_ACCOUNT = "The competitor has no approved account on the Game Platform yet. This is sent as soon as there is one."
NO_CONSENT = "Not sent to the Game Platform: data consent is not recorded. It is sent as soon as it is."
LEAVING = "Members of this team are still being taken off it on the Game Platform. It is deleted after that."


async def _nothing() -> None:
    """There is nothing to store."""


@dataclass(slots=True)
class Delivery:
    """What a push led to. `store` writes it, within the transaction that settles the row; `effects` are what the
    platform was told, or may have heard."""

    push: Push
    outcome: Outcome = field(default_factory=lambda: Outcome(OutboxState.SENT))
    effects: list[str] = field(default_factory=list)
    store: Callable[[], Awaitable[None]] = _nothing
    away: VendorError | None = None


class RosterPush:
    """The pushes of one round: whatever they share is looked up or made once."""

    def __init__(self, claim: Claim, client: GamePlatformClient) -> None:
        self._client = client
        self._teams = PlatformTeams(claim, client)

    async def deliver(self, push: Push) -> Delivery:
        delivery = Delivery(push)
        try:
            await self._send(delivery)
        except Hold as hold:
            delivery.outcome = Outcome(OutboxState.WAITING, hold.reason, hold.seconds, hold.held_for)
        except Refused as refused:
            delivery.outcome = Outcome(OutboxState.PARKED, str(refused))
        except VendorError as error:
            delivery.outcome, delivery.away = _outcome_of(error, push), error if error.kind in AWAY else None
        except LeaseLost:
            raise
        except Exception as error:
            log.exception("a push broke", kind=push.kind.value, push=push.id)
            reason = f"Sending this broke ({describe(error).error_class}). It is tried again."
            delivery.outcome = Outcome(OutboxState.WAITING, reason, retry_seconds(push.attempts))
        return delivery

    async def _send(self, delivery: Delivery) -> None:
        match delivery.push.kind:
            case PushKind.COACH:
                await self._teams.ensure_coach(delivery.push.subject_id)
            case PushKind.TEAM:
                await self._send_team(delivery)
            case PushKind.MEMBERSHIP:
                await self._send_membership(delivery)
            case PushKind.TEAM_DELETION:
                await self._send_deletion(delivery)

    async def _send_team(self, delivery: Delivery) -> None:
        team = await roster_push_store.read_team(delivery.push.subject_id)
        if team is not None and not (team.is_closed or team.is_archived):
            await self._teams.ensure_team(team.id)

    async def _send_membership(self, delivery: Delivery) -> None:
        member = await roster_push_store.read_member(delivery.push.subject_id)
        if member is None or member.team_is_archived:
            return
        wanted = None
        if member.team_id is not None:
            wanted = await self._team_for(member, member.team_id)
        if member.syned_user_id is not None:
            await self._move(delivery, member, member.syned_user_id, wanted)
        delivery.store = lambda: roster_push_store.store_membership(member)

    async def _team_for(self, member: Member, team_id: UUID) -> str:
        if not member.is_approved:
            raise Hold(NO_ACCOUNT, PERSON_SECONDS, held_for=member.id)
        _require_consent(member)
        try:
            return await self._teams.ensure_team(team_id)
        except Refused as refused:
            raise Hold(str(refused), PERSON_SECONDS, held_for=team_id) from None

    async def _move(self, delivery: Delivery, member: Member, syned_user_id: str, wanted: str | None) -> None:
        """Looks, does the one step that is missing, and looks again when an answer was lost or somebody was faster."""
        current = await self._teams.where_is(syned_user_id)
        failures = 0
        while current != wanted:
            _require_consent(member)
            try:
                current = await self._step(delivery, syned_user_id, current, wanted)
            except VendorError as error:
                failures += 1
                before, current = current, await self._look_again(syned_user_id, error)
                if failures >= LOST_ANSWERS or (current == before and not error.ambiguous):
                    raise

    async def _look_again(self, syned_user_id: str, error: VendorError) -> str | None:
        if not (error.ambiguous or error.kind in (ErrorKind.BAD_SHAPE, ErrorKind.INVALID)):
            raise error
        return (await self._teams.list_members()).get(syned_user_id)

    async def _step(
        self, delivery: Delivery, syned_user_id: str, current: str | None, wanted: str | None
    ) -> str | None:
        """Off the team that they are on, else onto the wanted one; where they are then."""
        delivery.effects.append("unassign" if current else "assign")
        if current is None:
            assert wanted is not None
            await self._client.assign_team(syned_team_id=wanted, syned_user_id=syned_user_id)
            return wanted
        try:
            await self._client.delete_assignment(syned_user_id)
        except VendorError as error:
            if error.kind is not ErrorKind.NOT_FOUND:
                raise
        return None

    async def _send_deletion(self, delivery: Delivery) -> None:
        push = delivery.push
        team = await roster_push_store.read_team(push.subject_id)
        if push.platform_id is None or (team is not None and not team.is_closed):
            return
        delivery.effects.append("delete")
        error = await self._delete(push.platform_id)
        if error is None:
            delivery.store = lambda: roster_push_store.remove_team(push)
            return
        members = await self._members_left(push.platform_id, error)
        if members and await roster_push_store.are_leaving(members):
            raise Hold(LEAVING, LEAVE_SECONDS)
        if members and team is not None:
            reason = f"The Game Platform did not delete this team: {error.message}. It has {len(members)} there."
            delivery.outcome = Outcome(OutboxState.DISCARDED, reason)
            delivery.store = lambda: roster_push_store.reopen_team(push, reason)
            return
        delivery.outcome, delivery.away = _outcome_of(error, push), error if error.kind in AWAY else None
        delivery.store = lambda: roster_push_store.remove_team(push, drift=error.message)

    async def _delete(self, syned_team_id: str) -> VendorError | None:
        """None when the team is gone, or was never there."""
        for _ in range(LOST_ANSWERS):
            try:
                await self._client.delete_team(syned_team_id)
                return None
            except VendorError as error:
                failure = error
            if failure.kind is ErrorKind.NOT_FOUND:
                return None
            if not failure.ambiguous:
                return failure
            try:
                if await self._teams.members_of(syned_team_id) is None:
                    return None
            except VendorError:
                return failure
        return failure

    async def _members_left(self, syned_team_id: str, error: VendorError) -> set[str]:
        if error.kind is not ErrorKind.INVALID:
            return set()
        return await self._teams.members_of(syned_team_id) or set()


def retry_seconds(attempts: int) -> float:
    """Doubles with each attempt."""
    return float(min(FIRST_RETRY_SECONDS * 2 ** min(attempts - 1, 20), LONGEST_RETRY_SECONDS))


def _outcome_of(error: VendorError, push: Push) -> Outcome:
    if error.kind in AWAY:
        reason = f"The Game Platform could not be asked: {error.message}. This is tried again."
        wait = max(error.retry_after_seconds or 0.0, retry_seconds(push.attempts))
        return Outcome(OutboxState.WAITING, reason, wait)
    if error.kind is ErrorKind.BAD_SHAPE and push.attempts < UNREADABLE_ATTEMPTS:
        reason = f"The Game Platform's answer could not be read: {error.message}. This is tried again."
        return Outcome(OutboxState.WAITING, reason, retry_seconds(push.attempts))
    if error.status == 403:
        return Outcome(OutboxState.WAITING, f"The Game Platform refused for now: {error.message}", ASK_AGAIN_SECONDS)
    return Outcome(OutboxState.PARKED, f"The Game Platform refused: {error.message}")


def _require_consent(member: Member) -> None:
    if not member.may_be_disclosed:
        raise Hold(NO_CONSENT, PERSON_SECONDS, held_for=member.id)
