"""What hangs on a competitor and changes hands with a merge: what tells of the person, and what an account brought."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from app import database

LOGS = ("activity_events", "disclosure_log", "password_help_requests", "quarantine")
SCORES = (
    "game_platform_sync_state", "game_platform_challenge_solves", "game_platform_flash_ctf_events",
    "game_platform_stats",
)

# What one run told of both stays with each.
UNLESS_TOLD = """and not exists (select from activity_events other
    where other.competitor_id = $2 and other.run_id = t.run_id and other.kind = t.kind)"""


async def move_logs(from_id: UUID, to_id: UUID) -> dict[str, list[str]]:
    """The keys of the rows that moved, by table."""
    moved = {}
    for table in LOGS:
        unless = UNLESS_TOLD if table == "activity_events" else ""
        rows = await database.fetch(
            f"""update {table} t set competitor_id = $2 where t.competitor_id = $1 {unless}
                returning t.id::text as key""",  # noqa: S608
            from_id, to_id,
        )
        moved[table] = [row["key"] for row in rows]
    return moved


async def move_logs_back(from_id: UUID, to_id: UUID, moved: Mapping[str, Sequence[str]]) -> None:
    for table, keys in moved.items():
        await database.execute(
            f"""update {table} set competitor_id = $2
                where competitor_id = $1 and id::text = any($3::text[])""",  # noqa: S608
            from_id, to_id, keys,
        )


async def move_scores(from_id: UUID, to_id: UUID) -> None:
    """All of them: the other has no account. What it brings later goes the same way back."""
    await database.execute("delete from game_platform_stats where competitor_id = $1", to_id)
    for table in SCORES:
        await database.execute(
            f"update {table} set competitor_id = $2 where competitor_id = $1", from_id, to_id  # noqa: S608
        )
