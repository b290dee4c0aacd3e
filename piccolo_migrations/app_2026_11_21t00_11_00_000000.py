"""The leaderboard's sort and search indexes: every sort and single filter is a walk along one of them."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.table import Table

ID = "2026-11-21T00:11:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "Leaderboard indexes"

# Words of name, handle and team, folded; array_to_tsvector keeps them as they are and GIN answers prefixes of them.
SEARCH_COLUMN = "alter table standings add column words tsvector not null default ''::tsvector"

# Each holds one sort's keys in one direction, so that both directions and every page are one walk from a known place.
SORTS = {
    "rank": 'rank, name_key collate "C", competitor_id',
    "name": 'name_key collate "C", competitor_id',
    "team": 'team_key collate "C", rank, competitor_id',
    "division": 'division, rank, name_key collate "C", competitor_id',
    "challenges": "challenges, (-rank), competitor_id",
    "last_active": "last_active_at, (-rank), competitor_id",
    **{f"gain_{window}": f"gain_{window}, (-rank), competitor_id" for window in ("7", "14", "30", "90", "year")},
}
INDEXES = {
    **{f"standings_by_{sort}_idx": f"standings (organization_id, {keys})" for sort, keys in SORTS.items()},
    "standings_coach_idx": "standings (coach_id)",
    "standings_team_idx": "standings (team_id)",
    # A refresh rewrites many rows at once; what of them waits to be put into the tree, each search has to read.
    "standings_words_idx": "standings using gin (words) with (gin_pending_list_limit = 64)",
    "standing_scopes_rank_idx": "standing_scopes (organization_id, source, category, rank, competitor_id)",
}


class Raw(Table):
    """Something to run SQL on."""


async def create() -> None:
    await Raw.raw(SEARCH_COLUMN)
    for name, definition in INDEXES.items():
        await Raw.raw(f"create index {name} on {definition}")


async def drop() -> None:
    for name in INDEXES:
        await Raw.raw(f"drop index {name}")
    await Raw.raw("alter table standings drop column words")


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="app", description=DESCRIPTION)
    manager.add_raw(create)
    manager.add_raw_backwards(drop)
    return manager
