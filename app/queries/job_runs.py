"""Runs as the command line, other programs and pages show them."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg

from app import database


@dataclass(frozen=True, slots=True)
class Run:
    run_id: UUID
    task_type: str
    state: str
    trigger: str
    attempts: int
    queued_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    result: dict[str, Any] | None
    error: str | None


_COLUMNS = """id, kind, state, trigger, attempts, queued_at, started_at, finished_at, result, error_class, error_text"""


async def get_run(run_id: UUID) -> Run | None:
    row = await database.fetchrow(f"select {_COLUMNS} from job_runs where id = $1", run_id)  # noqa: S608
    return None if row is None else _run(row)


async def list_runs(limit: int = 50, state: str | None = None, kind: str | None = None) -> tuple[Run, ...]:
    """The latest runs, newest first."""
    rows = await database.fetch(
        f"""select {_COLUMNS} from job_runs
            where ($2::text is null or state = $2) and ($3::text is null or kind = $3)
            order by queued_at desc, id limit $1""",  # noqa: S608
        limit, state, kind,
    )
    return tuple(_run(row) for row in rows)


async def failed_calls(run_ids: Iterable[UUID]) -> dict[UUID, str]:
    """The commonest way in which each run's calls to a vendor failed, such as "unavailable 503"."""
    rows = await database.fetch(
        """select distinct on (run_id) run_id, concat_ws(' ', outcome, status) as words from vendor_calls
           where run_id = any($1::uuid[]) and outcome not in ('ok', 'not_found')
           group by run_id, outcome, status order by run_id, count(*) desc""",
        list(run_ids),
    )
    return {row["run_id"]: row["words"] for row in rows}


def _run(row: asyncpg.Record) -> Run:
    return Run(
        run_id=row["id"],
        task_type=row["kind"],
        state=row["state"],
        trigger=row["trigger"],
        attempts=row["attempts"],
        queued_at=row["queued_at"],
        started_at=row["started_at"],
        finished_at=row["finished_at"],
        result=None if row["result"] is None else json.loads(row["result"]),
        error=_error(row["error_class"], row["error_text"]),
    )


def _error(error_class: str | None, text: str | None) -> str | None:
    if not error_class or error_class == text:
        return text
    return f"{error_class}: {text}"
