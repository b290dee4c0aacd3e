"""Deleting runs that have ended: how many there were of each kind, day and end stays known."""

from app import database

# The day is the one in UTC on which a run ended.
_DELETE = """
with gone as (
    delete from job_runs where {condition} and state in ('succeeded', 'failed', 'cancelled')
    returning kind, state, started_at, coalesce(finished_at, queued_at) as ended_at
), counted as (
    insert into job_counts as c (day, kind, state, runs, seconds)
    select (ended_at at time zone 'UTC')::date, kind, state, count(*),
        coalesce(sum(extract(epoch from ended_at - started_at)), 0)
    from gone group by 1, 2, 3
    on conflict (day, kind, state) do update set runs = c.runs + excluded.runs, seconds = c.seconds + excluded.seconds
)
select count(*)::int from gone
"""


async def delete_ended(condition: str, *arguments: object) -> int:
    """How many were deleted. `condition` is SQL over job_runs."""
    deleted: int = await database.fetchval(_DELETE.format(condition=condition), *arguments)
    return deleted
