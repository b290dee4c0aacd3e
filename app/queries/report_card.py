"""One person's report: where they stand, what they solved, and how that compares with their peers.

`get_subject` is the door: it knows whom the reader may see, and the other reads take what it answers.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import asyncpg

from app import database
from app.domain import flash_ctf, strengths, windows
from app.domain.flash_record import Entry
from app.domain.leaderboard import DIVISIONS, WINDOWS
from app.domain.organization_limits import promise_in_words
from app.domain.peers import Group, Measure
from app.domain.readers import Sight
from app.domain.report_card import Day
from app.domain.scopes import Scope
from app.domain.strengths import Strength
from app.domain.windows import Window
from app.queries import coverage
from app.queries.keyset import Arguments

MOST_FLASH_CTFS = 60


@dataclass(frozen=True, slots=True)
class Totals:
    """As the platform counts them."""

    points: int
    challenges: int
    odl_points: int
    odl_challenges: int
    flash_points: int
    flash_challenges: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """Somebody whom the reader may see. `rank` is among everybody `ranked`; None for who is in no standings. `failure`
    is why the last look failed, `set_aside` how many of their records could not be read."""

    sight: Sight
    competitor_id: UUID
    organization_id: UUID
    organization: str
    zone: ZoneInfo
    today: date
    now: datetime
    window: Window
    previous: Window
    joined_at: datetime
    division: str
    team_id: UUID | None
    team: str
    is_linked: bool
    totals: Totals
    rank: int | None
    division_rank: int | None
    ranked: int
    last_solved_at: datetime | None
    last_accessed_at: datetime | None
    flash_read_at: datetime | None
    as_of: datetime | None
    failure: str | None
    set_aside: int
    fresh_for: timedelta

    @property
    def promise(self) -> str:
        return promise_in_words(self.fresh_for)

    @property
    def is_late(self) -> bool:
        return self.as_of is not None and self.now - self.as_of > self.fresh_for

    @property
    def joined_on(self) -> date:
        return self.joined_at.astimezone(self.zone).date()

    @property
    def heatmap_days(self) -> tuple[date, ...]:
        return tuple(self.today - timedelta(days=back) for back in reversed(range(windows.DAYS["90"])))

    @property
    def since(self) -> str:
        """The window, as a sentence about it ends."""
        if self.window.ends_at is None:
            return f"since {windows.in_words(self.window.first_day)}"
        return f"from {windows.in_words(self.window.first_day)} to {windows.in_words(self.window.last_day)}"

    @property
    def days_before(self) -> str:
        days = (self.previous.last_day - self.previous.first_day).days + 1
        return "the day before" if days == 1 else f"the {days} days before"

    @property
    def window_words(self) -> str:
        return WINDOWS.get(self.window.name) or self.since


_SUBJECT = """
select c.organization_id, o.name as organization, o.time_zone, o.school_year_starts_month, now() as now,
    o.idle_look_minutes, (now() at time zone o.time_zone)::date as today, coalesce(c.division, '') as division,
    m.team_id,
    coalesce(t.name, '') as team, coalesce(c.game_platform_synced_at, c.created_at) as joined_at,
    c.game_platform_id is not null as is_linked,
    coalesce(g.total_score, 0) as points, coalesce(g.challenges_completed, 0) as challenges,
    coalesce(g.odl_points, 0) as odl_points, coalesce(g.odl_challenges, 0) as odl_challenges,
    coalesce(g.flash_ctf_points, 0) as flash_points, coalesce(g.monthly_ctf_challenges, 0) as flash_challenges,
    s.rank, s.division_rank, greatest(g.last_solved_at, s.last_solved_at) as last_solved_at,
    (select count(*) from standings r where r.organization_id = c.organization_id) as ranked,
    y.last_remote_accessed_at as last_accessed_at, y.last_flash_ctf_synced_at as flash_read_at,
    y.last_success_at as as_of,
    case when y.last_result = 'failure' then coalesce(y.error_message, '') end as failure,
    (select count(*) from quarantine q where q.competitor_id = c.id and q.resolved_at is null
        and q.kind <> 'competitor') as set_aside
from competitors c join organizations o on o.id = c.organization_id
    left join team_memberships m on m.competitor_id = c.id left join teams t on t.id = m.team_id
    left join game_platform_stats g on g.competitor_id = c.id left join standings s on s.competitor_id = c.id
    left join game_platform_sync_state y on y.competitor_id = c.id
where c.id = $1 and {sight}
"""


async def get_subject(sight: Sight, competitor_id: UUID, days: Scope) -> Subject | None:
    """None also for whom the reader may not see."""
    condition, arguments = sight.condition("c.coach_id", "m.team_id", 2)
    record = await database.fetchrow(_SUBJECT.format(sight=condition), competitor_id, *arguments)
    return None if record is None else _subject(sight, competitor_id, days, record)


def _subject(sight: Sight, competitor_id: UUID, days: Scope, record: asyncpg.Record) -> Subject:
    zone = ZoneInfo(record["time_zone"])
    window = windows.chosen(
        days.window, days.first_day, days.last_day, record["today"], zone, record["school_year_starts_month"]
    )
    own = (
        "organization_id", "organization", "today", "now", "joined_at", "division", "team_id", "team", "is_linked",
        "rank", "division_rank", "ranked", "last_solved_at", "last_accessed_at", "flash_read_at",
        "as_of", "failure", "set_aside",
    )
    return Subject(
        sight=sight, competitor_id=competitor_id, zone=zone, window=window, previous=windows.previous(window, zone),
        totals=Totals(**{name: record[name] for name in Totals.__dataclass_fields__}),
        fresh_for=timedelta(minutes=record["idle_look_minutes"]), **{name: record[name] for name in own},
    )


async def get_strengths(subject: Subject) -> tuple[Strength, ...]:
    rows = await database.fetch(
        """select coalesce(nullif(category, ''), 'Other') as category, count(*)::int as solves,
               sum(challenge_points) as points, max(solved_at) as last_solved_at
           from game_platform_challenge_solves where competitor_id = $1 group by 1""",
        subject.competitor_id,
    )
    counts = await coverage.of_competitors(subject.sight, [subject.competitor_id])
    medium = counts.get(subject.competitor_id, {})
    return strengths.every_category({
        row["category"]: Strength(medium=medium.get(row["category"], 0), **row) for row in rows
    })


async def get_days(subject: Subject) -> tuple[Day, ...]:
    """Every day with a solve, the oldest first."""
    rows = await database.fetch(
        """select (solved_at at time zone $2)::date as day, source, count(*)::int as solves,
               sum(challenge_points) as points
           from game_platform_challenge_solves where competitor_id = $1 group by 1, 2 order by 1, 2""",
        subject.competitor_id, subject.zone.key,
    )
    return tuple(Day(**row) for row in rows)


async def get_flash_record(subject: Subject) -> tuple[Entry, ...]:
    """The newest first, and among them those of this person's time that they are known not to have entered."""
    rows = await database.fetch(
        """select coalesce(e.event_id, f.event_id) as event_id, coalesce(e.name, f.name) as name,
               coalesce(e.started_at, f.started_at) as started_at, f.last_solved_at,
               e.event_id is not null as has_entered,
               coalesce(e.challenges_solved, 0) as challenges, coalesce(e.score, 0) as points,
               coalesce(e.max_points, 0) as max_points, e.rank
           from (select * from game_platform_flash_ctf_events where competitor_id = $1) e
               full join game_platform_flash_ctfs f on f.event_id = e.event_id
           where e.event_id is not null or (f.started_at between $2 and $3)
           order by 3 desc, 1 limit $4""",
        subject.competitor_id, subject.joined_at, subject.flash_read_at, MOST_FLASH_CTFS,
    )
    return tuple(_entry(subject, row) for row in rows)


def _entry(subject: Subject, row: asyncpg.Record) -> Entry:
    event = flash_ctf.Event(row["started_at"], row["last_solved_at"])
    is_over = subject.flash_read_at is not None and event.settles_at <= subject.flash_read_at
    own = {name: row[name] for name in Entry.__dataclass_fields__ if name != "is_over"}
    return Entry(is_over=is_over, **own)


@dataclass(frozen=True, slots=True)
class WorkRole:
    """A role of the NICE framework that the platform's challenges practise; `solves` are this person's own."""

    name: str
    solves: int
    points: int
    last_solved_at: datetime | None


async def get_work_roles(subject: Subject) -> tuple[WorkRole, ...]:
    """Those that anybody of the team has practised; the most practised by this person first."""
    rows = await database.fetch(
        """select left(trim(role), 200) as name, count(*) filter (where v.competitor_id = $1)::int as solves,
               coalesce(sum(v.challenge_points) filter (where v.competitor_id = $1), 0) as points,
               max(v.solved_at) filter (where v.competitor_id = $1) as last_solved_at
           from game_platform_challenge_solves v cross join lateral jsonb_array_elements_text(
               case jsonb_typeof(v.raw_payload->'nist_nice_work_roles') when 'array'
                   then v.raw_payload->'nist_nice_work_roles' else '[]' end) as role
           where v.competitor_id = any(array(select competitor_id from team_memberships where team_id = $2) || $1::uuid)
               and trim(role) <> ''
           group by 1 order by 2 desc, 3 desc, 1""",
        subject.competitor_id, subject.team_id,
    )
    return tuple(WorkRole(**row) for row in rows)


_MEASURES = {"points": "Points, all time", "challenges": "Challenges, all time", "gained": "Points {since}"}
_COMPARED = ", ".join(
    f"max(own.{name}) as own_{name}, avg(p.{name})::float8 as average_{name}, "
    f"count(*) filter (where p.{name} < own.{name}) as behind_{name}" for name in _MEASURES
)
_PEERS = f"""
with people as materialized (
    select s.competitor_id, s.team_id, s.division, s.points, s.challenges, {{gained}} as gained
    from standings s {{join}} where s.organization_id = $1 and (s.division = $3 or s.team_id = $4)
)
select g.name, count(*)::int as people, {_COMPARED}
from people p cross join (select * from people where competitor_id = $2) own
cross join lateral (values ('team', p.team_id = $4), ('division', p.division = $3)) g (name, is_in)
where g.is_in group by g.name order by g.name desc
"""  # noqa: S608


async def get_peers(subject: Subject) -> tuple[Group, ...]:
    """The team and the division, this person among them."""
    arguments = Arguments([
        subject.organization_id, subject.competitor_id, subject.division or None, subject.team_id
    ])
    gained, join = _gained(subject.window, arguments)
    rows = await database.fetch(_PEERS.format(gained=gained, join=join), *arguments.values)
    return tuple(_group(subject, row) for row in rows)


def _gained(window: Window, arguments: Arguments) -> tuple[str, str]:
    """The points of a window, and the join that they need: presets are kept ready, other days are looked up."""
    if window.name != windows.CUSTOM:
        return f"s.gain_{window.name}", ""
    first, last = (arguments.add(windows.day_number(day)) for day in (window.first_day, window.last_day))
    return "coalesce(h.points[found.until], 0) - coalesce(h.points[found.before], 0)", f"""
        left join standing_histories h on h.competitor_id = s.competitor_id
        cross join lateral (
            select coalesce(width_bucket({first}::int - 1, h.days), 0) as before,
                coalesce(width_bucket({last}::int, h.days), 0) as until offset 0) found"""


def _group(subject: Subject, row: asyncpg.Record) -> Group:
    name = subject.team if row["name"] == "team" else DIVISIONS.get(subject.division, subject.division)
    measures = tuple(
        Measure(words.format(since=subject.since), row[f"own_{key}"], row[f"average_{key}"], row[f"behind_{key}"])
        for key, words in _MEASURES.items()
    )
    return Group(name, row["people"], measures)
