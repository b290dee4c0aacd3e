"""What happened to a team stays readable when the team is gone: its name and whose it was go into the events."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.table import Table

ID = "2026-11-21T06:21:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "Events of deleted teams"

INDEXES = {
    "activity_events_team_idx": "index {} on activity_events (team_id) where team_id is not null",
    "activity_events_import_idx":
        "index {} on activity_events (organization_id, at, user_id) where kind = 'roster_imported'",
}

# Before the row goes: after it the events name no team any more.
KEEP_NAME = """
create function keep_name_of_team() returns trigger language plpgsql as $$
begin
    update activity_events set details = details || jsonb_build_object('gone_team', jsonb_build_object(
        'id', old.id, 'name', old.name, 'coach_id', old.coach_id, 'division', old.division))
    where team_id = old.id;
    return old;
end $$
"""
KEEP = """
create trigger keep_name_of_team before delete on teams for each row execute function keep_name_of_team()
"""


class Raw(Table):
    """Something to run SQL on."""


async def create() -> None:
    for name, definition in INDEXES.items():
        await Raw.raw(f"create {definition.format(name)}")
    for statement in (KEEP_NAME, KEEP):
        await Raw.raw(statement)


async def drop() -> None:
    await Raw.raw("drop trigger keep_name_of_team on teams")
    await Raw.raw("drop function keep_name_of_team")
    for name in INDEXES:
        await Raw.raw(f"drop index {name}")


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="app", description=DESCRIPTION)
    manager.add_raw(create)
    manager.add_raw_backwards(drop)
    return manager
