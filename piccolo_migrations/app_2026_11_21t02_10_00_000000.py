"""Indexes of the second generation's tables that Piccolo does not write by itself."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.table import Table

ID = "2026-11-21T02:10:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "Indexes of rosters outwards, tiers and drift"

INDEXES = {
    # password help
    "password_help_target_idx": "index {} on password_help_requests (competitor_id, asked_at desc)",
    "password_help_asker_idx": "index {} on password_help_requests (asked_by, asked_at desc)",
    # outbox
    "outbox_open_key": "unique index {} on outbox (kind, subject_id) where state in ('waiting', 'parked')",
    "outbox_due_idx": "index {} on outbox (next_attempt_at) where state = 'waiting'",
    "outbox_subject_idx": "index {} on outbox (subject_id)",
    "outbox_organization_idx": "index {} on outbox (organization_id, id desc)",
    "teams_unsynced_idx": "index {} on teams (id) where game_platform_synced_at is null",
    "team_memberships_unsynced_idx":
        "index {} on team_memberships (competitor_id) where game_platform_synced_at is null",
    # sync
    "sync_runs_rotation_idx": "index {} on game_platform_sync_runs (id desc) where mode = 'rotation'",
    "sync_runs_recent_idx": "index {} on game_platform_sync_runs (finished_at desc)",
    "quarantine_competitor_idx": "index {} on quarantine (competitor_id) where resolved_at is null",
    # drift
    "drift_unresolved_key":
        "unique index {} on drift (vendor, subject_type, subject_id, field) where state <> 'resolved'",
    "drift_recent_idx": "index {} on drift (state, since desc)",
    "drift_competitor_idx": "index {} on drift (competitor_id)",
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
