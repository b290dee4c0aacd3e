"""Looking whether the installation needs somebody, and keeping what was seen.

Any process may look; one row says when somebody looked last, so that one look per interval is made by all of them
together. It works without a worker: web processes look too.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

import asyncpg

from app import database
from app.domain import alarm_episodes
from app.domain.alarm_episodes import SAME_ALARM_WITHIN, Known, Plan
from app.domain.alarm_rules import Cause, Facts, Finding, failure_reason, findings, hidden_causes
from app.domain.pauses import Scope
from app.domain.readers import Reader
from app.services import alarm_deliveries, alarm_facts, pauses
from app.tables.alarms import Told

LOOK_INTERVAL = timedelta(seconds=20)

_TAKE_TURN = """
insert into alarm_looks as l (id, looked_at, worker_heard_at)
values (1, clock_timestamp(), coalesce((select max(last_heard_at) from workers), clock_timestamp()))
on conflict (id) do update set looked_at = clock_timestamp(),
    worker_heard_at = greatest(l.worker_heard_at, (select max(last_heard_at) from workers))
    where l.looked_at <= clock_timestamp() - $1::interval
returning l.looked_at, l.worker_heard_at
"""
_KNOWN = """
select distinct on (cause, subject) id as alarm_id, cause, subject, reason, resolved_at, openings,
    flapping_since is not null as is_flapping, gone_at
from alarms where resolved_at is null or resolved_at > $1::timestamptz - $2::interval
order by cause, subject, opened_at desc
"""
_OPEN = """
insert into alarms (cause, subject, since, reason) values ($1, $2, $3, $4)
on conflict (cause, subject) where resolved_at is null do nothing returning id
"""
_REOPEN = """
update alarms a set resolved_at = null, openings = openings + 1, since = $2, reason = $3, gone_at = null,
    opened_at = clock_timestamp(), flapping_since = case when $4 then coalesce(flapping_since, clock_timestamp()) end
where id = $1 and resolved_at is not null
    and not exists (select from alarms o where o.cause = a.cause and o.subject = a.subject and o.resolved_at is null)
returning id
"""
_RESOLVE = """
update alarms set resolved_at = clock_timestamp(), gone_at = null where id = any($1::uuid[]) and resolved_at is null
returning id
"""
_LIFT = """
select p.name from pauses p where p.scope = 'kind' and p.is_automatic and exists (
    select from job_runs r where r.kind = p.name and r.state = 'succeeded' and r.finished_at > p.paused_at)
"""


async def look(*, interval: timedelta = LOOK_INTERVAL) -> bool:
    """False where somebody else has looked within the interval."""
    turn = await database.fetchrow(_TAKE_TURN, interval)
    if turn is None:
        return False
    await _lift_stops()
    facts = await alarm_facts.gather(turn["looked_at"], turn["worker_heard_at"])
    found = findings(facts)
    await _store(await _plan(found, facts.now))
    await _stop_failing(facts)
    return True


async def resume(reader: Reader, kind: str) -> bool:
    """Lets a kind start by itself again; its failures count anew. False where it was not stopped."""
    resumed = await pauses.resume(Scope.KIND, kind, actor=reader, is_automatic=True)
    await look(interval=timedelta())
    return resumed


async def _plan(found: tuple[Finding, ...], now: datetime) -> Plan:
    rows = await database.fetch(_KNOWN, now, SAME_ALARM_WITHIN)
    return alarm_episodes.plan(map(_known, rows), found, now, hidden=hidden_causes(found))


def _known(row: asyncpg.Record) -> Known:
    return Known(**{**row, "cause": Cause(row["cause"])})


async def _store(plan: Plan) -> None:
    """Two that looked at the same time open and end each episode once, and tell of it once."""
    if plan.is_empty:
        return
    async with database.transaction():
        opened = [await _open(finding) for finding in plan.opened]
        opened += [await _reopen(alarm_id, finding, flaps=False) for alarm_id, finding in plan.reopened]
        flapping = [await _reopen(alarm_id, finding, flaps=True) for alarm_id, finding in plan.flapping]
        resolved = await database.fetch(_RESOLVE, plan.resolved)
        await database.execute("update alarms set gone_at = clock_timestamp() where id = any($1::uuid[])", plan.gone)
        await database.execute("update alarms set gone_at = null where id = any($1::uuid[])", plan.back)
        for alarm_id, reason in plan.reworded:
            await database.execute("update alarms set reason = $2 where id = $1", alarm_id, reason)
        await _tell(Told.OPENED, opened)
        await _tell(Told.FLAPPING, flapping)
        await _tell(Told.RESOLVED, [row["id"] for row in resolved])


async def _open(finding: Finding) -> UUID | None:
    opened: UUID | None = await database.fetchval(
        _OPEN, finding.cause.value, finding.subject, finding.since, finding.reason
    )
    return opened


async def _reopen(alarm_id: UUID, finding: Finding, *, flaps: bool) -> UUID | None:
    reopened: UUID | None = await database.fetchval(_REOPEN, alarm_id, finding.since, finding.reason, flaps)
    return reopened


async def _tell(told: Told, alarm_ids: Sequence[UUID | None]) -> None:
    if ids := [alarm_id for alarm_id in alarm_ids if alarm_id]:
        await alarm_deliveries.add(told, ids)


async def _stop_failing(facts: Facts) -> None:
    """What keeps failing does not start by itself any more; what a person asks for still runs."""
    failing = {finding.subject for finding in findings(facts) if finding.cause is Cause.REPEATED_FAILURE}
    for streak in facts.streaks:
        if streak.kind in failing and not streak.is_stopped:
            await pauses.pause(
                Scope.KIND, streak.kind, reason=failure_reason(streak), actor=None, actor_label="alarms",
                is_automatic=True,
            )


async def _lift_stops() -> None:
    """A run that succeeded since, which somebody asked for, shows that the cause is gone."""
    for row in await database.fetch(_LIFT):
        await pauses.resume(
            Scope.KIND, row["name"], actor=None, actor_label="a run that succeeded", is_automatic=True
        )
