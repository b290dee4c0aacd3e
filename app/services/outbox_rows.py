"""The rows of the outbox: asked for in the transaction of a change, claimed by a run, settled with their outcome."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

from app import database
from app.domain.readers import Reader
from app.services import job_runs
from app.services.job_runs import Claim, LeaseLost
from app.tables.outbox import OutboxState, PushKind

FIRST_RETRY_SECONDS = 2.0
LONGEST_RETRY_SECONDS = 60.0

ADD = """
    insert into outbox as o (organization_id, kind, subject_id, platform_id, actor_id)
    select $1, $2, s.id, coalesce(t.game_platform_id, t.id::text, (
        select earlier.platform_id from outbox earlier where earlier.subject_id = s.id order by earlier.id desc limit 1
    )), $4
    from unnest($3::uuid[]) as s (id) left join teams t on t.id = s.id order by s.id
    on conflict (kind, subject_id) where state in ('waiting', 'parked') do update set
        state = 'waiting', asked = o.asked + 1, attempts = 0, next_attempt_at = clock_timestamp(), held_for = null,
        reason = null, asked_at = now(), actor_id = coalesce(excluded.actor_id, o.actor_id)
"""

# A row belongs to the run that claimed it for as long as that run's lease holds, and no longer.
IS_TAKEN = """exists (select from job_runs r where r.id = {row}.run_id and r.fence = {row}.fence
    and r.state = 'running' and r.lease_until > clock_timestamp())"""

CLAIM = f"""
    with due as (
        select o.id from outbox o
        where o.state = 'waiting' and o.next_attempt_at <= clock_timestamp() and o.organization_id = any($3)
            and o.kind = any($4) and not {IS_TAKEN.format(row="o")}
            and (o.kind <> 'team_deletion' or not exists (select from outbox other
                where other.organization_id = o.organization_id and {IS_TAKEN.format(row="other")}))
        order by o.actor_id is null, o.id limit $5 for update of o skip locked
    )
    update outbox o set run_id = $1, fence = $2, attempts = o.attempts + 1
    from due where o.id = due.id
    returning o.id, o.organization_id, o.kind, o.subject_id, o.platform_id, o.actor_id, o.asked, o.attempts
"""  # noqa: S608

# Whoever asked again meanwhile is not answered by what was sent before.
SETTLE = """
    update outbox set
        state = case when state <> 'waiting' then state when asked > $4 then 'waiting' else $5::text end,
        reason = case when asked > $4 then null else $6 end,
        next_attempt_at = clock_timestamp() + make_interval(secs => case when asked > $4 then 0 else $7::float8 end),
        held_for = case when asked > $4 then null else $8::uuid end,
        finished_at = case when asked = $4 and $5::text <> 'waiting' then clock_timestamp() end,
        run_id = null, fence = null
    where id = $1 and run_id = $2 and fence = $3 returning id
"""


@dataclass(frozen=True, slots=True)
class Push:
    """A claimed row. `asked` tells whether somebody asked again while it was sent."""

    id: int
    organization_id: UUID
    kind: PushKind
    subject_id: UUID
    platform_id: str | None
    actor_id: UUID | None
    asked: int
    attempts: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a push. A waiting one is asked again after `retry_seconds`, or when `held_for` is approved."""

    state: OutboxState
    reason: str | None = None
    retry_seconds: float = 0.0
    held_for: UUID | None = None


async def add(kind: PushKind, subject_id: UUID, *, organization_id: UUID, actor: Reader | None = None) -> None:
    """In the caller's transaction, after its locks on competitors, teams and memberships."""
    await add_many(kind, [subject_id], organization_id=organization_id, actor=actor)


async def add_many(
    kind: PushKind, subject_ids: Collection[UUID], *, organization_id: UUID, actor: Reader | None = None
) -> None:
    await database.execute(
        ADD, organization_id, kind.value, list(set(subject_ids)), actor.user_id if actor else None
    )


async def drop(kind: PushKind, subject_id: UUID, reason: str) -> None:
    """What a later change made pointless."""
    await database.execute(
        """update outbox set state = 'discarded', reason = $3, finished_at = now()
           where kind = $1 and subject_id = $2 and state in ('waiting', 'parked')""",
        kind.value, subject_id, reason,
    )


async def claim(
    claim: Claim, kinds: Sequence[PushKind], organization_ids: Sequence[UUID], *, limit: int
) -> list[Push]:
    """Rows that are due and nobody's: what people asked for first, then the oldest. A deletion waits until nothing
    else is being sent."""
    async with database.transaction():
        await job_runs.keep(claim)
        rows = await database.fetch(
            CLAIM, claim.run_id, claim.fence, list(organization_ids), [kind.value for kind in kinds], limit
        )
    pushes = [Push(**{**row, "kind": PushKind(row["kind"])}) for row in rows]
    return sorted(pushes, key=lambda push: (push.actor_id is None, push.id))


async def settle(claim: Claim, push: Push, outcome: Outcome) -> None:
    """In the caller's transaction, last of all. Raises LeaseLost where another run has the row."""
    settled = await database.fetchval(
        SETTLE, push.id, claim.run_id, claim.fence, push.asked, outcome.state.value, outcome.reason,
        float(outcome.retry_seconds), outcome.held_for,
    )
    if settled is None:
        raise LeaseLost(str(push.id))


async def put_off(organization_ids: Sequence[UUID], seconds: float) -> None:
    """The vendor is away: whoever is due and nobody's need not be tried one by one."""
    await database.execute(
        f"""update outbox set next_attempt_at = clock_timestamp() + make_interval(secs => $2)
            where id = any(array(
                select o.id from outbox o
                where o.state = 'waiting' and o.next_attempt_at <= clock_timestamp() and o.organization_id = any($1)
                    and not {IS_TAKEN.format(row="o")} for update of o skip locked))""",  # noqa: S608
        list(organization_ids), float(seconds),
    )


async def is_any_due(organization_ids: Sequence[UUID] | None = None) -> bool:
    due: bool = await database.fetchval(
        f"""select exists (select from outbox o where o.state = 'waiting' and o.next_attempt_at <= clock_timestamp()
                and ($1::uuid[] is null or o.organization_id = any($1)) and not {IS_TAKEN.format(row="o")})""",  # noqa: S608
        None if organization_ids is None else list(organization_ids),
    )
    return due
