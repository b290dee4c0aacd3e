"""The leaderboard's sort and search indexes: every sort and single filter is a walk along one of them."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.table import Table

ID = "2026-11-21T00:11:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "Leaderboard indexes"

# Words of name, handle and team, folded; array_to_tsvector keeps them as they are and GIN answers prefixes of them.
SEARCH_COLUMN = "alter table standings add column words tsvector not null default ''::tsvector"


class Raw(Table):
    """Something to run SQL on."""


async def create() -> None:
    await Raw.raw(SEARCH_COLUMN)


async def drop() -> None:
    await Raw.raw("alter table standings drop column words")


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="app", description=DESCRIPTION)
    manager.add_raw(create)
    manager.add_raw_backwards(drop)
    return manager
