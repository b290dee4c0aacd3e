"""How far the people of a view have come: each stage with its age, and the one thing that is missing in it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import asyncpg

from app import database
from app.domain.competitor_list import MISSING, STATUSES, TROUBLES, View
from app.domain.readers import Sight
from app.queries import competitors
from app.queries.keyset import Arguments


@dataclass(frozen=True, slots=True)
class Missing:
    """`name` is the address's, `word` the reader's."""

    name: str
    word: str
    count: int


@dataclass(frozen=True, slots=True)
class Stage:
    """`since`: the day on which the one who has been in it for longest came into it."""

    status: str
    word: str
    count: int
    since: datetime | None
    missing: tuple[Missing, ...]


@dataclass(frozen=True, slots=True)
class Trouble:
    name: str
    word: str
    count: int


@dataclass(frozen=True, slots=True)
class Funnel:
    """Everybody in sight is in one of the stages; `troubles` are part of them, only those that somebody has."""

    stages: tuple[Stage, ...]
    troubles: tuple[Trouble, ...]

    @property
    def total(self) -> int:
        return sum(stage.count for stage in self.stages)


async def get_funnel(view: View, sight: Sight) -> Funnel:
    """Of the view's people at every stage: what narrows a stage down is left out."""
    arguments = Arguments()
    conditions = " and ".join(competitors.conditions(view.at_every_stage, sight, arguments))
    troubles = ", ".join(f"count(*) filter (where {sql}) as {name}" for name, sql in competitors.TROUBLES.items())
    rows = await database.fetch(
        f"""select c.status, {competitors.MISSING} as missing, count(*) as count, min(c.stage_since) as since,
                {troubles}
            from {competitors.SOURCE} where {conditions} group by 1, 2""",  # noqa: S608
        *arguments.values,
    )
    return Funnel(
        tuple(_stage(status, word, [row for row in rows if row["status"] == status])
              for status, word in STATUSES.items()),
        tuple(Trouble(name, word, count) for name, word in TROUBLES.items() if (count := _sum(rows, name))),
    )


def _stage(status: str, word: str, rows: Sequence[asyncpg.Record]) -> Stage:
    counts = {row["missing"]: row["count"] for row in rows}
    missing = [Missing(name, words, counts[name]) for name, words in MISSING.items() if name in counts]
    since = min((row["since"] for row in rows), default=None)
    return Stage(status, word, _sum(rows, "count"), since, tuple(sorted(missing, key=lambda one: -one.count)))


def _sum(rows: Sequence[asyncpg.Record], name: str) -> int:
    return sum(row[name] for row in rows)
