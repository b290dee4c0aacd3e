"""Alerts as their coaches see them: the list, how many there are of what, and the overview's cards."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

import asyncpg

from app import database
from app.domain.alert_list import ORDER, UNTOUCHED_DAYS, View
from app.domain.alert_rules import RULES, Group, Rule, Words
from app.domain.paging import Cursor
from app.queries import keyset
from app.queries.keyset import Arguments, Key, Stretch
from app.queries.scopes import Frame

PAGE_SIZE = 50
KEYS: dict[int, tuple[Key, ...]] = {0: (Key("a.opened_at", "timestamptz"), Key("a.id", "uuid"))}
LATEST_FIRST = False
ANYBODY = UUID(int=0)
"""Where nothing is asked about the reader's own alerts."""

_SOURCE = """alerts a left join competitors c on c.id = a.competitor_id
    left join team_memberships m on m.competitor_id = c.id left join teams t on t.id = coalesce(a.team_id, m.team_id)
    left join users o on o.id = a.owner_id"""
_COLUMNS = {
    name: f"a.{name}" for name in (
        "rule", "reason", "state", "since", "opened_at", "data_from", "resolved_at", "openings", "owner_id",
        "competitor_id",
    )
} | {
    "alert_id": "a.id",
    "name": "coalesce(trim(c.first_name || ' ' || c.last_name), '')",
    "handle": "coalesce(c.metactf_username, '')",
    "division": "coalesce(c.division, t.division, '')",
    "team_id": "t.id",
    "team": "coalesce(t.name, '')",
    "owner": "coalesce(nullif(o.display_name, ''), trim(o.first_name || ' ' || o.last_name), '')",
    "snoozed_until": "case when a.snoozed_until > now() then a.snoozed_until end",
    "is_flapping": "a.flapping_since is not null",
}
_AWAKE = "coalesce(a.snoozed_until <= now(), true)"
_STATES = {
    "open": f"a.state = 'open' and {_AWAKE}",
    "unknown": f"a.state = 'unknown' and {_AWAKE}",
    "snoozed": "a.state <> 'resolved' and a.snoozed_until > now()",
    "untouched": f"a.state <> 'resolved' and {_AWAKE} and a.owner_id is null "
                 f"and a.opened_at < now() - interval '{UNTOUCHED_DAYS} days'",
    "resolved": "a.state = 'resolved'",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """`data_from`: where our data is too old to say, when it is from. Without competitor and team it is about the
    organization."""

    alert_id: UUID
    rule: Rule
    reason: str
    state: str
    since: datetime
    opened_at: datetime
    data_from: datetime | None
    resolved_at: datetime | None
    openings: int
    is_flapping: bool
    owner_id: UUID | None
    owner: str
    snoozed_until: datetime | None
    competitor_id: UUID | None
    name: str
    handle: str
    division: str
    team_id: UUID | None
    team: str

    @property
    def words(self) -> Words:
        return RULES[self.rule]

    @property
    def href(self) -> str:
        """Where to act on it."""
        if self.competitor_id:
            return f"/competitors/{self.competitor_id}"
        return f"/teams/{self.team_id}" if self.team_id else ""


@dataclass(frozen=True, slots=True)
class Page:
    rows: tuple[Alert, ...]
    previous: Cursor | None
    next: Cursor | None


@dataclass(frozen=True, slots=True)
class Counts:
    """How many of each rule there are in each state, under the view's other filters."""

    by_rule: Mapping[Rule, Mapping[str, int]]

    def count(self, state: str, *, rule: str = "", group: str = "") -> int:
        """Of one rule, of one group's rules, or of all."""
        return sum(
            by_state[state] for each, by_state in self.by_rule.items()
            if rule in ("", each) and group in ("", RULES[each].group)
        )


@dataclass(frozen=True, slots=True)
class Card:
    """One of the overview's two: at most a few alerts, and how many there are."""

    group: Group
    alerts: tuple[Alert, ...]
    count: int
    unknown: int
    looked_at: datetime | None


def understood(view: View, frame: Frame) -> tuple[View, tuple[str, ...]]:
    """The view of what this reader may know."""
    view, notices = replace(view, scope=frame.scope), frame.notices
    if view.cursor and not keyset.is_usable(view.cursor, KEYS):
        view = replace(view, cursor=None)
        notices = (*notices, "“cursor” belongs to another list; the first page is shown.")
    return view, notices


async def get_page(view: View, frame: Frame, reader_id: UUID, *, size: int = PAGE_SIZE) -> Page:
    """Latest first. One row more than shown is read, to know whether there is more."""
    arguments = Arguments()
    wanted = (*conditions(view, frame, reader_id, arguments), _STATES[view.shown_state])
    stretch = Stretch(0, _SOURCE, wanted, KEYS[0], LATEST_FIRST, _COLUMNS)
    found = await database.fetch(keyset.page_sql([stretch], view.cursor, size + 1, arguments), *arguments.values)
    records, previous, following = keyset.turned(found, ORDER, view.cursor, size)
    return Page(tuple(map(_alert, records)), previous, following)


async def walk(view: View, frame: Frame, reader_id: UUID, *, size: int = 500) -> AsyncIterator[tuple[Alert, ...]]:
    """Every row of the view, a page at a time."""
    cursor = None
    while True:
        page = await get_page(replace(view, cursor=cursor), frame, reader_id, size=size)
        yield page.rows
        if page.next is None:
            return
        cursor = page.next


async def get_looked_at() -> datetime | None:
    """When the causes were looked at last."""
    looked_at: datetime | None = await database.fetchval(
        "select max(finished_at) from job_runs where kind = 'alerts_evaluate' and state = 'succeeded'"
    )
    return looked_at


async def get_counts(view: View, frame: Frame, reader_id: UUID) -> Counts:
    arguments = Arguments()
    wanted = " and ".join(conditions(replace(view, rule=""), frame, reader_id, arguments))
    states = ", ".join(f"count(*) filter (where {condition}) as {name}" for name, condition in _STATES.items())
    rows = await database.fetch(
        f"select a.rule, {states} from {_SOURCE} where {wanted} group by a.rule", *arguments.values  # noqa: S608
    )
    return Counts({Rule(row["rule"]): {state: row[state] for state in _STATES} for row in rows})


async def open_alerts(frame: Frame, *, group: str = "", limit: int = 5) -> tuple[Alert, ...]:
    """The latest ones that nobody has put aside."""
    return (await get_page(View(frame.scope, group=group), frame, ANYBODY, size=limit)).rows


async def cards(frame: Frame, *, limit: int = 5) -> tuple[Card, ...]:
    counts, looked_at = await get_counts(View(frame.scope), frame, ANYBODY), await get_looked_at()
    return tuple([
        Card(
            group, await open_alerts(frame, group=group, limit=limit), counts.count("open", group=group),
            counts.count("unknown", group=group), looked_at,
        )
        for group in (Group.ACCESS, Group.PEOPLE)
    ])


def conditions(view: View, frame: Frame, reader_id: UUID, arguments: Arguments) -> tuple[str, ...]:
    """Of the reader's sight first, then of the view's filters. What is about an organization is for all of it."""
    about_all = "false" if frame.scope.is_filtered else "true"
    conditions = [
        f"a.organization_id = {arguments.add(frame.organization_id)}",
        f"""case when a.competitor_id is not null then a.competitor_id in (
                select c.id from competitors c left join team_memberships m on m.competitor_id = c.id
                where {frame.people(arguments)})
            when a.team_id is not null then a.team_id in (select t.id from teams t where {frame.teams(arguments)})
            else {about_all} end""",  # noqa: S608
    ]
    if view.rule:
        conditions.append(f"a.rule = {arguments.add(view.rule)}")
    if view.group:
        rules = [rule.value for rule, words in RULES.items() if words.group == view.group]
        conditions.append(f"a.rule = any({arguments.add(rules)}::text[])")
    if view.owner:
        conditions.append(f"a.owner_id = {arguments.add(reader_id)}" if view.owner == "me" else "a.owner_id is null")
    return tuple(conditions)


def _alert(record: asyncpg.Record) -> Alert:
    values = {name: record[name] for name in Alert.__dataclass_fields__}
    return Alert(**{**values, "rule": Rule(record["rule"])})
