"""Two to four teams or people side by side: their numbers, what they cover, and how their points added up by day."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from uuid import UUID

import asyncpg

from app import database
from app.domain.compare import COMPETITOR, TEAM, Measure, View, per_head
from app.domain.coverage import all_categories
from app.domain.readers import Sight
from app.queries import coverage, team_matrix, team_members, team_numbers
from app.queries.keyset import Arguments
from app.queries.team_numbers import THEMSELVES, Age, Numbers, Span

MOST_CHOICES = 200


@dataclass(frozen=True, slots=True)
class Subject:
    """`covers`: of a team how many members have solved something at medium or above, of a person how many solves."""

    id: UUID
    name: str
    handle: str
    about: str
    numbers: Numbers
    days: int = 0
    covers: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Comparison:
    """`courses`: each subject's points won since the window began, added up by day."""

    subjects: tuple[Subject, ...]
    categories: tuple[str, ...]
    measures: tuple[Measure, ...]
    courses: tuple[tuple[int, ...], ...]
    span: Span
    age: Age


@dataclass(frozen=True, slots=True)
class Choice:
    id: UUID
    name: str
    handle: str


@dataclass(frozen=True, slots=True)
class Source:
    """Where the subjects of one kind are, in SQL."""

    tables: str
    id: str
    organization: str
    coach: str
    team: str
    is_current: str
    name: str
    handle: str
    order: str

    def seen(self, sight: Sight, arguments: Arguments) -> str:
        return arguments.sight(sight, self.coach, self.team)


SOURCES = {
    TEAM: Source(
        "teams t", "t.id", "t.organization_id", "t.coach_id", "t.id", "t.archived_at is null", "t.name", "''", "t.name"
    ),
    COMPETITOR: Source(
        "competitors c left join team_memberships m on m.competitor_id = c.id", "c.id", "c.organization_id",
        "c.coach_id", "m.team_id", "c.archived_at is null", "trim(c.first_name || ' ' || c.last_name)",
        "coalesce(c.metactf_username, '')", "c.last_name || ' ' || c.first_name",
    ),
}


async def compare(view: View, sight: Sight) -> Comparison | None:
    """None where one of them is not the reader's to see."""
    organization_id = await _organization(view, sight)
    if organization_id is None:
        return None
    span = await team_members.span(organization_id, view.days)
    subjects = await (_teams(view.ids, span) if view.kind == TEAM else _people(view.ids, sight, span))
    categories = all_categories(category for subject in subjects for category in subject.covers)
    courses = await _courses(view, span)
    return Comparison(
        subjects, categories, _measures(view, subjects), courses, span,
        team_numbers.age([subject.numbers for subject in subjects], span),
    )


async def choices(view: View, sight: Sight) -> tuple[Choice, ...]:
    """Who could be put beside them; nobody where there are too many to choose from."""
    source, arguments = SOURCES[view.kind], Arguments([list(view.ids)])
    rows = await database.fetch(
        f"""select {source.id} as id, {source.name} as name, {source.handle} as handle from {source.tables}
            where {source.id} <> all($1::uuid[]) and {source.is_current} and {source.seen(sight, arguments)}
            order by lower({source.order}), {source.id} limit {MOST_CHOICES + 1}""",  # noqa: S608
        *arguments.values,
    )
    return tuple(Choice(**row) for row in rows) if len(rows) <= MOST_CHOICES else ()


async def _organization(view: View, sight: Sight) -> UUID | None:
    """The first one's, if the reader may see all of them."""
    source, arguments = SOURCES[view.kind], Arguments([list(view.ids)])
    rows = await database.fetch(
        f"""select {source.id} as id, {source.organization} as organization_id from {source.tables}
            where {source.id} = any($1::uuid[]) and {source.seen(sight, arguments)}""",  # noqa: S608
        *arguments.values,
    )
    found = {row["id"]: row["organization_id"] for row in rows}
    return found[view.ids[0]] if len(found) == len(view.ids) else None


async def _teams(ids: Sequence[UUID], span: Span) -> tuple[Subject, ...]:
    rows = await database.fetch(
        "select id, name, division, affiliation from teams where id = any($1::uuid[])", list(ids)
    )
    numbers, cells = await team_numbers.of_teams(ids, span), await team_matrix.cells(ids)
    found = {
        row["id"]: Subject(
            row["id"], row["name"], "", row["affiliation"], numbers[row["id"]],
            covers={category: cell.members for category, cell in cells.get(row["id"], {}).items()},
        )
        for row in rows
    }
    return tuple(found[subject] for subject in ids)


async def _people(ids: Sequence[UUID], sight: Sight, span: Span) -> tuple[Subject, ...]:
    rows = await database.fetch(
        f"""select p.*, coalesce(t.name, 'no team') as team from ({THEMSELVES}) p
            left join teams t on t.id = p.team_id""",  # noqa: S608
        list(ids), *span.arguments,
    )
    covers = await coverage.of_competitors(sight, ids)
    found = {row["id"]: _person(row, covers.get(row["id"], {})) for row in rows}
    return tuple(found[subject] for subject in ids)


def _person(row: asyncpg.Record, covers: dict[str, int]) -> Subject:
    numbers = Numbers(
        members=1, points=row["points"], challenges=row["challenges"], gain=row["gain"],
        gain_before=row["gain_before"], solves=row["solves"], active=int(row["is_active"]),
        last_active_at=row["last_active_at"], as_of=row["last_success_at"] if row["is_linked"] else None,
        unread=int(row["is_linked"] and row["last_success_at"] is None),
    )
    return Subject(row["id"], row["name"], row["handle"], row["team"], numbers, row["days"], covers)


async def _courses(view: View, span: Span) -> tuple[tuple[int, ...], ...]:
    subject = "m.team_id" if view.kind == TEAM else "c.id"
    members = "c.archived_at is null" if view.kind == TEAM else "true"
    rows = await database.fetch(
        f"""select {subject} as id, (v.solved_at at time zone $4)::date as day, sum(v.challenge_points)::int as points
            from competitors c left join team_memberships m on m.competitor_id = c.id
                join game_platform_challenge_solves v on v.competitor_id = c.id
            where {subject} = any($1::uuid[]) and {members} and v.solved_at >= $2 and v.solved_at < $3
            group by 1, 2""",  # noqa: S608
        list(view.ids), span.window.starts_at, span.window.ends_at or span.now, span.zone,
    )
    won = {(row["id"], row["day"]): row["points"] for row in rows}
    today = span.now.astimezone(span.window.starts_at.tzinfo).date()
    days = _days(span.window.first_day, min(span.window.last_day, today))
    return tuple(_added_up([won.get((subject_id, day), 0) for day in days]) for subject_id in view.ids)


def _days(first: date, last: date) -> list[date]:
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]


def _added_up(values: Sequence[int]) -> tuple[int, ...]:
    total, course = 0, []
    for value in values:
        total += value
        course.append(total)
    return tuple(course)


def _measures(view: View, subjects: Sequence[Subject]) -> tuple[Measure, ...]:
    numbers = [subject.numbers for subject in subjects]
    of_both = (
        Measure("Points", tuple(each.points for each in numbers)),
        Measure("Challenges", tuple(each.challenges for each in numbers)),
        Measure("Points won", tuple(each.gain for each in numbers)),
        Measure("Points won before", tuple(each.gain_before for each in numbers)),
        Measure("Challenges solved", tuple(each.solves for each in numbers)),
        Measure("Categories covered", tuple(len(subject.covers) for subject in subjects)),
    )
    if view.kind != TEAM:
        return (*of_both, Measure("Days with a solve", tuple(subject.days for subject in subjects)))
    return (
        Measure("Members", tuple(each.members for each in numbers), is_more_better=False),
        Measure("Active", tuple(each.active for each in numbers)), *of_both,
        Measure("Points per member", tuple(per_head(each.points, each.members) for each in numbers)),
        Measure("Points won per member", tuple(per_head(each.gain, each.members) for each in numbers)),
    )
