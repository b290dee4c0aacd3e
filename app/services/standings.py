"""Keeps the leaderboard's read model in step with scores and rosters.

Whoever changes either calls `mark_stale` in the same transaction, last of all; `refresh_stale` then recomputes what is
behind, once, whoever calls it. A mark holds its row until its transaction ends and a refresh takes only rows that
nobody holds, so a refresh that was asked for always sees what it was asked for.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import asyncpg

from app import database
from app.domain import folding, windows
from app.services import standings_sql

GRACE_SECONDS = 10
STATEMENT_SECONDS = 600
SORT_MEMORY = "128MB"


class RefreshTaken(Exception):
    """Another process was faster and recomputes this organization."""


@dataclass(frozen=True, slots=True)
class Claimed:
    organization_id: UUID
    zone: ZoneInfo
    year_starts_month: int
    today: date

    @property
    def window_starts(self) -> list[datetime]:
        return [
            windows.preset(name, self.today, self.zone, self.year_starts_month).starts_at for name in windows.PRESETS
        ]

    @property
    def first_spark_day(self) -> date:
        return self.today - timedelta(days=windows.SPARK_DAYS - 1)


async def mark_stale(organization_id: UUID) -> None:
    """Says that the standings are behind. Writes nothing where that is known already."""
    await database.execute(
        """insert into standing_versions (organization_id, is_stale) values ($1, true)
           on conflict (organization_id) do update set is_stale = true where not standing_versions.is_stale""",
        organization_id,
    )


async def refresh_stale() -> int:
    """Recomputes every organization that is behind or whose day turned; answers how many it recomputed."""
    await database.execute(standings_sql.ADD_MISSING_VERSIONS)
    seen: list[UUID] = []
    failures: list[Exception] = []
    refreshed = 0
    while claimed := await _claim(seen):
        seen.append(claimed.organization_id)
        try:
            await _refresh(claimed)
            refreshed += 1
        except BaseException as error:
            await mark_stale(claimed.organization_id)
            if not isinstance(error, Exception):
                raise
            if not isinstance(error, RefreshTaken):
                failures.append(error)
    if failures:
        raise failures[0]
    return refreshed


async def _claim(seen: list[UUID]) -> Claimed | None:
    """One organization that is due. Committed before its rows are read: a later mark stays, and waits for nobody."""
    row = await database.fetchrow(standings_sql.CLAIM, seen, GRACE_SECONDS)
    if row is None:
        return None
    return Claimed(
        row["organization_id"], ZoneInfo(row["time_zone"]), row["school_year_starts_month"], row["today"]
    )


async def _refresh(claimed: Claimed) -> None:
    async with database.transaction():
        if not await database.fetchval(standings_sql.TAKE, claimed.organization_id):
            raise RefreshTaken(str(claimed.organization_id))
        await database.fetchval("select set_config('work_mem', $1, true)", SORT_MEMORY)
        written, rescored = await _write_standings(claimed)
        if rescored:
            await _one_row(standings_sql.WRITE_HISTORIES, rescored, claimed.zone.key, windows.DAY_ZERO)
            written += await _write_scopes(claimed.organization_id, rescored)
        await _finish(claimed, is_changed=written > 0)


async def _write_standings(claimed: Claimed) -> tuple[int, list[UUID]]:
    """How many rows it wrote, and whose solves, division or place among the people are not what they were."""
    names = await _fold_changed_names(claimed.organization_id)
    row = await _one_row(
        standings_sql.WRITE_STANDINGS, claimed.organization_id, *names, *claimed.window_starts,
        claimed.zone.key, claimed.first_spark_day, windows.midnight(claimed.first_spark_day, claimed.zone),
    )
    return row["written"], row["rescored"]


async def _write_scopes(organization_id: UUID, rescored: list[UUID]) -> int:
    written = 0
    for scope in await database.fetch(standings_sql.TOUCHED_SCOPES, organization_id, rescored):
        written += (await _one_row(standings_sql.WRITE_SCOPE, organization_id, *scope, rescored))["written"]
    return written


async def _one_row(sql: str, *arguments: object) -> asyncpg.Record:
    """A large league's first standings take longer than a page may."""
    async with database.connection() as connection:
        row = await connection.fetchrow(sql, *arguments, timeout=STATEMENT_SECONDS)
    assert row
    return row


async def _fold_changed_names(organization_id: UUID) -> tuple[list[UUID], list[int], list[str], list[str], list[str]]:
    """Sort keys and search words of the people whose names changed, as columns."""
    rows = await database.fetch(standings_sql.CHANGED_NAMES, organization_id, folding.VERSION)
    return (
        [row["id"] for row in rows],
        [row["names_hash"] for row in rows],
        [folding.sort_key(row["last_name"], row["first_name"]) for row in rows],
        [folding.sort_key(row["team"]) or folding.AFTER_ALL for row in rows],
        [" ".join(folding.words(row["first_name"], row["last_name"], row["handle"], row["team"])) for row in rows],
    )


async def _finish(claimed: Claimed, *, is_changed: bool) -> None:
    await database.execute(
        """update standing_versions set version = version + $3::int, computed_on = $2, computed_at = now(),
               refreshing_since = null
           where organization_id = $1""",
        claimed.organization_id, claimed.today, int(is_changed),
    )
