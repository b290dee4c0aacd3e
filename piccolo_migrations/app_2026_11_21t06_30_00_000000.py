"""Which run a run repeats."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.columns.base import OnDelete, OnUpdate
from piccolo.columns.column_types import ForeignKey
from piccolo.columns.indexes import IndexMethod

ID = "2026-11-21T06:30:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "Runs that were run again"


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="app", description=DESCRIPTION)
    manager.add_column(
        table_class_name="JobRun",
        tablename="job_runs",
        column_name="retry_of",
        db_column_name="retry_of",
        column_class_name="ForeignKey",
        column_class=ForeignKey,
        params={
            "references": "self", "on_delete": OnDelete.set_null, "on_update": OnUpdate.cascade, "target_column": None,
            "null": True, "primary_key": False, "unique": False, "index": False, "index_method": IndexMethod.btree,
            "choices": None, "db_column_name": None, "secret": False,
        },
        schema=None,
    )
    return manager
