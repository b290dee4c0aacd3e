"""A coach's own account at the Game Platform, which has to be there before the platform takes their competitors."""

from dataclasses import dataclass
from uuid import UUID

from app import database
from app.domain.competitor_status import WAITING
from app.integrations.errors import VendorError
from app.integrations.game_platform.client import GamePlatformClient
from app.integrations.game_platform.schemas import NewUser, PlatformUser, UserStatus
from app.security import audit
from app.services import job_runs, platform_accounts
from app.services.job_runs import Claim


@dataclass(frozen=True, slots=True)
class Coach:
    id: UUID
    first_name: str
    last_name: str
    email: str | None
    game_platform_id: str | None
    metactf_user_status: str | None


@dataclass(frozen=True, slots=True)
class CoachAccount:
    """`obstacle` says why nobody can be added for this coach; `error` is the vendor's failure behind it, if any."""

    syned_user_id: str
    status: str | None = None
    obstacle: str | None = None
    error: VendorError | None = None

    @property
    def is_waiting(self) -> bool:
        return self.status in WAITING


async def load(coach_ids: set[UUID]) -> list[Coach]:
    rows = await database.fetch(
        """select id, first_name, last_name, email, game_platform_id, metactf_user_status from users
           where id = any($1::uuid[]) order by id""",
        list(coach_ids),
    )
    return [Coach(**row) for row in rows]


async def ensure(claim: Claim, client: GamePlatformClient, coach: Coach) -> CoachAccount:
    syned_user_id = coach.game_platform_id or str(coach.id)
    if coach.metactf_user_status == UserStatus.APPROVED and coach.game_platform_id:
        return CoachAccount(syned_user_id, coach.metactf_user_status)
    if not (coach.first_name and coach.last_name and coach.email):
        return CoachAccount(
            syned_user_id, obstacle="The coach's first name, last name or e-mail is missing. Fill it in and try again."
        )
    try:
        user = await _find_or_create(client, coach, syned_user_id)
    except VendorError as error:
        await _store_error(claim, coach, error.message)
        obstacle = f"The coach could not be added to the Game Platform: {error.message}"
        return CoachAccount(syned_user_id, coach.metactf_user_status, obstacle, error)
    await _store(claim, coach, syned_user_id, user)
    return CoachAccount(syned_user_id, user.metactf_user_status, _obstacle(user))


async def doubt(claim: Claim, account: CoachAccount, obstacle: str) -> CoachAccount:
    """The platform does not take a coach for approved whom we do: they are looked up again before the next attempt."""
    status = UserStatus.PENDING_APPROVAL.value
    async with database.transaction():
        await job_runs.keep(claim)
        await database.execute(
            "update users set metactf_user_status = $2, game_platform_synced_at = now() where game_platform_id = $1",
            account.syned_user_id, status,
        )
    return CoachAccount(account.syned_user_id, status, obstacle)


def _obstacle(user: PlatformUser) -> str | None:
    if user.metactf_user_status in WAITING:
        return "The Game Platform has not approved the coach's account yet. This is tried again."
    if user.metactf_user_status == UserStatus.DENIED:
        return "The Game Platform denied the coach's account. Ask the platform to approve it, then try again."
    return None


async def _find_or_create(client: GamePlatformClient, coach: Coach, syned_user_id: str) -> PlatformUser:
    if found := await platform_accounts.find(client, syned_user_id):
        return found
    new = NewUser(
        first_name=coach.first_name, last_name=coach.last_name, email=coach.email or "", role="coach",
        syned_user_id=syned_user_id,
    )
    return await platform_accounts.create(client, new)


async def _store(claim: Claim, coach: Coach, syned_user_id: str, user: PlatformUser) -> None:
    async with database.transaction():
        await job_runs.keep(claim)
        changed = await database.execute(
            """update users set game_platform_id = $2, metactf_user_id = $3, metactf_user_status = $4,
                   game_platform_synced_at = now(), game_platform_sync_error = null
               where id = $1 and (game_platform_id, metactf_user_status) is distinct from ($2, $4)""",
            coach.id, syned_user_id, user.metactf_user_id, user.metactf_user_status.value,
        )
        if changed:
            await audit.record(
                "coach.onboarded", actor=None, actor_label="game_platform_onboarding", subject_type="user",
                subject_id=coach.id, after={"metactf_user_status": user.metactf_user_status.value},
            )


async def _store_error(claim: Claim, coach: Coach, message: str) -> None:
    async with database.transaction():
        await job_runs.keep(claim)
        await database.execute(
            """update users set game_platform_sync_error = $2
               where id = $1 and game_platform_sync_error is distinct from $2""",
            coach.id, message,
        )
