"""The leaderboard as a reader may see it: one page of rows, and what the page needs to say about them."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

import asyncpg

from app import database
from app.domain import windows
from app.domain.categories import CATEGORIES, is_known
from app.domain.leaderboard import View, moment_of
from app.domain.organization_limits import promise_in_words
from app.domain.paging import Cursor, Value
from app.domain.readers import Reader, Sight
from app.domain.windows import Window
from app.queries import keyset, leaderboard_sql
from app.queries.keyset import Arguments

PAGE_SIZE = 50
EXPORT_SIZE = 5000
MOST_CHOICES = 40
FEW_MATCHES = 5000


class Row(NamedTuple):
    """One competitor, in the order of the statement's columns; a tuple, because every page makes and compares fifty.

    `rank_then` is the rank when the window began, None where only part of the scores is shown; `rank_now` is today's in
    a view of the past, else None. `spark` is the month's
    points by day as the database writes an array, "{}" for none.
    """

    competitor_id: UUID
    first_name: str
    last_name: str
    handle: str
    is_linked: bool
    team_id: UUID | None
    team: str
    coach_id: UUID | None
    coach: str
    division: str
    rank: int
    division_rank: int
    rank_then: int | None
    rank_now: int | None
    points: int
    challenges: int
    change: int
    spark: str
    last_active_at: datetime | None
    last_success_at: datetime | None
    last_result: str | None

    @property
    def name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip()

    @property
    def steps_up(self) -> int:
        """Since the window began; of a row of the past, since then."""
        if self.rank_now is not None:
            return self.rank - self.rank_now
        return 0 if self.rank_then is None else self.rank_then - self.rank

    @property
    def days(self) -> tuple[int, ...]:
        return tuple(map(int, self.spark.strip("{}").split(","))) if self.spark != "{}" else ()


@dataclass(frozen=True, slots=True)
class Freshness:
    """How old the rows shown are: the oldest successful look at any of them."""

    as_of: datetime | None
    is_late: bool
    failed: int
    unread: int
    promise: str


@dataclass(frozen=True, slots=True)
class Page:
    rows: tuple[Row, ...]
    previous: Cursor | None
    next: Cursor | None
    freshness: Freshness


Choice = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Choices:
    """What the filters offer, values and labels; empty where one or none, or too many to choose from."""

    organizations: tuple[Choice, ...]
    teams: tuple[Choice, ...]
    coaches: tuple[Choice, ...]
    categories: tuple[Choice, ...]


@dataclass(frozen=True, slots=True)
class League:
    """The organization that is shown, what of the view's filters the reader may know, and the standings' version."""

    organization_id: UUID
    name: str
    zone: ZoneInfo
    window: Window
    version: int
    now: datetime
    team: str | None
    coach: str | None
    is_category_known: bool
    has_few_matches: bool
    fresh_for: timedelta
    choices: Choices | None


def shown_organization(view: View, reader: Reader) -> UUID | None:
    """The one asked for where it is the reader's, else the reader's first."""
    if view.organization_id in reader.organization_ids:
        return view.organization_id
    return next(iter(reader.organization_ids), None)


async def get_version(organization_id: UUID) -> int:
    found = await database.fetchval(
        "select version from standing_versions where organization_id = $1", organization_id
    )
    return int(found or 0)


_COACH_NAME = "coalesce(nullif(u.display_name, ''), trim(u.first_name || ' ' || u.last_name), '')"

_LEAGUE = f"""
select o.name, o.time_zone, o.school_year_starts_month, o.idle_look_minutes,
    coalesce(v.version, 0) as version, now() as now,
    coalesce(v.computed_on, (now() at time zone o.time_zone)::date) as today,
    (select t.name from teams t where t.id = $2 and t.organization_id = $1 and {{sight}}) as team,
    (select {_COACH_NAME} from users u where u.id = $3 and exists (
        select from organization_members m where m.user_id = u.id and m.organization_id = $1)) as coach,
    exists (select from standing_scopes k
        where k.organization_id = $1 and k.source = '' and k.category = $4) as is_category_known{{others}}
from organizations o left join standing_versions v on v.organization_id = o.id
where o.id = $1
"""  # noqa: S608

# Counted no further than it matters for how the page is read.
_MATCHES = """,
    (select count(*) from (
        select from standings s where s.organization_id = $1 and s.words @@ {query}::text::tsquery limit {most}) found
    ) as matches"""

# The categories that somebody has a score in, by hopping along the index from one to the next.
_CATEGORIES = """
    with recursive known as (
        (select category from standing_scopes where organization_id = $1 and source = '' order by category limit 1)
        union all
        select (
            select k.category from standing_scopes k
            where k.organization_id = $1 and k.source = '' and k.category > known.category order by k.category limit 1)
        from known where known.category is not null
    )
    select array_agg(category) from known where category <> ''"""

_CHOICES = f""",
    (select json_agg(json_build_array(id, name)) from (
        select t.id, t.name from teams t
        where t.organization_id = $1 and t.archived_at is null and {{sight}} limit {MOST_CHOICES + 1}) t) as teams,
    (select json_agg(json_build_array(id, name)) from (
        select u.id, {_COACH_NAME} as name from users u
        where {{is_admin}} and u.role = 'coach' and exists (select from organization_members m
            where m.user_id = u.id and m.organization_id = $1) limit {MOST_CHOICES + 1}) u) as coaches,
    (select json_agg(json_build_array(id, name)) from organizations where id = any({{organizations}}::uuid[]))
        as organizations,
    ({_CATEGORIES}) as categories"""  # noqa: S608


async def get_league(view: View, reader: Reader, organization_id: UUID, *, with_choices: bool = False) -> League:
    """Read before the rows, so that its version is never newer than they are."""
    arguments = Arguments([
        organization_id, view.team_id, view.coach_id if reader.is_admin else None, view.category
    ])
    sight = arguments.sight(reader.sight, "t.coach_id", "t.id")
    others = ""
    if view.search:
        query = arguments.add(leaderboard_sql.search_query(view.search))
        others += _MATCHES.format(query=query, most=FEW_MATCHES + 1)
    if with_choices:
        others += _CHOICES.format(
            sight=sight, is_admin=str(reader.is_admin).lower(),
            organizations=arguments.add(list(reader.organization_ids[:MOST_CHOICES + 1])),
        )
    row = await database.fetchrow(_LEAGUE.format(sight=sight, others=others), *arguments.values)
    assert row
    zone = ZoneInfo(row["time_zone"])
    return League(
        organization_id, row["name"], zone, _window(view, row["today"], zone, row["school_year_starts_month"]),
        row["version"], row["now"], row["team"], row["coach"], row["is_category_known"] or is_known(view.category),
        bool(view.search) and row["matches"] <= FEW_MATCHES, timedelta(minutes=row["idle_look_minutes"]),
        _choices(row) if with_choices else None,
    )


def _choices(row: asyncpg.Record) -> Choices:
    others = sorted(set(row["categories"] or ()) - set(CATEGORIES))
    return Choices(
        _by_label(row["organizations"]), _by_label(row["teams"]), _by_label(row["coaches"]),
        tuple((category, category) for category in (*CATEGORIES, *others)),
    )


def _by_label(found: str | None) -> tuple[Choice, ...]:
    pairs = json.loads(found or "[]")
    if not 1 < len(pairs) <= MOST_CHOICES:
        return ()
    return tuple(sorted(((value, label) for value, label in pairs), key=lambda choice: choice[1].casefold()))


def _window(view: View, today: date, zone: ZoneInfo, year_starts_month: int) -> Window:
    if view.window != windows.CUSTOM:
        return windows.preset(view.window, today, zone, year_starts_month)
    last = view.last_day or today
    first = view.first_day or min(last, today) - timedelta(days=windows.DAYS[windows.DEFAULT] - 1)
    return windows.custom(first, max(first, last), zone)


def understood(view: View, league: League, reader: Reader) -> tuple[View, tuple[str, ...]]:
    """The view without what this reader cannot know, and a notice for each; somebody else's is the same as nobody's."""
    notices = []
    if view.organization_id and view.organization_id != league.organization_id:
        view = replace(view, organization_id=None)
        notices.append("“organization” is not known; your own is shown.")
    if view.team_id and league.team is None:
        view = replace(view, team_id=None)
        notices.append("“team” is not known; all teams are shown.")
    if view.coach_id and league.coach is None:
        view = replace(view, coach_id=None)
        notices.append("“coach” is not known; all are shown." if reader.is_admin else "“coach” is a filter for admins.")
    if view.category and not league.is_category_known:
        view = replace(view, category="", cursor=None)
        notices.append("“category” is not known; all are shown.")
    if view.as_of and moment_of(view.as_of, league.zone) >= league.now:
        view = replace(view, as_of="", cursor=None)
    if view.cursor and not keyset.is_usable(view.cursor, leaderboard_sql.keys_of_stretches(view)):
        view = replace(view, cursor=None)
        notices.append("“cursor” belongs to another list; the first page is shown.")
    return view, tuple(notices)


async def get_page(view: View, sight: Sight, league: League, *, size: int = PAGE_SIZE) -> Page:
    """One row more than shown is read, to know whether there is more."""
    statement = leaderboard_sql.page_statement(
        view, sight, league.organization_id, league.window, size + 1, has_few_matches=league.has_few_matches,
        moment=moment_of(view.as_of, league.zone) if view.as_of else None,
    )
    records = await database.fetch(statement.sql, *statement.arguments)
    has_more = len(records) > size
    records = records[:size]
    is_backwards = view.cursor is not None and view.cursor.is_backwards
    if is_backwards:
        records.reverse()
    before, after = (has_more, True) if is_backwards else (view.cursor is not None, has_more)
    rows = tuple(Row(*record[:-1]) for record in records)
    return Page(
        rows,
        _cursor(view, records[0]["keys"], is_backwards=True) if records and before else None,
        _cursor(view, records[-1]["keys"], is_backwards=False) if records and after else None,
        freshness_of(rows, league),
    )


def _cursor(view: View, keys: str, *, is_backwards: bool) -> Cursor:
    values: list[Value] = json.loads(keys)
    return Cursor(view.order_name, tuple(values), is_backwards)


def freshness_of(rows: tuple[Row, ...], league: League) -> Freshness:
    linked = [row for row in rows if row.is_linked]
    looks = [row.last_success_at for row in linked if row.last_success_at]
    as_of = min(looks, default=None)
    is_late = as_of is not None and league.now - as_of > league.fresh_for
    failed = sum(row.last_result == "failure" for row in linked)
    return Freshness(as_of, is_late, failed, len(linked) - len(looks), promise_in_words(league.fresh_for))


async def walk(view: View, sight: Sight, league: League) -> AsyncIterator[tuple[Row, ...]]:
    """Every row of the view, page after page."""
    following: Cursor | None = None
    while True:
        page = await get_page(replace(view, cursor=following), sight, league, size=EXPORT_SIZE)
        if page.rows:
            yield page.rows
        following = page.next
        if following is None:
            return
