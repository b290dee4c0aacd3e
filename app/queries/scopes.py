"""A scope as one reader may have it: what they cannot know is taken out, and its days are moments of the
organization's zone."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import asyncpg

from app import database
from app.domain import windows
from app.domain.leaderboard import DIVISIONS, WINDOWS
from app.domain.organization_limits import promise_in_words
from app.domain.readers import Reader, Sight
from app.domain.scopes import Scope
from app.domain.windows import Window
from app.queries.keyset import Arguments

MOST_CHOICES = 200

Choice = tuple[str, str]


class NoOrganization(Exception):
    """The reader belongs to none, so there is nothing that a page could be about."""


@dataclass(frozen=True, slots=True)
class Choices:
    """What the bar offers, values and labels; empty where one or none, or too many to choose from."""

    organizations: tuple[Choice, ...]
    coaches: tuple[Choice, ...]
    teams: tuple[Choice, ...]


@dataclass(frozen=True, slots=True)
class Frame:
    """`coach` and `team` are the names of those that the scope is limited to."""

    scope: Scope
    sight: Sight
    organization_id: UUID
    organization_name: str
    zone: ZoneInfo
    year_starts_month: int
    fresh_for: timedelta
    today: date
    now: datetime
    window: Window
    previous: Window
    coach: str | None
    team: str | None
    choices: Choices
    notices: tuple[str, ...]

    @property
    def ends_at(self) -> datetime:
        """The end of the window, where it lasts until now: now."""
        return min(self.window.ends_at or self.now, self.now)

    @property
    def promise(self) -> str:
        return promise_in_words(self.fresh_for)

    def is_late(self, as_of: datetime | None) -> bool:
        """Whether what is known from then is older than promised."""
        return as_of is not None and self.now - as_of > self.fresh_for

    @property
    def window_words(self) -> str:
        return WINDOWS.get(self.window.name) or self.days_words

    @property
    def days_words(self) -> str:
        return self.window.days_words

    def people(self, arguments: Arguments) -> str:
        """The condition for `competitors c left join team_memberships m`; archived ones are not left out by it."""
        conditions = [
            arguments.sight(self.sight, "c.coach_id", "m.team_id"),
            f"c.organization_id = {arguments.add(self.organization_id)}",
        ]
        wanted = {"c.coach_id": self.scope.coach_id, "c.division": self.scope.division, "m.team_id": self.scope.team_id}
        conditions += [f"{column} = {arguments.add(value)}" for column, value in wanted.items() if value]
        return " and ".join(conditions)

    def teams(self, arguments: Arguments) -> str:
        """The same for `teams t`."""
        conditions = [
            arguments.sight(self.sight, "t.coach_id", "t.id"),
            f"t.organization_id = {arguments.add(self.organization_id)}",
        ]
        wanted = {"t.coach_id": self.scope.coach_id, "t.division": self.scope.division, "t.id": self.scope.team_id}
        conditions += [f"{column} = {arguments.add(value)}" for column, value in wanted.items() if value]
        return " and ".join(conditions)

    def chips(self, path: str, others: Mapping[str, object] | None = None) -> tuple[tuple[str, str, str], ...]:
        """Each filter that is set: its name, its value and the address without it."""
        candidates: tuple[tuple[str, str | None, dict[str, object]], ...] = (
            ("Coach", self.coach, {"coach_id": None}),
            ("Team", self.team, {"team_id": None}),
            ("Division", DIVISIONS.get(self.scope.division), {"division": ""}),
        )
        return tuple(
            (name, value, self.scope.url(path, others, **without)) for name, value, without in candidates if value
        )


_COACH_NAME = "coalesce(nullif(u.display_name, ''), trim(u.first_name || ' ' || u.last_name), '')"

_MEMBER = "exists (select from organization_members m where m.user_id = u.id and m.organization_id = $1)"

_FRAME = f"""
select o.name, o.time_zone, o.school_year_starts_month, o.idle_look_minutes, now() as now,
    (now() at time zone o.time_zone)::date as today,
    (select t.name from teams t where t.id = $2 and t.organization_id = $1 and {{sight}}) as team,
    (select {_COACH_NAME} from users u where u.id = $3 and {_MEMBER}) as coach,
    (select json_agg(json_build_array(id, name)) from (
        select t.id, t.name from teams t
        where t.organization_id = $1 and t.archived_at is null and {{sight}} limit {MOST_CHOICES + 1}) t) as teams,
    (select json_agg(json_build_array(id, name)) from (
        select u.id, {_COACH_NAME} as name from users u
        where {{is_admin}} and u.role = 'coach' and {_MEMBER} limit {MOST_CHOICES + 1}) u) as coaches,
    (select json_agg(json_build_array(id, name)) from organizations where id = any({{organizations}}::uuid[]))
        as organizations
from organizations o where o.id = $1
"""  # noqa: S608


async def frame(scope: Scope, reader: Reader) -> Frame:
    """Raises NoOrganization. Somebody else's team or coach is the same as nobody's."""
    organization_id = _organization(scope, reader)
    arguments = Arguments([organization_id, scope.team_id, scope.coach_id if reader.is_admin else None])
    sight = arguments.sight(reader.sight, "t.coach_id", "t.id")
    row = await database.fetchrow(
        _FRAME.format(
            sight=sight, is_admin=str(reader.is_admin).lower(),
            organizations=arguments.add(list(reader.organization_ids[:MOST_CHOICES + 1])),
        ), *arguments.values,
    )
    if row is None:
        raise NoOrganization
    cleaned, notices = _understood(scope, reader, row)
    return _frame(cleaned, notices, reader, organization_id, row)


def _organization(scope: Scope, reader: Reader) -> UUID:
    """The one asked for where it is the reader's, else the reader's first."""
    if not reader.organization_ids:
        raise NoOrganization
    wanted = scope.organization_id
    return wanted if wanted in reader.organization_ids else reader.organization_ids[0]


def _understood(scope: Scope, reader: Reader, row: asyncpg.Record) -> tuple[Scope, tuple[str, ...]]:
    notices = []
    if scope.organization_id and scope.organization_id not in reader.organization_ids:
        scope = replace(scope, organization_id=None)
        notices.append("“organization” is not known; your own is shown.")
    if scope.team_id and row["team"] is None:
        scope = replace(scope, team_id=None)
        notices.append("“team” is not known; all teams are shown.")
    if scope.coach_id and row["coach"] is None:
        scope = replace(scope, coach_id=None)
        notices.append("“coach” is not known; all are shown." if reader.is_admin else "“coach” is a filter for admins.")
    return scope, tuple(notices)


def _frame(
    scope: Scope, notices: tuple[str, ...], reader: Reader, organization_id: UUID, row: asyncpg.Record
) -> Frame:
    zone, starts_month = ZoneInfo(row["time_zone"]), row["school_year_starts_month"]
    window = windows.chosen(scope.window, scope.first_day, scope.last_day, row["today"], zone, starts_month)
    return Frame(
        scope=scope, sight=reader.sight, organization_id=organization_id, organization_name=row["name"], zone=zone,
        year_starts_month=starts_month, fresh_for=timedelta(minutes=row["idle_look_minutes"]), today=row["today"],
        now=row["now"], window=window,
        previous=windows.previous(window, zone), coach=row["coach"], team=row["team"], notices=notices,
        choices=Choices(_by_label(row["organizations"]), _by_label(row["coaches"]), _by_label(row["teams"])),
    )


def _by_label(found: str | None) -> tuple[Choice, ...]:
    pairs = json.loads(found or "[]")
    if not 1 < len(pairs) <= MOST_CHOICES:
        return ()
    return tuple(sorted(((value, label) for value, label in pairs), key=lambda choice: choice[1].casefold()))
