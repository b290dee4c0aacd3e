"""What is kept only for a time, and for how long."""

from app import database
from app.services import job_counts
from app.services.job_runs import Claim, keep

BATCH_ROWS = 10_000

ENDED_WELL = "state in ('succeeded', 'cancelled') and finished_at < now() - interval '14 days'"
"""Failed runs stay until somebody deletes them."""

OUTDATED = {
    "sign_in_attempts": "at < now() - interval '30 days'",
    "sessions": "expires_at < now()",
    "one_time_links": "expires_at < now()",
    "vendor_calls": "started_at < now() - interval '30 days'",
    "roster_uploads": "created_at < now() - interval '1 day'",
    "game_platform_sync_runs": "finished_at < now() - interval '90 days'",
    "outbox": "state = 'sent' and finished_at < now() - interval '30 days'",
    "alerts": "state = 'resolved' and resolved_at < now() - interval '400 days'",
    "notifications": "at < now() - interval '180 days'",
    "roster_changes": "created_at < now() - interval '400 days'",
    "season_changes": "changed_at < now() - interval '400 days'",
    "merges": "undone_at < now() - interval '400 days'",
    "workers": "last_heard_at < now() - interval '1 day'",
}

# That the two are one person stays known; what they looked like before goes.
FADE_MERGES = f"""
    update merges set before = '{{}}', after = '{{}}', moved = '{{}}' where ctid = any(array(
        select ctid from merges where merged_at < now() - interval '400 days' and before <> '{{}}' limit {BATCH_ROWS}))
"""  # noqa: S608


async def clean_up(claim: Claim) -> dict[str, int]:
    """Deletes what is outdated, in batches that block nobody for long; answers the rows per table."""
    deleted = {"job_runs": await _delete_runs(claim)}
    deleted |= {table: await _delete(claim, table, condition) for table, condition in OUTDATED.items()}
    async with database.transaction():
        await keep(claim)
        await database.execute(FADE_MERGES)
    return deleted


async def _delete_runs(claim: Claim) -> int:
    total = 0
    while True:
        async with database.transaction():
            await keep(claim)
            deleted = await job_counts.delete_ended(
                f"ctid = any(array(select ctid from job_runs where {ENDED_WELL} limit {BATCH_ROWS}))"  # noqa: S608
            )
        total += deleted
        if deleted < BATCH_ROWS:
            return total


async def _delete(claim: Claim, table: str, condition: str) -> int:
    total = 0
    while True:
        async with database.transaction():
            await keep(claim)
            deleted = await database.execute(
                f"""delete from {table} where ctid = any(array(
                        select ctid from {table} where {condition} limit {BATCH_ROWS}))"""  # noqa: S608
            )
        total += deleted
        if deleted < BATCH_ROWS:
            return total
