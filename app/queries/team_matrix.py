"""Teams by category: how many members of each have solved something at medium or above, and who is the only one."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import asyncpg

from app import database
from app.domain.coverage import Cell, Solver, all_categories
from app.queries.coverage import THRESHOLDS
from app.queries.keyset import Arguments
from app.queries.scopes import Frame

MOST_TEAMS = 12

AS_OF = "min(y.last_success_at) filter (where c.game_platform_id is not null)"


@dataclass(frozen=True, slots=True)
class Row:
    """`cells` stand in the order of the matrix's categories."""

    team_id: UUID
    name: str
    division: str
    members: int
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Matrix:
    """`teams` counts all of the frame, of which `rows` may be the first; `as_of` is the oldest look at any member."""

    categories: tuple[str, ...]
    rows: tuple[Row, ...]
    teams: int
    as_of: datetime | None
    is_late: bool
    promise: str

    @property
    def hanging_on_one(self) -> int:
        return sum(cell.members == 1 for row in self.rows for cell in row.cells)


async def matrix(frame: Frame, *, limit: int = MOST_TEAMS) -> Matrix:
    """The first teams of the frame by name. Two queries, however many there are."""
    arguments = Arguments()
    rows = await database.fetch(
        f"""select t.id, t.name, t.division, t.teams, count(c.id)::int as members, {AS_OF} as as_of
            from (select t.id, t.name, t.division, count(*) over ()::int as teams from teams t
                where t.archived_at is null and {frame.teams(arguments)}
                order by lower(t.name), t.id limit {arguments.add(limit)}) t
                left join team_memberships m on m.team_id = t.id
                left join competitors c on c.id = m.competitor_id and c.archived_at is null
                left join game_platform_sync_state y on y.competitor_id = c.id
            group by t.id, t.name, t.division, t.teams order by lower(t.name), t.id""",  # noqa: S608
        *arguments.values,
    )
    found = await cells([row["id"] for row in rows])
    categories = all_categories(category for of_team in found.values() for category in of_team)
    as_of = min((row["as_of"] for row in rows if row["as_of"]), default=None)
    return Matrix(
        categories, tuple(_row(row, categories, found.get(row["id"], {})) for row in rows),
        rows[0]["teams"] if rows else 0, as_of, frame.is_late(as_of), frame.promise,
    )


async def cells(team_ids: Sequence[UUID]) -> dict[UUID, dict[str, Cell]]:
    """Of teams that the caller may see: those categories in which a member has solved something."""
    rows = await database.fetch(
        f"""with medium as materialized ({THRESHOLDS})
            select s.*, trim(c.first_name || ' ' || c.last_name) as name, coalesce(c.metactf_username, '') as handle
            from (
                select team_id, category, count(*)::int as members, (array_agg(competitor_id))[1] as competitor_id
                from (
                    select distinct m.team_id, medium.category, c.id as competitor_id
                    from team_memberships m join competitors c on c.id = m.competitor_id and c.archived_at is null
                        join game_platform_challenge_solves v on v.competitor_id = c.id
                        join medium on medium.organization_id = c.organization_id
                            and medium.category = coalesce(nullif(v.category, ''), 'Other')
                            and v.challenge_points >= medium.points
                    where m.team_id = any($1::uuid[])
                ) solvers
                group by team_id, category
            ) s join competitors c on c.id = s.competitor_id""",  # noqa: S608
        list(team_ids),
    )
    found: dict[UUID, dict[str, Cell]] = defaultdict(dict)
    for row in rows:
        found[row["team_id"]][row["category"]] = _cell(row)
    return dict(found)


def in_order(categories: Sequence[str], found: Mapping[str, Cell]) -> tuple[Cell, ...]:
    """One cell per category, also where nobody has solved anything."""
    return tuple(found.get(category) or Cell(category, 0) for category in categories)


def _cell(row: asyncpg.Record) -> Cell:
    only = Solver(row["competitor_id"], row["name"], row["handle"]) if row["members"] == 1 else None
    return Cell(row["category"], row["members"], only)


def _row(row: asyncpg.Record, categories: Sequence[str], found: Mapping[str, Cell]) -> Row:
    return Row(row["id"], row["name"], row["division"], row["members"], in_order(categories, found))
