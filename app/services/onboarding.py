"""Competitors onto the Game Platform, their coaches first.

Every person is settled in a transaction of their own, so a run that breaks off leaves each row true and the next run
does only the rest. Nobody is sent anywhere before the rules of `competitor_status` allow it.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from app import database
from app.domain.competitor_status import WAITING, Progress, missing_for_onboarding
from app.integrations.errors import ErrorKind, VendorError
from app.integrations.game_platform.client import GamePlatformClient
from app.integrations.game_platform.schemas import NewUser, PlatformUser, UserStatus
from app.services import coach_accounts, fan_out, onboarding_store, platform_accounts
from app.services.coach_accounts import CoachAccount
from app.services.job_runs import Claim
from app.services.onboarding_requests import Added, NotFound, add_to_platform, follow_change
from app.services.onboarding_store import Settlement

__all__ = ["Added", "NotFound", "OnboardingResult", "Outcome", "add_to_platform", "follow_change", "onboard"]

CONCURRENCY = 8
FAILURES_IN_A_ROW = 5

NO_CONSENT = "Not sent to the Game Platform: data consent is not recorded. Record it and add the competitor again."
NO_ACCOUNT = "The Game Platform has no account with the id of the roster file. Correct the id and import again."
NO_COACH = "The competitor has no coach. Choose one and add the competitor again."
ARCHIVED = "The competitor was archived meanwhile."

PEOPLE = """
    select c.id, c.coach_id, c.organization_id, c.first_name, c.last_name, c.email, c.division, c.release_signed,
        c.agreement_signed, c.data_consent, c.school_id, c.region_id, c.game_platform_id, c.metactf_user_status,
        o.onboarding_status
    from competitors c join organizations o on o.id = c.organization_id
    where c.archived_at is null
"""

# Nobody comes here by themselves where the organization adds people by hand, nor whom the platform refused as they
# still are: they are named by the run, or somebody asked for them.
CANDIDATES = f"""
    {PEOPLE}
        and (c.status = 'compliance'
            or (c.status = 'profile' and o.onboarding_status = 'profile'
                and coalesce(c.metactf_user_status, 'denied') = 'denied')
            or (c.game_platform_id is not null and c.metactf_user_status is null))
        and ($1::uuid[] is null or c.id = any($1)) and ($2::uuid is null or c.coach_id = $2)
        and ($3::uuid[] is null or c.organization_id = any($3))
        and ($1 is not null or $2 is not null or c.onboarding_asked_at is not null
            or (o.automatic_onboarding
                and (c.onboarding_refused_at is null or c.updated_at > c.onboarding_refused_at)))
    order by c.coach_id, c.id
"""


class Outcome(StrEnum):
    ADDED = "added"
    ADOPTED = "adopted"
    WAITING = "waiting"
    REFUSED = "refused"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class OnboardingResult:
    """`total` = added + adopted + waiting + refused + failed."""

    added: int = 0
    adopted: int = 0
    waiting: int = 0
    refused: int = 0
    failed: int = 0

    def as_counts(self) -> dict[str, int]:
        counts = {outcome.value: getattr(self, outcome) for outcome in Outcome}
        return {"total": sum(counts.values()), **counts}


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    id: UUID
    coach_id: UUID | None
    organization_id: UUID
    first_name: str
    last_name: str
    email: str | None
    division: str | None
    release_signed: bool
    agreement_signed: bool
    data_consent: bool
    school_id: str | None
    region_id: str | None
    game_platform_id: str | None
    metactf_user_status: str | None
    onboarding_status: str

    @property
    def syned_user_id(self) -> str:
        return self.game_platform_id or str(self.id)

    @property
    def names_an_account(self) -> bool:
        """The roster named an account that exists: it is looked up, and nothing is made in its place."""
        return self.game_platform_id not in (None, str(self.id))

    @property
    def may_be_there(self) -> bool:
        """The platform is worth asking whatever it says of the coach."""
        return self.names_an_account or self.metactf_user_status is not None

    @property
    def refusal(self) -> str | None:
        """Why nothing about this person may leave; a lookup of a named account needs the consent alone."""
        if not self.progress.may_be_disclosed:
            return NO_CONSENT
        needed = None if self.names_an_account else missing_for_onboarding(self.progress, self.onboarding_status)
        return needed and f"Not sent to the Game Platform. Needs: {needed}."

    @property
    def progress(self) -> Progress:
        return Progress(
            first_name=self.first_name, last_name=self.last_name, email=self.email, division=self.division,
            coach_id=self.coach_id, release_signed=self.release_signed, agreement_signed=self.agreement_signed,
            data_consent=self.data_consent,
        )


async def onboard(
    claim: Claim, client: GamePlatformClient, *, competitor_ids: Sequence[UUID] | None = None,
    coach_id: UUID | None = None, organization_ids: Sequence[UUID] | None = None, concurrency: int = CONCURRENCY,
) -> OnboardingResult:
    """Raises VendorError when the platform is away: the run is tried again and goes on with who is left."""
    rows = await database.fetch(CANDIDATES, competitor_ids, coach_id, organization_ids)
    candidates = [Candidate(**row) for row in rows]
    work = _Onboarding(claim, client)
    sendable = [candidate for candidate in candidates if candidate.progress.may_be_disclosed]
    await work.prepare_coaches({candidate.coach_id for candidate in sendable if candidate.coach_id}, concurrency)
    outcomes = Counter(await fan_out.each(candidates, work.take, concurrency=concurrency))
    is_in_vain = outcomes[Outcome.FAILED] == len(candidates)
    if work.away and (work.is_stopped or is_in_vain):
        raise work.away
    return OnboardingResult(**{outcome.value: outcomes[outcome] for outcome in Outcome})


class _Onboarding:
    """What the people of one run share: their coaches' accounts, and whether the platform is there at all."""

    def __init__(self, claim: Claim, client: GamePlatformClient) -> None:
        self.claim = claim
        self.client = client
        self.coaches: dict[UUID | None, CoachAccount] = {}
        self.away: VendorError | None = None
        self.failures_in_a_row = 0
        self.is_stopped = False

    async def prepare_coaches(self, coach_ids: set[UUID], concurrency: int) -> None:
        coaches = await coach_accounts.load(coach_ids)
        accounts = await fan_out.each(coaches, self._prepare_coach, concurrency=concurrency)
        self.coaches = {coach.id: account for coach, account in zip(coaches, accounts, strict=True)}

    async def _prepare_coach(self, coach: coach_accounts.Coach) -> CoachAccount:
        account = await coach_accounts.ensure(self.claim, self.client, coach)
        self._notice(account.error)
        return account

    async def take(self, candidate: Candidate) -> Outcome:
        if self.is_stopped:
            return Outcome.FAILED
        if candidate.refusal:
            return await self._hold(candidate, Outcome.REFUSED, candidate.refusal)
        if not candidate.may_be_there and self._is_held_back(candidate):
            return await self._hold_for_coach(candidate)
        try:
            user = await platform_accounts.find(self.client, candidate.syned_user_id)
        except VendorError as error:
            return await self._fail(candidate, error)
        if user is not None:
            was_sent = not candidate.names_an_account  # by an earlier attempt of ours
            return await self._settle(candidate, user, Outcome.ADOPTED, was_sent=was_sent)
        if candidate.names_an_account:
            return await self._hold(candidate, Outcome.REFUSED, NO_ACCOUNT)
        return await self._add(candidate)

    async def _add(self, looked_up: Candidate) -> Outcome:
        """Sends the person as they are now: a consent may have been taken back since the run began."""
        candidate = await _as_of_now(looked_up)
        if candidate is None:
            return await self._hold(looked_up, Outcome.REFUSED, ARCHIVED)
        if candidate.refusal:
            return await self._hold(candidate, Outcome.REFUSED, candidate.refusal)
        if self._is_held_back(candidate):
            return await self._hold_for_coach(candidate)
        coach = self.coaches[candidate.coach_id]
        try:
            user = await platform_accounts.create(self.client, _new_user(candidate, coach.syned_user_id))
        except VendorError as error:
            return await self._not_added(candidate, coach, error)
        return await self._settle(candidate, user, Outcome.ADDED, was_sent=True)

    async def _not_added(self, candidate: Candidate, coach: CoachAccount, error: VendorError) -> Outcome:
        if error.kind is ErrorKind.NOT_FOUND:
            obstacle = f"The Game Platform does not take this coach's competitors yet: {error.message}"
            self.coaches[candidate.coach_id] = await coach_accounts.doubt(self.claim, coach, obstacle)
            return await self._hold_for_coach(candidate, was_sent=True)
        if error.kind is ErrorKind.INVALID:
            reason = f"Refused by the Game Platform: {error.message}. Correct the competitor's data and add them again."
            return await self._hold(candidate, Outcome.REFUSED, reason, was_sent=True)
        return await self._fail(candidate, error, was_sent=True)

    def _is_held_back(self, candidate: Candidate) -> bool:
        coach = self.coaches.get(candidate.coach_id)
        return coach is None or coach.obstacle is not None

    async def _hold_for_coach(self, candidate: Candidate, *, was_sent: bool = False) -> Outcome:
        coach = self.coaches.get(candidate.coach_id)
        if coach is None:
            return await self._hold(candidate, Outcome.REFUSED, NO_COACH)
        outcome = Outcome.WAITING if coach.is_waiting else Outcome.FAILED if coach.error else Outcome.REFUSED
        return await self._hold(candidate, outcome, coach.obstacle or "", was_sent=was_sent)

    async def _settle(self, candidate: Candidate, user: PlatformUser, outcome: Outcome, *, was_sent: bool) -> Outcome:
        self.failures_in_a_row = 0
        if user.metactf_user_status in WAITING:
            outcome = Outcome.WAITING
        elif user.metactf_user_status == UserStatus.DENIED:
            outcome = Outcome.REFUSED
        await onboarding_store.settle(
            self.claim, candidate.id,
            Settlement(outcome, candidate.syned_user_id, user, _sent_fields(candidate) if was_sent else ()),
        )
        return outcome

    async def _hold(
        self, candidate: Candidate, outcome: Outcome, reason: str, *, was_sent: bool = False
    ) -> Outcome:
        await onboarding_store.hold(
            self.claim, candidate.id, outcome, reason, disclosed=_sent_fields(candidate) if was_sent else ()
        )
        return outcome

    async def _fail(self, candidate: Candidate, error: VendorError, *, was_sent: bool = False) -> Outcome:
        self._notice(error)
        reason = f"The Game Platform could not be asked: {error.message}. This is tried again."
        return await self._hold(candidate, Outcome.FAILED, reason, was_sent=was_sent)

    def _notice(self, error: VendorError | None) -> None:
        """One person's failure is theirs; several in a row, or a refused token, is the platform's."""
        if error is None or error.kind not in platform_accounts.AWAY:
            return
        self.away = error
        self.failures_in_a_row += 1
        self.is_stopped |= error.kind is not ErrorKind.UNAVAILABLE or self.failures_in_a_row >= FAILURES_IN_A_ROW


async def _as_of_now(candidate: Candidate) -> Candidate | None:
    row = await database.fetchrow(f"{PEOPLE} and c.id = $1", candidate.id)
    return Candidate(**row) if row else None


def _new_user(candidate: Candidate, coach_syned_user_id: str) -> NewUser:
    return NewUser(
        first_name=candidate.first_name, last_name=candidate.last_name, email=candidate.email or "", role="user",
        syned_user_id=candidate.syned_user_id, syned_coach_user_id=coach_syned_user_id,
        syned_school_id=candidate.school_id, syned_region_id=candidate.region_id,
    )


def _sent_fields(candidate: Candidate) -> tuple[str, ...]:
    optional = {"school_id": candidate.school_id, "region_id": candidate.region_id}
    return ("first_name", "last_name", "email", "coach", *(name for name, value in optional.items() if value))
