"""Where the vendor and our tables disagree, as a reader may see it: coaches their own people and teams, admins all."""

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

import asyncpg

from app import database
from app.domain import drift
from app.domain.readers import Reader
from app.queries.keyset import Arguments

PAGE_SIZE = 50
LAST_PAGE = 100_000

# An ignored row whose day has come is open again, whether or not anybody has looked since.
STATE = "case when d.state = 'ignored' and d.ignored_until <= now() then 'open' else d.state end"

ROWS = """
    from drift d
    left join competitors c on c.id = d.competitor_id
    left join team_memberships m on m.competitor_id = c.id
    left join teams t on d.subject_type = 'team' and t.id::text = d.subject_id
"""

COACH, TEAM = "coalesce(c.coach_id, t.coach_id)", "coalesce(m.team_id, t.id)"


@dataclass(frozen=True, slots=True)
class Filter:
    """What of it to list; empty for everything. `state` is open, ignored or resolved."""

    state: str = "open"
    subject: str = ""
    field: str = ""
    organization_id: UUID | None = None
    competitor_id: UUID | None = None
    team_id: UUID | None = None
    coach_id: UUID | None = None
    page: int = 1


@dataclass(frozen=True, slots=True)
class Row:
    """A difference with the names of what it speaks of; a team that is not the reader's has no name.

    `why_not_push` and `why_not_accept` say why a button is not offered.
    """

    id: UUID
    subject: str
    subject_id: str
    competitor_id: UUID | None
    team_id: UUID | None
    name: str
    field: str
    ours: str | None
    theirs: str | None
    agreed: str | None
    ours_name: str | None
    theirs_name: str | None
    agreed_name: str | None
    agreed_at: datetime | None
    since: datetime
    state: str
    ignored_until: datetime | None
    reason: str

    @property
    def why_not_push(self) -> str | None:
        return drift.why_not_push(self.subject, self.field, self.ours)

    @property
    def why_not_accept(self) -> str | None:
        return drift.why_not_accept(self.subject, self.field)


@dataclass(frozen=True, slots=True)
class Counts:
    open: int = 0
    ignored: int = 0
    resolved: int = 0


@dataclass(frozen=True, slots=True)
class Page:
    """`as_of`: when both sides were last compared in full; None for never."""

    rows: tuple[Row, ...]
    total: int
    by_state: Counts
    by_field: dict[str, int]
    as_of: datetime | None


async def list_drift(reader: Reader, wanted: Filter) -> Page:
    """The longest standing first. `by_state` counts over all states, `by_field` over all fields, as filtered else."""
    return Page(
        rows=await _rows(reader, wanted),
        total=sum((await _counts(reader, wanted, "1")).values()),
        by_state=await count_by_state(reader, wanted),
        by_field=await _counts(reader, replace(wanted, field=""), "d.field"),
        as_of=await compared_at(),
    )


async def get_drift(reader: Reader, drift_id: UUID) -> Row | None:
    arguments = Arguments()
    conditions = [_sight(reader, arguments), f"d.id = {arguments.add(drift_id)}"]
    rows = await _fetch(reader, arguments, conditions, "")
    return rows[0] if rows else None


async def count_by_state(reader: Reader, wanted: Filter | None = None) -> Counts:
    return Counts(**await _counts(reader, replace(wanted or Filter(), state=""), STATE))


async def compared_at() -> datetime | None:
    """When the last complete answer of the vendor was held against our tables."""
    at: datetime | None = await database.fetchval(
        """select max(started_at) from job_runs where kind = 'game_platform_roster_reconcile'
               and state = 'succeeded' and payload = '{}' and result->>'complete' = '1'"""
    )
    return at


async def _rows(reader: Reader, wanted: Filter) -> tuple[Row, ...]:
    arguments = Arguments()
    conditions = _conditions(reader, wanted, arguments)
    offset = (min(max(wanted.page, 1), LAST_PAGE) - 1) * PAGE_SIZE
    return await _fetch(reader, arguments, conditions, f"order by d.since, d.id limit {PAGE_SIZE} offset {offset}")


async def _fetch(reader: Reader, arguments: Arguments, conditions: list[str], order: str) -> tuple[Row, ...]:
    names = {side: _team_name(reader, arguments, f"d.{side}") for side in ("ours", "theirs", "agreed")}
    rows = await database.fetch(
        f"""select d.id, d.subject_type as subject, d.subject_id, d.competitor_id, {TEAM} as team_id,
                coalesce(trim(c.first_name || ' ' || c.last_name), t.name, d.subject_id) as name, d.field,
                d.ours, d.theirs, d.agreed, {names["ours"]} as ours_name, {names["theirs"]} as theirs_name,
                {names["agreed"]} as agreed_name, d.agreed_at, d.since, {STATE} as state, d.ignored_until, d.reason
            {ROWS} where {" and ".join(conditions)} {order}""",
        *arguments.values,
    )
    return tuple(_row(row) for row in rows)


def _row(row: asyncpg.Record) -> Row:
    return Row(**row)


def _team_name(reader: Reader, arguments: Arguments, side: str) -> str:
    """Teams are written by the platform's ids."""
    return f"""(select x.name from teams x where d.field = 'team' and coalesce(x.game_platform_id, x.id::text) = {side}
        and {arguments.sight(reader.sight, "x.coach_id", "x.id")} limit 1)"""  # noqa: S608


async def _counts(reader: Reader, wanted: Filter, by: str) -> dict[str, int]:
    arguments = Arguments()
    conditions = _conditions(reader, wanted, arguments)
    rows = await database.fetch(
        f"select {by} as key, count(*) as n {ROWS} where {' and '.join(conditions)} group by 1 order by 1",
        *arguments.values,
    )
    return {str(row["key"]): row["n"] for row in rows}


def _sight(reader: Reader, arguments: Arguments) -> str:
    return arguments.sight(reader.sight, COACH, TEAM)


def _conditions(reader: Reader, wanted: Filter, arguments: Arguments) -> list[str]:
    columns = {
        STATE: wanted.state, "d.subject_type": wanted.subject, "d.field": wanted.field,
        "d.organization_id": wanted.organization_id, "d.competitor_id": wanted.competitor_id, TEAM: wanted.team_id,
        COACH: wanted.coach_id,
    }
    filters = [f"{column} = {arguments.add(value)}" for column, value in columns.items() if value]
    return [_sight(reader, arguments), *filters]
