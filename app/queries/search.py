"""One search over everything that the reader may see: competitors, teams, and runs for admins."""

from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from uuid import UUID

from app import database
from app.domain import folding
from app.domain.readers import Reader
from app.queries.keyset import Arguments

MOST = 20
LONGEST = 100


@dataclass(frozen=True, slots=True)
class Person:
    competitor_id: UUID
    name: str
    handle: str
    team: str


@dataclass(frozen=True, slots=True)
class Team:
    team_id: UUID
    name: str
    division: str
    is_archived: bool


@dataclass(frozen=True, slots=True)
class Run:
    run_id: UUID
    kind: str
    state: str
    queued_at: datetime


@dataclass(frozen=True, slots=True)
class Found:
    """The first `MOST` of each."""

    competitors: tuple[Person, ...] = ()
    teams: tuple[Team, ...] = ()
    runs: tuple[Run, ...] = ()

    @property
    def count(self) -> int:
        return len(self.competitors) + len(self.teams) + len(self.runs)


async def search(text: str, reader: Reader) -> Found:
    """The beginning of any word of a name, a handle or a team; a run by its kind or its number."""
    words = folding.words(text[:LONGEST])
    if not words:
        return Found()
    return Found(
        await _competitors(words, reader), await _teams(words, reader), await _runs(text, reader)
    )


async def _competitors(words: list[str], reader: Reader) -> tuple[Person, ...]:
    arguments = Arguments([" & ".join(f"'{word}':*" for word in words)])
    rows = await database.fetch(
        f"""select c.id, trim(c.first_name || ' ' || c.last_name) as name, coalesce(c.metactf_username, '') as handle,
                coalesce(t.name, '') as team
            from standings s join competitors c on c.id = s.competitor_id
            left join team_memberships m on m.competitor_id = c.id left join teams t on t.id = m.team_id
            where s.words @@ $1::text::tsquery and c.archived_at is null
                and {arguments.sight(reader.sight, "c.coach_id", "m.team_id")}
                and c.organization_id = any({arguments.add(list(reader.organization_ids))}::uuid[])
            order by s.rank, c.id limit {MOST}""",  # noqa: S608
        *arguments.values,
    )
    return tuple(Person(*row) for row in rows)


async def _teams(words: list[str], reader: Reader) -> tuple[Team, ...]:
    """Their names are folded as what was typed is, which the database cannot do."""
    arguments = Arguments()
    seen = arguments.sight(reader.sight, "t.coach_id", "t.id")
    rows = await database.fetch(
        f"""select t.id, t.name, t.division, t.archived_at is not null as is_archived from teams t
            where {seen} and t.organization_id = any({arguments.add(list(reader.organization_ids))}::uuid[])
            order by t.archived_at nulls first, lower(t.name), t.id""",  # noqa: S608
        *arguments.values,
    )
    found = (Team(*row) for row in rows if _begin_words(words, row["name"]))
    return tuple(islice(found, MOST))


def _begin_words(words: list[str], name: str) -> bool:
    known = folding.words(name)
    return all(any(own.startswith(word) for own in known) for word in words)


async def _runs(text: str, reader: Reader) -> tuple[Run, ...]:
    if not reader.is_admin:
        return ()
    rows = await database.fetch(
        f"""select id, kind, state, queued_at from job_runs
            where strpos(kind, $1) = 1 or id::text = $1 order by queued_at desc limit {MOST}""",  # noqa: S608
        text.strip().lower()[:LONGEST],
    )
    return tuple(Run(*row) for row in rows)
