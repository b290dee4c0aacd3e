"""Indexes of the alarms."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.table import Table

ID = "2026-11-21T05:31:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "Indexes of the alarms"

INDEXES = {
    "alarms_open_key": "unique index {} on alarms (cause, subject) where resolved_at is null",
    "alarms_recent_idx": "index {} on alarms (opened_at desc, id desc)",
    "alarms_resolved_idx": "index {} on alarms (resolved_at)",
    "alarm_deliveries_waiting_idx": "index {} on alarm_deliveries (next_attempt_at) where state = 'waiting'",
    "alarm_deliveries_recent_idx": "index {} on alarm_deliveries (id desc)",
    "alarm_deliveries_user_idx": "index {} on alarm_deliveries (user_id)",
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
