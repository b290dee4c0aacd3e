"""The tables and the folder of their migrations, for Piccolo."""

from piccolo.conf.apps import AppConfig, table_finder

from app.settings import ROOT

TABLE_MODULES = [
    "accounts", "rosters", "scores", "standings", "jobs", "vendors", "history", "flags", "password_help", "outbox",
    "drift", "coverage", "practice_hours", "alerts", "roster_history", "calendars", "looks",
    "alarms",
]

APP_CONFIG = AppConfig(
    app_name="app",
    migrations_folder_path=str(ROOT / "piccolo_migrations"),
    table_classes=list(dict.fromkeys(table_finder([f"app.tables.{name}" for name in TABLE_MODULES]))),
    migration_dependencies=[],
)
