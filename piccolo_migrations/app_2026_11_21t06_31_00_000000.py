"""Indexes that the operators' list of runs walks along."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.table import Table

ID = "2026-11-21T06:31:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "Indexes of the list of runs"

INDEXES = {
    "job_runs_retry_idx": "index {} on job_runs (retry_of) where retry_of is not null",
    "job_runs_state_idx": "index {} on job_runs (state, queued_at desc)",
}


class Raw(Table):
    """Something to run SQL on."""


async def create() -> None:
    for name, definition in INDEXES.items():
        await Raw.raw(f"create {definition.format(name)}")


async def drop() -> None:
    for name in INDEXES:
        await Raw.raw(f"drop index {name}")


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="app", description=DESCRIPTION)
    manager.add_raw(create)
    manager.add_raw_backwards(drop)
    return manager
