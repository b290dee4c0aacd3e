"""The one drainer of the outbox: sends what is due, in rounds, and stores each outcome under the run's claim."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from app import database
from app.features import Feature, enabled_organizations
from app.integrations.errors import ErrorKind, VendorError
from app.integrations.game_platform.client import GamePlatformClient
from app.services import fan_out, job_runs, outbox_rows, roster_push_store
from app.services.job_runs import Claim
from app.services.outbox_rows import Outcome, Push
from app.services.roster_push import Delivery, RosterPush
from app.tables.outbox import OutboxState, PushKind

CONCURRENCY = 8
PUSHES_PER_SLOT = 4
AWAY_SECONDS = 60.0
FIRST = (PushKind.COACH, PushKind.TEAM, PushKind.MEMBERSHIP)
LAST = (PushKind.TEAM_DELETION,)


# Teams and memberships of before the outbox, and whatever else came into the tables without a row of their own.
MISSING = """
    select t.organization_id, 'team' as kind, t.id from teams t
    where t.game_platform_synced_at is null and t.archived_at is null and t.closed_at is null
        and t.organization_id = any($1) and not exists (select from outbox o where o.subject_id = t.id)
    union all
    select c.organization_id, 'membership', c.id from team_memberships m
    join competitors c on c.id = m.competitor_id join teams t on t.id = m.team_id
    where m.game_platform_synced_at is null and t.archived_at is null and c.archived_at is null
        and c.organization_id = any($1) and not exists (select from outbox o where o.subject_id = c.id)
    order by 1, 2 desc, 3
"""

# Whoever a push was held for is there now.
RELEASE = """
    update outbox set next_attempt_at = clock_timestamp(), held_for = null
    where id = any(array(
        select o.id from outbox o
        where o.state = 'waiting' and o.held_for is not null and (
            exists (select from users u
                where u.id = o.held_for and u.metactf_user_status = 'approved' and u.game_platform_id is not null)
            or exists (select from competitors c
                where c.id = o.held_for and c.metactf_user_status = 'approved' and c.game_platform_id is not null
                and (c.data_consent or c.division not in ('middle_school', 'high_school')))
            or exists (select from teams t where t.id = o.held_for and t.game_platform_synced_at is not null)
        ) for update of o skip locked
    ))
"""


@dataclass(frozen=True, slots=True)
class DrainResult:
    """`total` = sent + waiting + parked + discarded; a push that was sent twice counts twice."""

    sent: int = 0
    waiting: int = 0
    parked: int = 0
    discarded: int = 0

    def as_counts(self) -> dict[str, int]:
        counts = {state.value: getattr(self, state) for state in OutboxState}
        return {"total": sum(counts.values()), **counts}


async def drain(
    claim: Claim, client: GamePlatformClient, *, organization_ids: Sequence[UUID] | None = None,
    concurrency: int = CONCURRENCY,
) -> DrainResult:
    """Sends what is due, round by round, until nothing is or the vendor is away: then everything waits a while."""
    if organization_ids is None:
        organization_ids = await enabled_organizations(Feature.ROSTER_SYNC)
    await add_missing(organization_ids)
    counts: Counter[str] = Counter()
    away: VendorError | None = None
    while away is None and (pushes := await _claim(claim, organization_ids, concurrency * PUSHES_PER_SLOT)):
        work = _Round(claim, client)
        outcomes = await fan_out.each(pushes, work.take, concurrency=concurrency)
        counts.update(outcome.state.value for outcome in outcomes)
        away = work.away
    if away is not None:
        await outbox_rows.put_off(organization_ids, _pause(away))
    return DrainResult(**counts)


async def _claim(claim: Claim, organization_ids: Sequence[UUID], limit: int) -> list[Push]:
    """Deletions come when everything before them is settled."""
    await database.execute(RELEASE)
    pushes = await outbox_rows.claim(claim, FIRST, organization_ids, limit=limit)
    return pushes or await outbox_rows.claim(claim, LAST, organization_ids, limit=limit)


class _Round:
    """Pushes that were claimed together. Once the vendor is away, the rest are not tried."""

    def __init__(self, claim: Claim, client: GamePlatformClient) -> None:
        self._claim = claim
        self._roster = RosterPush(claim, client)
        self.away: VendorError | None = None

    async def take(self, push: Push) -> Outcome:
        delivery = await self._roster.deliver(push) if self.away is None else self._put_back(push, self.away)
        if delivery.away is not None and _is_gone(delivery.away):
            self.away = delivery.away
        await self._settle(delivery)
        return delivery.outcome

    def _put_back(self, push: Push, away: VendorError) -> Delivery:
        reason = f"The Game Platform could not be asked: {away.message}. This is tried again."
        return Delivery(push, Outcome(OutboxState.WAITING, reason, _pause(away)))

    async def _settle(self, delivery: Delivery) -> None:
        push, outcome = delivery.push, delivery.outcome
        async with database.transaction():
            await job_runs.keep(self._claim)
            await roster_push_store.store_trouble(push, outcome.reason)
            await roster_push_store.store_traces(push, delivery.effects, outcome.state.value, outcome.reason)
            await delivery.store()
            await outbox_rows.settle(self._claim, push, outcome)


def _is_gone(error: VendorError) -> bool:
    """One call that broke is nothing; a breaker that is open, a refused token or a limit concerns everybody."""
    return error.permanent or error.kind is not ErrorKind.UNAVAILABLE


def _pause(error: VendorError) -> float:
    return max(error.retry_after_seconds or AWAY_SECONDS, 1.0)


async def add_missing(organization_ids: Sequence[UUID]) -> int:
    """Rows for what the vendor never heard of; answers how many. Costs two short walks when there is nothing."""
    rows = await database.fetch(MISSING, list(organization_ids))
    for organization_id, kind in dict.fromkeys((row["organization_id"], row["kind"]) for row in rows):
        subjects = [row["id"] for row in rows if (row["organization_id"], row["kind"]) == (organization_id, kind)]
        await outbox_rows.add_many(PushKind(kind), subjects, organization_id=organization_id)
    return len(rows)
