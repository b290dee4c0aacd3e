from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.columns.base import OnDelete
from piccolo.columns.column_types import ForeignKey, SmallInt
from piccolo.columns.indexes import IndexMethod
from piccolo.constraints import Check

ID = "2026-11-21T06:20:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "What is promised to an organization and how much it may ask for"


async def forwards():
    manager = MigrationManager(
        migration_id=ID, app_name="app", description=DESCRIPTION
    )

    manager.add_column(
        table_class_name="Organization",
        tablename="organizations",
        column_name="active_look_minutes",
        db_column_name="active_look_minutes",
        column_class_name="SmallInt",
        column_class=SmallInt,
        params={
            "default": 30,
            "null": False,
            "primary_key": False,
            "unique": False,
            "index": False,
            "index_method": IndexMethod.btree,
            "choices": None,
            "db_column_name": None,
            "secret": False,
        },
        schema=None,
    )

    manager.add_column(
        table_class_name="Organization",
        tablename="organizations",
        column_name="additions_at_once",
        db_column_name="additions_at_once",
        column_class_name="SmallInt",
        column_class=SmallInt,
        params={
            "default": 200,
            "null": False,
            "primary_key": False,
            "unique": False,
            "index": False,
            "index_method": IndexMethod.btree,
            "choices": None,
            "db_column_name": None,
            "secret": False,
        },
        schema=None,
    )

    manager.add_column(
        table_class_name="Organization",
        tablename="organizations",
        column_name="exports_per_hour",
        db_column_name="exports_per_hour",
        column_class_name="SmallInt",
        column_class=SmallInt,
        params={
            "default": 600,
            "null": False,
            "primary_key": False,
            "unique": False,
            "index": False,
            "index_method": IndexMethod.btree,
            "choices": None,
            "db_column_name": None,
            "secret": False,
        },
        schema=None,
    )

    manager.add_column(
        table_class_name="Organization",
        tablename="organizations",
        column_name="idle_look_minutes",
        db_column_name="idle_look_minutes",
        column_class_name="SmallInt",
        column_class=SmallInt,
        params={
            "default": 480,
            "null": False,
            "primary_key": False,
            "unique": False,
            "index": False,
            "index_method": IndexMethod.btree,
            "choices": None,
            "db_column_name": None,
            "secret": False,
        },
        schema=None,
    )

    manager.add_column(
        table_class_name="Organization",
        tablename="organizations",
        column_name="moderate_look_minutes",
        db_column_name="moderate_look_minutes",
        column_class_name="SmallInt",
        column_class=SmallInt,
        params={
            "default": 120,
            "null": False,
            "primary_key": False,
            "unique": False,
            "index": False,
            "index_method": IndexMethod.btree,
            "choices": None,
            "db_column_name": None,
            "secret": False,
        },
        schema=None,
    )

    manager.add_column(
        table_class_name="Organization",
        tablename="organizations",
        column_name="password_mails_per_hour",
        db_column_name="password_mails_per_hour",
        column_class_name="SmallInt",
        column_class=SmallInt,
        params={
            "default": 20,
            "null": False,
            "primary_key": False,
            "unique": False,
            "index": False,
            "index_method": IndexMethod.btree,
            "choices": None,
            "db_column_name": None,
            "secret": False,
        },
        schema=None,
    )

    manager.add_column(
        table_class_name="Organization",
        tablename="organizations",
        column_name="sync_pause_minutes",
        db_column_name="sync_pause_minutes",
        column_class_name="SmallInt",
        column_class=SmallInt,
        params={
            "default": 5,
            "null": False,
            "primary_key": False,
            "unique": False,
            "index": False,
            "index_method": IndexMethod.btree,
            "choices": None,
            "db_column_name": None,
            "secret": False,
        },
        schema=None,
    )

    manager.add_column(
        table_class_name="Organization",
        tablename="organizations",
        column_name="syncs_per_hour",
        db_column_name="syncs_per_hour",
        column_class_name="SmallInt",
        column_class=SmallInt,
        params={
            "default": 10,
            "null": False,
            "primary_key": False,
            "unique": False,
            "index": False,
            "index_method": IndexMethod.btree,
            "choices": None,
            "db_column_name": None,
            "secret": False,
        },
        schema=None,
    )

    manager.alter_column(
        table_class_name="ActivityEvent",
        tablename="activity_events",
        column_name="team_id",
        db_column_name="team_id",
        params={"on_delete": OnDelete.set_null},
        old_params={"on_delete": OnDelete.cascade},
        column_class=ForeignKey,
        old_column_class=ForeignKey,
        schema=None,
    )

    manager.add_constraint(
        table_class_name="Organization",
        tablename="organizations",
        constraint_name="organizations_limits_check",
        constraint_class=Check,
        params={
            "condition": (
                "syncs_per_hour between 1 and 100"
                " and sync_pause_minutes between 1 and 60"
                " and additions_at_once between 1 and 200"
                " and password_mails_per_hour between 1 and 100"
                " and exports_per_hour between 10 and 1200"
            )
        },
        schema=None,
    )

    manager.add_constraint(
        table_class_name="Organization",
        tablename="organizations",
        constraint_name="organizations_promises_check",
        constraint_class=Check,
        params={
            "condition": (
                "active_look_minutes between 5 and 30"
                " and moderate_look_minutes between active_look_minutes and 120"
                " and idle_look_minutes between moderate_look_minutes and 480"
            )
        },
        schema=None,
    )

    return manager
