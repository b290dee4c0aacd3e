"""A mail from the Game Platform with which a competitor sets a new password, where the platform offers that.

The platform's description has no such request. The first answer that it is not there is remembered, and nobody is
offered it any more until an admin switches the feature again.
"""

from typing import TYPE_CHECKING, Any
from uuid import UUID

from app import database
from app.domain.competitor_status import Progress
from app.domain.password_help import NOT_OFFERED, SENT, UNCERTAIN, is_not_offered
from app.domain.readers import Reader
from app.features import Feature, Flags, require_feature
from app.integrations.errors import ErrorKind, VendorError
from app.queue import enqueue
from app.security import audit
from app.services import job_runs, organization_limits
from app.services.job_runs import Claim
from app.services.onboarding_store import RECIPIENT
from app.tables.jobs import Trigger
from app.tables.password_help import PasswordHelpState

if TYPE_CHECKING:
    from app.integrations.game_platform.client import GamePlatformClient

KIND = "game_platform_password_help"
TARGET_MINUTES = 15
MAILS_PER_TARGET_AND_DAY = 3

LEARNED = """
    select exists (
        select 1 from password_help_requests where state = 'not_offered' and answered_at > coalesce(
            (select max(changed_at) from feature_flags where name in ('game_platform', 'game_platform.password_help')),
            '-infinity'))
"""


class NotFound(Exception):
    """There is no such competitor, or it is not the reader's to see."""


class PasswordHelpError(Exception):
    """The text says why no mail is asked for, and what to do."""


async def is_offered(flags: Flags, organization_id: UUID) -> bool:
    """Whether there is anything to press."""
    return flags.is_on(Feature.PASSWORD_HELP, organization_id) and not await database.fetchval(LEARNED)


async def ask(reader: Reader, competitor_id: UUID) -> UUID:
    """The run that asks the platform. Raises NotFound, FeatureOff or PasswordHelpError."""
    async with database.transaction():
        competitor = await _visible(reader, competitor_id)
        await require_feature(Feature.PASSWORD_HELP, competitor["organization_id"])
        await _refuse(reader, competitor)
        request_id = await database.fetchval(
            "insert into password_help_requests (competitor_id, asked_by) values ($1, $2) returning id",
            competitor_id, reader.user_id,
        )
        await audit.record(
            "password_help.asked", actor=reader, subject_type="competitor", subject_id=competitor_id,
            organization_id=competitor["organization_id"],
        )
    asked = await enqueue(
        KIND, {"request_id": str(request_id)}, trigger=Trigger.USER, triggered_by=reader.user_id
    )
    return asked.run_id


async def send(claim: Claim, client: "GamePlatformClient", request_id: UUID) -> dict[str, int]:
    """What the platform answers stands with the request. Nobody is asked for whose consent was taken back meanwhile."""
    competitor = await _asked_for(request_id)
    if competitor is None:
        return {"total": 0}
    if obstacle := _obstacle(competitor):
        return await _answer(claim, request_id, competitor, PasswordHelpState.REFUSED, obstacle, was_sent=False)
    state, message = await _try(client, competitor["game_platform_id"])
    return await _answer(claim, request_id, competitor, state, message, was_sent=state is not PasswordHelpState.FAILED)


async def _visible(reader: Reader, competitor_id: UUID) -> dict[str, Any]:
    """Locked, so that of two who ask at once the second is counted; the asker's own row likewise."""
    await database.execute("select 1 from users where id = $1 for no key update", reader.user_id)
    condition, arguments = reader.sight.condition("c.coach_id", "m.team_id", 2)
    row = await database.fetchrow(
        f"""select c.* from competitors c left join team_memberships m on m.competitor_id = c.id
            where c.id = $1 and c.archived_at is null and {condition} for no key update of c""",  # noqa: S608
        competitor_id, *arguments,
    )
    if row is None:
        raise NotFound
    return dict(row)


async def _refuse(reader: Reader, competitor: dict[str, Any]) -> None:
    if await database.fetchval(LEARNED):
        raise PasswordHelpError(NOT_OFFERED)
    if obstacle := _obstacle(competitor) or await _limit(reader, competitor):
        raise PasswordHelpError(obstacle)


def _obstacle(competitor: dict[str, Any]) -> str | None:
    progress = Progress(**{name: competitor[name] for name in Progress.__dataclass_fields__})
    if not progress.may_be_disclosed:
        return "Data consent is not recorded. Record it and ask again."
    if progress.metactf_user_status != "approved" or not progress.has_account:
        return "There is no approved account on the Game Platform yet."
    return None


async def _limit(reader: Reader, competitor: dict[str, Any]) -> str | None:
    """What failed without having been sent counts for nobody."""
    row = await database.fetchrow(
        """select count(*) filter (where competitor_id = $1 and asked_at > now() - interval '1 day') as of_target,
               coalesce(bool_or(competitor_id = $1 and asked_at > now() - make_interval(mins => $3)), false) as lately,
               count(*) filter (where asked_by = $2 and asked_at > now() - interval '1 hour') as of_user
           from password_help_requests
           where (competitor_id = $1 or asked_by = $2) and state <> 'failed' and asked_at > now() - interval '1 day'""",
        competitor["id"], reader.user_id, TARGET_MINUTES,
    )
    assert row
    if row["lately"]:
        return f"A mail was asked for in the last {TARGET_MINUTES} minutes. Look for it before asking again."
    if row["of_target"] >= MAILS_PER_TARGET_AND_DAY:
        return f"{MAILS_PER_TARGET_AND_DAY} mails were asked for in the last day. Try again tomorrow."
    limits = await organization_limits.of(competitor["organization_id"])
    if row["of_user"] >= limits.password_mails_per_hour:
        return "You asked for many mails in the last hour. Try again in an hour."
    return None


async def _asked_for(request_id: UUID) -> dict[str, Any] | None:
    row = await database.fetchrow(
        """select c.* from password_help_requests r join competitors c on c.id = r.competitor_id
           where r.id = $1 and r.state = 'asked' and c.archived_at is null""",
        request_id,
    )
    return dict(row) if row else None


async def _try(client: "GamePlatformClient", syned_user_id: str) -> tuple[PasswordHelpState, str]:
    try:
        await client.send_password_mail(syned_user_id)
    except VendorError as error:
        return _meaning(error)
    return PasswordHelpState.SENT, SENT


def _meaning(error: VendorError) -> tuple[PasswordHelpState, str]:
    if is_not_offered(error.status, error.message):
        return PasswordHelpState.NOT_OFFERED, NOT_OFFERED
    if error.kind is ErrorKind.BAD_SHAPE:
        return PasswordHelpState.SENT, SENT  # a success whose words we do not need
    if error.ambiguous:
        return PasswordHelpState.UNCERTAIN, UNCERTAIN
    if error.kind in (ErrorKind.INVALID, ErrorKind.NOT_FOUND):
        return PasswordHelpState.REFUSED, f"Refused by the Game Platform: {error.message}."
    return PasswordHelpState.FAILED, f"The Game Platform could not be asked: {error.message}. Try again later."


async def _answer(
    claim: Claim, request_id: UUID, competitor: dict[str, Any], state: PasswordHelpState, message: str, *,
    was_sent: bool,
) -> dict[str, int]:
    async with database.transaction():
        await job_runs.keep(claim)
        await database.execute(
            """update password_help_requests set state = $2, message = $3, answered_at = now()
               where id = $1 and state = 'asked'""",
            request_id, state.value, message,
        )
        await audit.record(
            "password_help.answered", actor=None, actor_label=KIND, subject_type="competitor",
            subject_id=competitor["id"], after={"state": state.value}, organization_id=competitor["organization_id"],
        )
        if was_sent:
            asked_by = await database.fetchval("select triggered_by from job_runs where id = $1", claim.run_id)
            await audit.disclose(
                [competitor["id"]], purpose="password help", recipient=RECIPIENT, user_id=asked_by,
                fields=["game_platform_id"],
            )
    return {"total": 1, state.value: 1}
