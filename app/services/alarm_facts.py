"""What the alarm rules judge, read on the database's clock. Each statement stands alone and is bounded by an index."""

import asyncio
import shutil
from datetime import datetime
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from app import database
from app.domain.alarm_rules import (
    FAILURES_IN_A_ROW,
    LATE_LOOK,
    PASSING,
    SCHEDULE_GRACE,
    DatabaseState,
    EndingToken,
    Facts,
    FailingVendor,
    LateTier,
    Overdue,
    Streak,
)
from app.domain.sync_tiers import MODERATE_SCORE, Tier
from app.features import Feature, enabled_organizations, is_enabled_anywhere
from app.queue import JOB_KINDS, open_kinds
from app.settings import Settings, get_settings
from app.tables.jobs import AUTOMATIC

# An organization may promise more than the installation does, never less.
_LATE = """
with looks as (
    select t.tier, coalesce(s.last_success_at, s.due_at) as looked_at,
        make_interval(mins => least(($3::int[])[t.place], case t.place when 1 then o.active_look_minutes
            when 2 then o.moderate_look_minutes else o.idle_look_minutes end)) as promise
    from game_platform_sync_state s join competitors c on c.id = s.competitor_id
    join organizations o on o.id = c.organization_id
    cross join lateral (
        select case when s.active_until > now() then 1 when c.game_platform_activity_score >= $1 then 2 else 3 end
            as place
    ) p
    join unnest($4::text[]) with ordinality as t (tier, place) using (place)
    where c.archived_at is null and c.metactf_user_status = 'approved' and c.organization_id = any($2::uuid[])
)
select tier, count(*)::int as late, min(looked_at + promise) as since
from looks where looked_at < now() - promise - $5::interval group by tier order by tier
"""

_DUE = """
select count(*)::int as due, min(next_attempt_at) as oldest from (
    select next_attempt_at from job_runs
    where state = 'queued' and next_attempt_at <= clock_timestamp()
        and (kind = any($1::text[]) or kind = any($2::text[]) and trigger <> all($3::text[]))
    order by next_attempt_at limit 1000) due
"""

# The latest automatic runs of each kind that ended, since somebody resumed it last.
_STREAKS = """
select k.kind, r.runs, r.since, r.error_class, p.kind is not null as is_stopped
from unnest($1::text[]) as k (kind)
left join (select name as kind from pauses where scope = 'kind' and is_automatic) p on p.kind = k.kind
left join failure_resets f on f.kind = k.kind
cross join lateral (
    select count(*) filter (where state = 'failed' and error_class <> all($4::text[]))::int as runs,
        min(finished_at) as since, (array_agg(error_class order by finished_at desc))[1] as error_class
    from (select state, finished_at, coalesce(error_class, '') as error_class from job_runs
        where kind = k.kind and state in ('succeeded', 'failed') and trigger = any($2::text[])
            and finished_at > coalesce(f.counted_from, '-infinity')
        order by queued_at desc limit $3) latest
) r
where r.runs >= $3 or p.kind is not null
"""

_DATABASE = """
select (select count(*)::int from pg_stat_activity where backend_type = 'client backend') as connections,
    current_setting('max_connections')::int as max_connections,
    (select min(xact_start) from pg_stat_activity
        where backend_type = 'client backend' and datname = current_database() and pid <> pg_backend_pid()
    ) as oldest_transaction_at,
    pg_is_in_recovery() or current_setting('transaction_read_only')::bool as is_read_only
"""


async def gather(now: datetime, worker_heard_at: datetime) -> Facts:
    settings = get_settings()
    due, oldest_due_at = await _due()
    return Facts(
        now=now, worker_heard_at=worker_heard_at, late_tiers=await _late_tiers(settings), due=due,
        oldest_due_at=oldest_due_at, schedules=await _overdue(), vendors=await _failing_vendors(),
        streaks=await streaks(), free_disk_bytes=await _free_disk_bytes(settings), database=await _database_state(),
        tokens=await _ending_tokens(),
    )


async def _late_tiers(settings: Settings) -> tuple[LateTier, ...]:
    organizations = await enabled_organizations(Feature.SCORE_INGESTION)
    if not organizations:
        return ()
    rows = await database.fetch(
        _LATE, MODERATE_SCORE, organizations, list(settings.game_platform_look_minutes),
        [tier.value for tier in Tier], LATE_LOOK,
    )
    return tuple(LateTier(**row) for row in rows)


async def _due() -> tuple[int, datetime | None]:
    """What is paused waits rightly."""
    kinds = await open_kinds(JOB_KINDS)
    row = await database.fetchrow(_DUE, list(kinds.all), list(kinds.asked_for), sorted(AUTOMATIC))
    assert row
    return row["due"], row["oldest"]


async def _overdue() -> tuple[Overdue, ...]:
    rows = await database.fetch(
        """select name, next_run_at from job_schedules
           where enabled and next_run_at < clock_timestamp() - $1::interval order by next_run_at limit 100""",
        SCHEDULE_GRACE,
    )
    return tuple(Overdue(**row) for row in rows)


async def _failing_vendors() -> tuple[FailingVendor, ...]:
    """A vendor that is off is not asked, and what it said last is no trouble any more."""
    rows = await database.fetch(
        "select vendor, reason, message, opened_at as since from vendor_breakers where opened_at is not null"
    )
    known = {feature.value: feature for feature in Feature}
    return tuple([
        FailingVendor(**row) for row in rows
        if row["vendor"] not in known or await is_enabled_anywhere(known[row["vendor"]])
    ])


async def streaks() -> tuple[Streak, ...]:
    rows = await database.fetch(_STREAKS, list(JOB_KINDS), sorted(AUTOMATIC), FAILURES_IN_A_ROW, sorted(PASSING))
    now: datetime = await database.fetchval("select clock_timestamp()")
    return tuple(
        Streak(row["kind"], row["runs"], row["since"] or now, row["error_class"] or "", row["is_stopped"])
        for row in rows
    )


async def _database_state() -> DatabaseState:
    row = await database.fetchrow(_DATABASE)
    assert row
    return DatabaseState(**row)


async def _free_disk_bytes(settings: Settings) -> int | None:
    """Only where the database is the embedded one: another server's disk cannot be seen from here."""
    folder = _embedded_folder(settings)
    return (await asyncio.to_thread(shutil.disk_usage, folder)).free if folder else None


def _embedded_folder(settings: Settings) -> Path | None:
    """The embedded server is reached by a socket in its own folder."""
    host = parse_qs(urlsplit(settings.database_url or "").query).get("host", [""])[0]
    return settings.var_dir if host.startswith("/") and settings.var_dir.is_dir() else None


async def _ending_tokens() -> tuple[EndingToken, ...]:
    """Vendors' tokens whose end is known."""
    return ()
