"""A look at people's accounts at the Game Platform: everybody's when somebody asks, else a few at a time.

The platform shows status and username of one account per call. A scheduled look takes whom nobody has looked up for a
week, whose account differed the last time, and whom the platform would not tell the scores of.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from app import database
from app.domain.drift import ACCOUNT_FIELDS
from app.integrations.errors import ErrorKind, VendorError
from app.integrations.game_platform.client import GamePlatformClient
from app.services import fan_out
from app.services.job_runs import Claim
from app.services.platform_accounts import AWAY
from app.services.roster_sides import Scope

MOST_BY_SCHEDULE = 50
MOST_WHEN_ASKED = 5000

# Of those who wait for approval the score sync asks.
DUE = """
    select c.id as competitor_id, c.game_platform_id as syned_user_id
    from competitors c
    left join game_platform_sync_state s on s.competitor_id = c.id
    left join team_memberships m on m.competitor_id = c.id
    where c.archived_at is null and c.game_platform_id is not null and c.metactf_user_status in ('approved', 'denied')
        and ($1::uuid[] is null or c.organization_id = any($1)) and ($2::uuid is null or m.team_id = $2)
        and ($3 or coalesce(s.account_seen_at, c.game_platform_synced_at, '-infinity') < now() - interval '7 days'
            or (s.consecutive_failures > 0 and s.error_message ilike '%not found or not approved%')
            or exists (select from drift d
                where d.competitor_id = c.id and d.field = any($4) and d.state <> 'resolved'))
    order by coalesce(s.account_seen_at, c.game_platform_synced_at) nulls first, c.id limit $5
"""

STAMP = """
    update game_platform_sync_state set account_seen_at = now()
    where syned_user_id in (select syned_user_id from game_platform_sync_state
        where competitor_id = any($1::uuid[]) and coalesce(account_seen_at, '-infinity') < now() - interval '1 day'
        order by syned_user_id for update skip locked)
"""


@dataclass(frozen=True, slots=True)
class Seen:
    """What the platform shows of an account, status and username; None where it has no account of this id."""

    syned_user_id: str
    account: tuple[str, str] | None


async def look(
    claim: Claim, client: GamePlatformClient, *, scope: Scope, concurrency: int
) -> dict[UUID, Seen]:
    """By competitor. Whom the platform would not tell about is left out. Raises VendorError for a refused token."""
    is_asked_for = await database.fetchval("select trigger <> 'schedule' from job_runs where id = $1", claim.run_id)
    due = await database.fetch(
        DUE, scope.organization_ids, scope.team_id, is_asked_for, list(ACCOUNT_FIELDS),
        MOST_WHEN_ASKED if is_asked_for else MOST_BY_SCHEDULE,
    )
    looker = _Looker(client)
    seen = await fan_out.each([row["syned_user_id"] for row in due], looker.look, concurrency=concurrency)
    return {row["competitor_id"]: one for row, one in zip(due, seen, strict=True) if one is not None}


async def stamp(competitor_ids: Sequence[UUID]) -> None:
    """In the caller's transaction. A row that a sync holds just now is stamped the next time."""
    await database.execute(STAMP, list(competitor_ids))


class _Looker:
    """Asks one by one, and nobody more once the platform is away."""

    def __init__(self, client: GamePlatformClient) -> None:
        self._client = client
        self._is_away = False

    async def look(self, syned_user_id: str) -> Seen | None:
        if self._is_away:
            return None
        try:
            user = await self._client.get_user(syned_user_id)
        except VendorError as error:
            return self._missing(syned_user_id, error)
        return Seen(syned_user_id, (user.metactf_user_status.value, user.metactf_username))

    def _missing(self, syned_user_id: str, error: VendorError) -> Seen | None:
        """Only "not found" proves that there is none: the same words with 403 are about the approval."""
        if error.kind is ErrorKind.UNAUTHORIZED:
            raise error
        self._is_away |= error.kind in AWAY
        return Seen(syned_user_id, None) if error.status == 404 else None
