"""What came of an action on several competitors, and the teams that they could be put on."""

import json
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from app import database
from app.domain.leaderboard import DIVISIONS
from app.domain.readers import Reader
from app.queries import competitors, onboarding

Choice = tuple[str, str]

_NAME = "coalesce(nullif(u.display_name, ''), trim(u.first_name || ' ' || u.last_name), '')"


@dataclass(frozen=True, slots=True)
class Row:
    competitor_id: UUID
    name: str
    handle: str
    outcome: str
    reason: str


@dataclass(frozen=True, slots=True)
class Change:
    """`hidden`: how many of them the reader does not see any more."""

    change_id: UUID
    action: str
    at: datetime
    rows: tuple[Row, ...]
    hidden: int

    def count(self, outcome: str) -> int:
        return sum(row.outcome == outcome for row in self.rows)


async def get_change(reader: Reader, change_id: UUID) -> Change | None:
    """None also where somebody else made it. Of those who were to be added, how far they are now."""
    record = await database.fetchrow(
        "select * from roster_changes where id = $1 and (user_id = $2 or $3)",
        change_id, reader.user_id, reader.is_admin,
    )
    if record is None:
        return None
    outcomes = {UUID(row[0]): (row[1], row[2]) for row in json.loads(record["outcomes"])}
    if record["run_id"]:
        report = await onboarding.report(reader.sight, record["run_id"])
        outcomes |= {row.competitor_id: (row.outcome, row.reason) for row in report if row.competitor_id in outcomes}
    people = await competitors.get_rows(reader.sight, outcomes)
    rows = tuple(Row(row.competitor_id, row.name, row.handle, *outcomes[row.competitor_id]) for row in people)
    return Change(change_id, record["action"], record["created_at"], rows, len(outcomes) - len(rows))


async def get_teams(reader: Reader) -> tuple[Choice, ...]:
    """Teams that somebody could be put on; an admin is told whose they are."""
    condition, arguments = reader.sight.condition("t.coach_id", "t.id", 1)
    rows = await database.fetch(
        f"""select t.id, t.name, t.division, {_NAME} as coach from teams t join users u on u.id = t.coach_id
            where t.archived_at is null and t.closed_at is null and {condition}
            order by lower(t.name), t.id limit 500""",  # noqa: S608
        *arguments,
    )
    return tuple(
        (str(row["id"]), ", ".join(
            (row["name"], DIVISIONS.get(row["division"], ""), *([row["coach"]] if reader.is_admin else []))
        )) for row in rows
    )
