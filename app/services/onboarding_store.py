"""What the Game Platform answered about one competitor, stored with its traces in one transaction."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from app import database
from app.domain.competitor_status import Progress, competitor_status
from app.integrations.game_platform.schemas import PlatformUser, UserStatus
from app.security import audit
from app.services import job_runs, standings
from app.services.job_runs import Claim

RECIPIENT = "Game Platform"
REFUSED = "refused"
DENIED = "The Game Platform denied this account. Ask the platform why; after it is approved there, add it again."


@dataclass(frozen=True, slots=True)
class Settlement:
    """`disclosed` names the fields that went to the platform."""

    outcome: str
    syned_user_id: str
    user: PlatformUser
    disclosed: Sequence[str]


async def settle(claim: Claim, competitor_id: UUID, settlement: Settlement) -> None:
    """The account is there: waiting, approved or denied."""
    async with database.transaction():
        await job_runs.keep(claim)
        changed_organization = await record_account(claim, competitor_id, settlement)
        if changed_organization:
            await standings.mark_stale(changed_organization)


async def record_account(claim: Claim, competitor_id: UUID, settlement: Settlement) -> UUID | None:
    """In the caller's transaction: the organization whose standings to mark, last of all, when this was news."""
    status = settlement.user.metactf_user_status
    row = await _locked(competitor_id)
    if row is None:
        return None
    await _disclose(claim, competitor_id, settlement.disclosed)
    if (row["game_platform_id"], row["metactf_user_status"]) == (settlement.syned_user_id, status.value):
        await _grant_wish(row)
        return None
    await _store_account(row, settlement)
    if status != UserStatus.DENIED:
        await database.execute(
            """insert into game_platform_sync_state (syned_user_id, competitor_id, due_at) values ($1, $2, now())
               on conflict (syned_user_id) do nothing""",
            settlement.syned_user_id, competitor_id,
        )
    details = {"outcome": settlement.outcome, "metactf_user_status": status.value}
    await _remember(claim, row, "competitor.onboarded", details)
    return UUID(str(row["organization_id"]))


async def hold(claim: Claim, competitor_id: UUID, outcome: str, reason: str, *, disclosed: Sequence[str]) -> None:
    """There is no account: the reason, and what to do about it, stands with the competitor."""
    async with database.transaction():
        await job_runs.keep(claim)
        row = await _locked(competitor_id)
        if row is None:
            return
        await _disclose(claim, competitor_id, disclosed)
        is_refused = outcome == REFUSED
        await _store_reason(competitor_id, reason, is_refused=is_refused, by_vendor=is_refused and bool(disclosed))
        if row["game_platform_sync_error"] == reason:
            return
        await _remember(claim, row, "competitor.held_back", {"outcome": outcome, "reason": reason})


async def _store_reason(competitor_id: UUID, reason: str, *, is_refused: bool, by_vendor: bool) -> None:
    """A refusal ends the wish; the vendor's own is not asked for again before the competitor's data changed."""
    await database.execute(
        """update competitors set game_platform_sync_error = $2, updated_at = now(),
               onboarding_asked_at = case when $3 then null else onboarding_asked_at end,
               onboarding_refused_at = case when $4 then now() else onboarding_refused_at end
           where id = $1
               and (game_platform_sync_error is distinct from $2 or ($3 and onboarding_asked_at is not null) or $4)""",
        competitor_id, reason, is_refused, by_vendor,
    )


async def _grant_wish(row: dict[str, Any]) -> None:
    if row["onboarding_asked_at"]:
        await database.execute("update competitors set onboarding_asked_at = null where id = $1", row["id"])


async def _locked(competitor_id: UUID) -> dict[str, Any] | None:
    row = await database.fetchrow(
        """select id, organization_id, coach_id, first_name, last_name, email, division, release_signed,
               agreement_signed, data_consent, game_platform_id, metactf_user_status, game_platform_sync_error,
               onboarding_asked_at
           from competitors where id = $1 for no key update""",
        competitor_id,
    )
    return dict(row) if row else None


async def _store_account(row: dict[str, Any], settlement: Settlement) -> None:
    user = settlement.user
    status = user.metactf_user_status
    account = {"game_platform_id": settlement.syned_user_id, "metactf_user_status": status.value}
    progress = Progress(**{name: {**row, **account}[name] for name in Progress.__dataclass_fields__})
    await database.execute(
        """update competitors set game_platform_id = $2, metactf_user_id = $3, metactf_username = $4,
               metactf_user_status = $5, status = $6, game_platform_synced_at = now(), game_platform_sync_error = $7,
               onboarding_asked_at = null, onboarding_refused_at = null, updated_at = now()
           where id = $1""",
        row["id"], settlement.syned_user_id, user.metactf_user_id, user.metactf_username, status.value,
        competitor_status(progress), DENIED if status == UserStatus.DENIED else None,
    )


async def _disclose(claim: Claim, competitor_id: UUID, fields: Sequence[str]) -> None:
    if not fields:
        return
    asked_by = await database.fetchval("select triggered_by from job_runs where id = $1", claim.run_id)
    await audit.disclose(
        [competitor_id], purpose="onboarding", recipient=RECIPIENT, user_id=asked_by, fields=list(fields)
    )


async def _remember(claim: Claim, row: dict[str, Any], action: str, details: dict[str, str]) -> None:
    await audit.record(
        action, actor=None, actor_label="game_platform_onboarding", subject_type="competitor", subject_id=row["id"],
        after=details, organization_id=row["organization_id"],
    )
    await database.execute(
        """insert into activity_events (organization_id, kind, competitor_id, run_id, details)
           values ($1, $2, $3, $4, $5::jsonb)
           on conflict (run_id, kind, competitor_id) do update set details = excluded.details""",
        row["organization_id"], action.replace(".", "_"), row["id"], claim.run_id, json.dumps(details),
    )
