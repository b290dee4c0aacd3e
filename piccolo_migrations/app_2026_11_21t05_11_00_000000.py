"""The runs of one schedule, newest first; and which built-in schedules a person had changed before that was kept."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.table import Table

ID = "2026-11-21T05:11:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "The last runs of a schedule"

INDEX = "create index job_runs_schedule_idx on job_runs (schedule_id, queued_at desc) where schedule_id is not null"
CHANGED = """
update job_schedules set is_changed = true
where is_built_in and (zone <> 'UTC' or payload <> jsonb_build_object() or cron <> all(case name
    when 'game_platform_sync' then array['*/5 * * * *', '*/30 * * * *']
    when 'game_platform_totals_sweep' then array['0 * * * *']
    when 'game_platform_onboarding' then array['*/10 * * * *']
    when 'outbox_drain' then array['* * * * *']
    when 'game_platform_roster_reconcile' then array['*/30 * * * *']
    when 'job_cleanup' then array['15 3 * * *']
    else array['*/5 * * * *'] end))
"""


class Raw(Table):
    """Something to run SQL on."""


async def create() -> None:
    await Raw.raw(INDEX)
    await Raw.raw(CHANGED)


async def drop() -> None:
    await Raw.raw("drop index job_runs_schedule_idx")


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="app", description=DESCRIPTION)
    manager.add_raw(create)
    manager.add_raw_backwards(drop)
    return manager
