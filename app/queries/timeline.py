"""What happened to the people and teams of a frame, newest first: solves, Flash CTFs, newcomers and what was done."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from uuid import UUID

import asyncpg

from app import database
from app.domain.paging import Cursor
from app.domain.timeline import JOINED, ORDER, PLAYED, SOLVED, Day, Event, Kind, Line, Person, View, gathered
from app.queries import keyset
from app.queries.keyset import Arguments, Key
from app.queries.scopes import Frame

PAGE_SIZE = 60
EXPORT_SIZE = 2000
EVENTS_PER_LINE = 6
MOST_CHOICES = 200
MOST_EMPTY_DAYS = 400

KEYS: dict[int, tuple[Key, ...]] = {0: (Key("at", "timestamptz"), Key("source"), Key("key", "text"))}

# Which kind of thing an activity is. What the synchronization found is told by the solves themselves.
_KIND = """case when a.kind like 'team\\_%' or a.kind ~ '^member(ship)?_' then 'teams'
    when a.kind in ('competitor_onboarded', 'competitor_held_back') or a.kind ~ '^(drift|outbox|onboarding|password)_'
        then 'platform'
    when a.kind ~ '^(calendar|practice|alert|organization)_' then 'settings' else 'roster' end"""
_TOLD_OTHERWISE = "a.kind <> 'solves_found'"

_NAMES = "c.id as competitor_id, c.first_name, c.last_name, coalesce(c.metactf_username, '') as handle"
# Whom an import brought, as far as they are still here.
_DETAILS = f"""case when a.kind = 'roster_imported' then a.details || jsonb_build_object('people', (
        select coalesce(jsonb_agg(jsonb_build_array(n.id, n.name, n.handle)), '[]') from (
            select n.id, trim(n.first_name || ' ' || n.last_name) as name, coalesce(n.metactf_username, '') as handle
            from competitors n where n.organization_id = a.organization_id and n.created_at = a.at
                and n.coach_id = a.user_id
            order by lower(n.first_name), lower(n.last_name), n.id limit {MOST_CHOICES}) n))
        else a.details end as details"""  # noqa: S608
_PEOPLE = "competitors c left join team_memberships m on m.competitor_id = c.id"


@dataclass(frozen=True, slots=True)
class Page:
    lines: tuple[Line, ...]
    previous: Cursor | None
    next: Cursor | None


@dataclass(frozen=True, slots=True)
class Head:
    """What the page needs besides its rows: whom one may choose, who is chosen, and how old the numbers are.

    `version` changes with the scores and rosters of the organization.
    """

    people: tuple[tuple[UUID, str, str], ...]
    person: tuple[str, str] | None
    as_of: datetime | None
    is_late: bool
    version: int


@dataclass(frozen=True, slots=True)
class Source:
    """One table's part of the timeline: `people` is its condition for whose rows they are."""

    number: int
    kind: str
    at: str
    key: str
    columns: str
    tables: str
    conditions: tuple[str, ...]


def understood(view: View, frame: Frame, head: Head) -> tuple[View, tuple[str, ...]]:
    """The view without what this reader cannot know; somebody else's competitor is the same as nobody's."""
    view, notices = replace(view, scope=frame.scope), []
    if view.person_id and head.person is None:
        view = replace(view, person_id=None)
        notices.append("“person” is not known; everybody is shown.")
    if view.cursor and not keyset.is_usable(view.cursor, KEYS):
        view = replace(view, cursor=None)
        notices.append("“cursor” belongs to another list; the first page is shown.")
    return view, tuple(notices)


async def get_head(frame: Frame, person_id: UUID | None) -> Head:
    arguments = Arguments([person_id, frame.organization_id])
    row = await database.fetchrow(
        f"""with people as materialized (
                select {_NAMES}, c.archived_at, y.last_success_at from {_PEOPLE}
                left join game_platform_sync_state y on y.competitor_id = c.id and c.game_platform_id is not null
                where {frame.people(arguments)}
            )
            select min(last_success_at) filter (where archived_at is null) as as_of,
                (select json_agg(json_build_array(competitor_id, trim(first_name || ' ' || last_name), handle)) from (
                    select * from people where archived_at is null
                    order by lower(first_name), lower(last_name), competitor_id limit {MOST_CHOICES + 1}) p) as people,
                (select json_build_array(trim(first_name || ' ' || last_name), handle) from people
                    where competitor_id = $1) as person,
                coalesce((select version from standing_versions where organization_id = $2), 0) as version
            from people""",  # noqa: S608
        *arguments.values,
    )
    assert row
    people = [(UUID(competitor_id), name, handle) for competitor_id, name, handle in json.loads(row["people"] or "[]")]
    return Head(
        tuple(people) if 1 < len(people) <= MOST_CHOICES else (),
        tuple(json.loads(row["person"])) if row["person"] else None,
        row["as_of"], frame.is_late(row["as_of"]), row["version"],
    )


async def get_page(frame: Frame, view: View, *, size: int = PAGE_SIZE) -> Page:
    """One row more than shown is read, to know whether there is more."""
    events, previous, following = await _read(frame, view, size)
    return Page(gathered(events), previous, following)


async def latest(frame: Frame, limit: int = 10) -> tuple[Line, ...]:
    """A line tells several events, so that some more are read than are shown."""
    events, *_rest = await _read(frame, View(frame.scope), limit * EVENTS_PER_LINE)
    return gathered(events)[:limit]


async def walk(frame: Frame, view: View) -> AsyncIterator[list[Event]]:
    """All pages, for a file."""
    cursor: Cursor | None = None
    while True:
        events, _previous, cursor = await _read(frame, replace(view, cursor=cursor), EXPORT_SIZE)
        yield events
        if cursor is None:
            return


async def _read(frame: Frame, view: View, size: int) -> tuple[list[Event], Cursor | None, Cursor | None]:
    arguments = Arguments()
    parts = [_part(source, frame, view, arguments, size + 1) for source in _sources(frame, view, arguments)]
    direction = "" if view.cursor and view.cursor.is_backwards else " desc"
    found = await database.fetch(
        f"""select *, jsonb_build_array(0, at, source, key) as keys from ({" union all ".join(parts)}) happened
            order by at{direction}, source{direction}, key{direction} limit {size + 1}""",  # noqa: S608
        *arguments.values,
    )
    records, previous, following = keyset.turned(found, ORDER, view.cursor, size)
    return [_event(record, frame) for record in records], previous, following


def _part(source: Source, frame: Frame, view: View, arguments: Arguments, limit: int) -> str:
    conditions = [
        *source.conditions, f"{source.at} >= {arguments.add(frame.window.starts_at)}",
        f"{source.at} < {arguments.add(_end(frame))}",
    ]
    is_upwards = bool(view.cursor and view.cursor.is_backwards)
    if view.cursor:
        conditions += _beyond(source, view.cursor, is_upwards, arguments)
    direction = "" if is_upwards else " desc"
    return f"""(select {source.at} as at, {source.number} as source, {source.key} as key, {source.kind} as kind,
            {source.columns}
        from {source.tables} where {" and ".join(conditions)}
        order by {source.at}{direction}, {source.key}{direction} limit {limit})"""  # noqa: S608


def _end(frame: Frame) -> datetime:
    """A window until now holds what happens this very moment, too."""
    return frame.window.ends_at or frame.now + timedelta(days=1)


def _beyond(source: Source, cursor: Cursor, is_upwards: bool, arguments: Arguments) -> list[str]:
    """The first condition is for the index, the second exact."""
    at, number, key = (
        arguments.add(key.parameter(value)) for key, value in zip(KEYS[0], cursor.values[1:], strict=True)
    )
    sign = ">" if is_upwards else "<"
    return [
        f"{source.at} {sign}= {at}::timestamptz",
        f"({source.at}, {source.number}, {source.key}) {sign} ({at}::timestamptz, {number}::int, {key}::text)",
    ]


def _sources(frame: Frame, view: View, arguments: Arguments) -> list[Source]:
    """Those that the view's kind needs."""
    own = {Kind.SOLVES: _solves, Kind.FLASH_CTFS: _flash_ctfs}
    wanted = [
        source(_people(frame, view, arguments)) for kind, source in own.items() if view.kind in ("", kind)
    ]
    if view.kind in ("", Kind.ROSTER):
        wanted.append(_newcomers(frame, view, arguments))
    if view.kind not in (Kind.SOLVES, Kind.FLASH_CTFS):
        wanted.append(_activity(frame, view, arguments))
    return wanted


def _people(frame: Frame, view: View, arguments: Arguments) -> tuple[str, ...]:
    person = (f"c.id = {arguments.add(view.person_id)}",) if view.person_id else ()
    return (frame.people(arguments), *person)


def _activity(frame: Frame, view: View, arguments: Arguments) -> Source:
    """What concerns a person or team in sight, and what else an admin or this coach did. A team that is not in sight
    has no name here."""
    of_nobody = "false" if frame.scope.is_filtered or view.person_id else _of_nobody(frame, arguments)
    of_gone = _of_gone_team(frame, arguments)
    whose = f"""case when a.competitor_id is not null then ({frame.people(arguments)})
        when a.team_id is not null then t.id is not null
        when a.details ? 'gone_team' then {of_gone} and {str(view.person_id is None).lower()} else {of_nobody} end"""
    person = (f"a.competitor_id = {arguments.add(view.person_id)}",) if view.person_id else ()
    kind = (f"{_KIND} = {arguments.add(view.kind)}",) if view.kind else ()
    return Source(
        1, _KIND, "a.at", "a.id::text",
        f"""a.kind as what, {_NAMES}, t.id as team_id,
            coalesce(t.name, case when {of_gone} then a.details->'gone_team'->>'name' end, '') as team,
            coalesce(nullif(u.display_name, ''), trim(u.first_name || ' ' || u.last_name), '') as actor, {_DETAILS}""",
        f"""activity_events a left join competitors c on c.id = a.competitor_id
            left join team_memberships m on m.competitor_id = c.id
            left join teams t on t.id = a.team_id and {frame.teams(arguments)}
            left join users u on u.id = a.user_id""",
        (f"a.organization_id = {arguments.add(frame.organization_id)}", _TOLD_OTHERWISE, whose, *person, *kind),
    )


def _of_gone_team(frame: Frame, arguments: Arguments) -> str:
    """A deleted team was somebody's; what happened to it is still theirs to read."""
    gone, scope = "a.details->'gone_team'", frame.scope
    if scope.team_id:
        return "false"
    owners = {None if frame.sight.sees_everyone else frame.sight.coach_id, scope.coach_id} - {None}
    conditions = [f"{gone}->>'coach_id' = {arguments.add(str(owner))}" for owner in owners]
    if scope.division:
        conditions.append(f"{gone}->>'division' = {arguments.add(scope.division)}")
    return f"({' and '.join((f'{gone} is not null', *conditions))})"


def _of_nobody(frame: Frame, arguments: Arguments) -> str:
    """The calendar is everybody's."""
    if frame.sight.sees_everyone:
        return "true"
    return f"(a.user_id = {arguments.add(frame.sight.coach_id)} or a.kind like 'calendar\\_%')"


_ALONE = "null::uuid as team_id, '' as team, '' as actor"


def _solves(people: tuple[str, ...]) -> Source:
    return Source(
        2, f"'{Kind.SOLVES}'", "s.solved_at", "s.id::text",
        f"""'{SOLVED}' as what, {_NAMES}, {_ALONE}, jsonb_build_object(
            'title', s.challenge_title, 'category', s.category, 'points', s.challenge_points) as details""",
        f"game_platform_challenge_solves s join ({_PEOPLE}) on c.id = s.competitor_id", people,
    )


def _flash_ctfs(people: tuple[str, ...]) -> Source:
    return Source(
        3, f"'{Kind.FLASH_CTFS}'", "e.started_at", "e.id::text",
        f"""'{PLAYED}' as what, {_NAMES}, {_ALONE}, jsonb_build_object(
            'event', e.name, 'event_id', e.event_id, 'points', e.score, 'rank', e.rank) as details""",
        f"game_platform_flash_ctf_events e join ({_PEOPLE}) on c.id = e.competitor_id",
        ("e.challenges_solved > 0", *people),
    )


def _newcomers(frame: Frame, view: View, arguments: Arguments) -> Source:
    """Whom a file brought is told by the import, wherever that stands on this page."""
    people = _people(frame, view, arguments)
    told = () if frame.scope.is_filtered or view.person_id else (_not_imported(frame, arguments),)
    return Source(
        4, f"'{Kind.ROSTER}'", "c.created_at", "c.id::text",
        f"'{JOINED}' as what, {_NAMES}, {_ALONE}, '{{}}'::jsonb as details", _PEOPLE, (*people, *told),
    )


def _not_imported(frame: Frame, arguments: Arguments) -> str:
    """An import and its people are of the same moment: they came in one transaction."""
    mine = "true" if frame.sight.sees_everyone else f"i.user_id = {arguments.add(frame.sight.coach_id)}"
    return f"""not exists (select from activity_events i where i.organization_id = c.organization_id
        and i.at = c.created_at and i.user_id = c.coach_id and i.kind = 'roster_imported' and {mine})"""


def _event(record: asyncpg.Record, frame: Frame) -> Event:
    person, details = None, json.loads(record["details"])
    brought = details.pop("people", ())
    if record["competitor_id"]:
        name = f"{record['first_name']} {record['last_name']}".strip()
        person = Person(record["competitor_id"], name, record["handle"])
    return Event(
        at=record["at"], day=record["at"].astimezone(frame.zone).date(), kind=Kind(record["kind"]), what=record["what"],
        person=person, team_id=record["team_id"], team=record["team"], actor=record["actor"],
        details=details, brought=tuple(Person(UUID(each), name, handle) for each, name, handle in brought),
    )


async def by_day(frame: Frame, view: View | None = None) -> tuple[Day, ...]:
    """How much of each kind happened on each day of the window, days of nothing among them; a window of many years
    begins with the first day of something."""
    view, arguments = view or View(frame.scope), Arguments([frame.zone.key])
    parts = []
    for source in _sources(frame, view, arguments):
        conditions = (
            *source.conditions, f"{source.at} >= {arguments.add(frame.window.starts_at)}",
            f"{source.at} < {arguments.add(_end(frame))}",
        )
        parts.append(
            f"""select ({source.at} at time zone $1)::date as day, {source.kind} as kind, count(*)::int as events
                from {source.tables} where {" and ".join(conditions)} group by 1, 2"""  # noqa: S608
        )
    rows = await database.fetch(" union all ".join(parts), *arguments.values)
    counts: dict[date, dict[Kind, int]] = {}
    for row in rows:
        of_day = counts.setdefault(row["day"], {})
        of_day[Kind(row["kind"])] = of_day.get(Kind(row["kind"]), 0) + row["events"]
    first, last = frame.window.first_day, min(frame.window.last_day, frame.today)
    if (last - first).days > MOST_EMPTY_DAYS:
        first = min(counts, default=last)
    days = (first + timedelta(days=number) for number in range((last - first).days + 1))
    return tuple(Day(day, counts.get(day, {})) for day in days)
