"""Pairs of competitors who may be one person, and merges that can be undone."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import asyncpg

from app import database
from app.domain import duplicates
from app.domain.duplicates import SHORTEST_BEGINNING, Strength
from app.domain.readers import Sight

MOST_PAIRS = 100
MOST_MERGES = 100

# The same rule as the domain's, which has the last word: whoever shares a key may be a pair. The standings know the
# folded name.
PAIRS = f"""
    with people as materialized (
        select c.id, c.organization_id, c.division, lower(c.email) as email, c.user_id,
            lower(c.first_name) as first_name, lower(c.last_name) as last_name,
            left(lower(c.first_name), {SHORTEST_BEGINNING}) as beginning,
            coalesce(s.name_key, lower(c.last_name || ' ' || c.first_name)) as name_key
        from competitors c left join standings s on s.competitor_id = c.id
            left join team_memberships m on m.competitor_id = c.id
        where c.archived_at is null and {{condition}}
    ), keys as (
        select id, organization_id, 'mail ' || email as key, 1 as weight from people where email <> ''
        union all select id, organization_id, 'user ' || user_id, 1 from people where user_id is not null
        union all select id, organization_id, 'name ' || name_key, 2 from people where last_name <> ''
        union all select id, organization_id, 'name ' || first_name || ' ' || last_name, 3 from people
            where last_name <> '' and first_name <> ''
    ), pairs as (
        select a.id as first_id, b.id as second_id, greatest(a.weight, b.weight) as weight
        from keys a join keys b using (organization_id, key) where a.id < b.id
        union all
        select least(a.id, b.id), greatest(a.id, b.id), 4
        from people a join people b using (organization_id, last_name, division, beginning)
        where a.id <> b.id and last_name <> '' and length(a.first_name) >= {SHORTEST_BEGINNING}
            and a.first_name <> b.first_name and starts_with(b.first_name, a.first_name)
    )
    select p.first_id, p.second_id, count(*) over () as total
    from pairs p join people on people.id = p.first_id
    where not exists (select from different_people d where d.first_id = p.first_id and d.second_id = p.second_id)
    group by p.first_id, p.second_id, people.name_key
    order by min(p.weight), people.name_key, p.first_id, p.second_id limit {MOST_PAIRS}
"""  # noqa: S608

PEOPLE = """
    select c.id, c.first_name, c.last_name, coalesce(c.metactf_username, '') as handle, c.email, c.division, c.user_id,
        coalesce(c.grade, '') as grade, coalesce(t.name, '') as team, c.game_platform_id is not null as has_account,
        coalesce(nullif(u.display_name, ''), trim(u.first_name || ' ' || u.last_name), '') as coach,
        coalesce(s.challenges_completed, 0) as challenges, c.created_at
    from competitors c left join team_memberships m on m.competitor_id = c.id left join teams t on t.id = m.team_id
        left join users u on u.id = c.coach_id left join game_platform_stats s on s.competitor_id = c.id
    where c.id = any($1::uuid[])
"""

MERGES = f"""
    select g.id as merge_id, g.kept_id, g.gone_id, g.merged_at, g.undone_at,
        k.first_name || ' ' || k.last_name as kept_name,
        g.before <> jsonb_build_object() as can_be_undone,
        coalesce(k.metactf_username, '') as kept_handle, o.first_name || ' ' || o.last_name as gone_name,
        coalesce(nullif(u.display_name, ''), trim(u.first_name || ' ' || u.last_name), 'somebody') as merged_by
    from merges g join competitors k on k.id = g.kept_id join competitors o on o.id = g.gone_id
        left join users u on u.id = g.merged_by left join team_memberships m on m.competitor_id = k.id
    where {{condition}} order by g.merged_at desc, g.id limit {MOST_MERGES}
"""  # noqa: S608


@dataclass(frozen=True, slots=True)
class Person:
    id: UUID
    first_name: str
    last_name: str
    handle: str
    email: str | None
    division: str | None
    user_id: UUID | None
    grade: str
    team: str
    has_account: bool
    coach: str
    challenges: int
    created_at: datetime

    @property
    def name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip()


@dataclass(frozen=True, slots=True)
class Pair:
    one: Person
    other: Person
    strength: Strength
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Pairs:
    """`total` counts those too that are beyond the limit."""

    rows: tuple[Pair, ...]
    total: int


@dataclass(frozen=True, slots=True)
class Merge:
    merge_id: UUID
    kept_id: UUID
    kept_name: str
    kept_handle: str
    gone_id: UUID
    gone_name: str
    merged_by: str
    merged_at: datetime
    undone_at: datetime | None
    can_be_undone: bool


@dataclass(frozen=True, slots=True)
class Kept:
    """The record that goes on where another one was merged into it."""

    id: UUID
    name: str
    handle: str


async def get_pairs(sight: Sight) -> Pairs:
    """Only of people whom this reader may see both; the surest first."""
    condition, arguments = sight.condition("c.coach_id", "m.team_id", 1)
    found = await database.fetch(PAIRS.format(condition=condition), *arguments)
    people = await _people([row[side] for row in found for side in ("first_id", "second_id")])
    pairs = (_pair(people[row["first_id"]], people[row["second_id"]]) for row in found)
    return Pairs(tuple(pair for pair in pairs if pair.reasons), found[0]["total"] if found else 0)


async def get_merges(sight: Sight) -> tuple[Merge, ...]:
    condition, arguments = sight.condition("k.coach_id", "m.team_id", 1)
    return tuple(Merge(**row) for row in await database.fetch(MERGES.format(condition=condition), *arguments))


async def get_kept(sight: Sight, gone_id: UUID) -> Kept | None:
    """With whom somebody was merged, where the reader may see them."""
    condition, arguments = sight.condition("k.coach_id", "m.team_id", 2)
    row = await database.fetchrow(
        f"""select k.id, trim(k.first_name || ' ' || k.last_name) as name, coalesce(k.metactf_username, '') as handle
            from merges g join competitors k on k.id = g.kept_id left join team_memberships m on m.competitor_id = k.id
            where g.gone_id = $1 and g.undone_at is null and {condition}""",  # noqa: S608
        gone_id, *arguments,
    )
    return Kept(**row) if row else None


async def _people(ids: list[UUID]) -> dict[UUID, Person]:
    return {row["id"]: _person(row) for row in await database.fetch(PEOPLE, ids)}


def _person(row: asyncpg.Record) -> Person:
    return Person(**row)


def _pair(one: Person, other: Person) -> Pair:
    why = duplicates.reasons(one, other)
    return Pair(one, other, duplicates.strength(one, other, why), why)
