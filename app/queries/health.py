"""Whether the parts of the installation that others depend on are well."""

from dataclasses import dataclass

from app import database

WORKER_SECONDS = 60
OVERDUE_SECONDS = 120


@dataclass(frozen=True, slots=True)
class Health:
    is_well: bool
    why: str


async def database_health() -> Health:
    await database.fetchval("select 1")
    return Health(True, "The database answers.")


async def worker_health() -> Health:
    age = await database.fetchval(
        "select extract(epoch from clock_timestamp() - max(last_heard_at))::bigint from workers"
    )
    if age is None:
        return Health(False, "No worker is running. Start one: bin/sideline worker")
    return Health(age <= WORKER_SECONDS, f"A worker was last heard {age} seconds ago.")


async def scheduler_health() -> Health:
    row = await database.fetchrow(
        """select name, extract(epoch from clock_timestamp() - next_run_at)::bigint as overdue_seconds
           from job_schedules where enabled order by next_run_at limit 1"""
    )
    if row is None:
        return Health(False, "There is no schedule yet; a worker makes them when it starts.")
    if row["overdue_seconds"] > OVERDUE_SECONDS:
        return Health(
            False,
            f"{row['name']} is overdue by {row['overdue_seconds']} seconds: no worker looks at the schedules, or "
            "its expression cannot be read.",
        )
    return Health(True, "Every schedule is on time.")
