"""What importing a roster file would do, by the rules of the import itself; nothing is written."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

from app import database
from app.domain import duplicates
from app.domain.roster_file import RowError, read_roster
from app.domain.roster_plan import Entry, Known, Plan, plan_import
from app.services.roster_import import ImportReport, find_coach, read_known, report_of


@dataclass(frozen=True, slots=True)
class Change:
    """What a row does: somebody new (`before` is None), or somebody known with other values."""

    row: int
    before: Entry | None
    after: Entry


@dataclass(frozen=True, slots=True)
class Lookalike:
    """Somebody new who may be somebody known under another spelling."""

    row: int
    new: Entry
    known: Entry
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Preview:
    """`teams` names every team that a row may speak of."""

    report: ImportReport
    changes: tuple[Change, ...] = ()
    lookalikes: tuple[Lookalike, ...] = ()
    teams: Mapping[UUID, str] = field(default_factory=dict)


async def preview_roster(content: bytes, *, coach_email: str) -> Preview:
    rows, errors = await asyncio.to_thread(read_roster, content)
    coach = await find_coach(coach_email)
    if coach is None:
        return Preview(ImportReport(len(rows), errors=(RowError(0, "coach", "This coach is not there any more."),)))
    async with database.transaction():
        known = await read_known(coach, rows)
    plan = await asyncio.to_thread(plan_import, rows, known)
    before = {entry.id: entry for entry in known.entries}
    changes = [Change(plan.rows[entry.id], before.get(entry.id), entry) for entry in (*plan.created, *plan.updated)]
    return Preview(
        report_of(rows, plan, errors), tuple(sorted(changes, key=lambda change: change.row)),
        await asyncio.to_thread(_lookalikes, plan, known),
        {team.id: team.name for team in (*known.teams, *plan.teams_created.values())},
    )


def _lookalikes(plan: Plan, known: Known) -> tuple[Lookalike, ...]:
    """Whom the file names is who they are."""
    unnamed = [entry for entry in known.entries if entry.id not in plan.rows]
    found = duplicates.among(plan.created, unnamed)
    return tuple(Lookalike(plan.rows[new.id], new, old, reasons) for new, old, reasons in found)
