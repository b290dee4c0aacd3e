"""Whether the parts of the installation that others depend on are well."""

from dataclasses import dataclass

from app import database
from app.domain.alarm_rules import SCHEDULE_GRACE, WORKER_SILENCE


@dataclass(frozen=True, slots=True)
class Health:
    is_well: bool
    why: str


async def database_health() -> Health:
    is_read_only = await database.fetchval(
        "select pg_is_in_recovery() or current_setting('transaction_read_only')::bool"
    )
    if is_read_only:
        return Health(False, "The database takes no changes: it is read-only or a standby.")
    return Health(True, "The database answers.")


async def worker_health() -> Health:
    age = await database.fetchval(
        "select extract(epoch from clock_timestamp() - max(last_heard_at))::bigint from workers"
    )
    if age is None:
        return Health(False, "No worker is running. Start one: bin/sideline worker")
    return Health(age <= WORKER_SILENCE.total_seconds(), f"A worker was last heard {age} seconds ago.")


async def scheduler_health() -> Health:
    row = await database.fetchrow(
        """select name, enabled, extract(epoch from clock_timestamp() - next_run_at)::bigint as overdue_seconds
           from job_schedules order by enabled desc, next_run_at limit 1"""
    )
    if row is None:
        return Health(False, "There is no schedule yet; a worker makes them when it starts.")
    if not row["enabled"]:
        return Health(True, "Every schedule is paused.")
    if row["overdue_seconds"] > SCHEDULE_GRACE.total_seconds():
        return Health(
            False,
            f"{row['name']} is overdue by {row['overdue_seconds']} seconds: no worker looks at the schedules, or "
            "its expression cannot be read.",
        )
    return Health(True, "Every schedule is on time.")
