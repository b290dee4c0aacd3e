"""Competitors as their coaches see them: the list by name, and one person's card."""

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

import asyncpg

from app import database
from app.domain import competitor_status, folding
from app.domain.competitor_list import ORDER, View
from app.domain.competitor_status import Progress
from app.domain.paging import Cursor
from app.domain.readers import Sight
from app.queries import keyset
from app.queries.keyset import Arguments, Key, Stretch

PAGE_SIZE = 50
MOST_CHOICES = 200

# The standings know the folded name; who was made a moment ago is not in them yet.
NAME = Key("coalesce(s.name_key, left(lower(c.last_name || ' ' || c.first_name), 200))", "text", 'collate "C"')
KEYS: dict[int, tuple[Key, ...]] = {0: (NAME, Key("c.id", "uuid"))}

_SOURCE = """competitors c left join standings s on s.competitor_id = c.id
    left join team_memberships m on m.competitor_id = c.id left join teams t on t.id = m.team_id"""
_COLUMNS = {
    name: f"c.{name}" for name in ("id", "organization_id", "archived_at", *Progress.__dataclass_fields__, "status")
} | {"handle": "coalesce(c.metactf_username, '')", "team_id": "m.team_id", "team": "coalesce(t.name, '')"}


@dataclass(frozen=True, slots=True)
class Row:
    """`missing` is the one next thing that keeps this person from being complete."""

    competitor_id: UUID
    organization_id: UUID
    name: str
    handle: str
    division: str
    team_id: UUID | None
    team: str
    status: str
    missing: str | None
    is_without_papers: bool


@dataclass(frozen=True, slots=True)
class Page:
    rows: tuple[Row, ...]
    previous: Cursor | None
    next: Cursor | None


@dataclass(frozen=True, slots=True)
class Card:
    """One person, with everything that their coach has to know to bring them onto the platform."""

    row: Row
    email: str | None
    grade: str | None
    coach: str
    has_account: bool
    platform_since: datetime | None
    platform_error: str | None
    has_consent: bool
    needs_consent: bool
    release_signed: bool
    agreement_signed: bool
    is_archived: bool


Choice = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Teams:
    """What the filter offers (nothing where there are too many), and the name of the one that is chosen."""

    choices: tuple[Choice, ...]
    chosen: str | None


async def get_teams(sight: Sight, view: View) -> Teams:
    condition, arguments = sight.condition("t.coach_id", "t.id", 2)
    rows = await database.fetch(
        f"""(select t.id, t.name from teams t where t.archived_at is null and {condition}
            order by lower(t.name), t.id limit {MOST_CHOICES + 1})
            union (select t.id, t.name from teams t where t.id = $1 and {condition})""",  # noqa: S608
        view.team_id, *arguments,
    )
    names = {row["id"]: row["name"] for row in rows}
    choices = sorted(((str(team_id), name) for team_id, name in names.items()), key=lambda team: team[1].casefold())
    chosen = names.get(view.team_id) if view.team_id else None
    return Teams(tuple(choices) if len(choices) <= MOST_CHOICES else (), chosen)


def understood(view: View, teams: Teams) -> tuple[View, tuple[str, ...]]:
    """The view without what this reader cannot know; somebody else's is the same as nobody's."""
    notices = []
    if view.team_id and teams.chosen is None:
        view = replace(view, team_id=None)
        notices.append("“team” is not known; all teams are shown.")
    if view.cursor and not keyset.is_usable(view.cursor, KEYS):
        view = replace(view, cursor=None)
        notices.append("“cursor” belongs to another list; the first page is shown.")
    return view, tuple(notices)


async def get_page(view: View, sight: Sight, *, size: int = PAGE_SIZE) -> Page:
    """By last name. One row more than shown is read, to know whether there is more."""
    arguments = Arguments()
    stretch = Stretch(0, _SOURCE, _conditions(view, sight, arguments), KEYS[0], True, _COLUMNS)
    page = keyset.page_sql([stretch], view.cursor, size + 1, arguments)
    found = await database.fetch(page, *arguments.values)
    records, previous, following = keyset.turned(found, ORDER, view.cursor, size)
    return Page(tuple(map(_row, records)), previous, following)


def _conditions(view: View, sight: Sight, arguments: Arguments) -> tuple[str, ...]:
    """Of the reader's sight first, then of the view's filters."""
    conditions = [arguments.sight(sight, "c.coach_id", "m.team_id"), "c.archived_at is null"]
    if view.search:
        words = " & ".join(f"'{word}':*" for word in folding.words(view.search))
        conditions.append(
            f"(s.words @@ {arguments.add(words)}::text::tsquery or (s.competitor_id is null "
            f"and strpos(lower(c.first_name || ' ' || c.last_name), lower({arguments.add(view.search)})) > 0))"
        )
    if view.status:
        conditions.append(f"c.status = {arguments.add(view.status)}")
    if view.division:
        conditions.append(f"c.division = {arguments.add(view.division)}")
    if view.team_id:
        conditions.append(f"m.team_id = {arguments.add(view.team_id)}")
    if view.is_without_team:
        conditions.append("m.team_id is null")
    return tuple(conditions)


async def get_card(sight: Sight, competitor_id: UUID) -> Card | None:
    """None also for whom the reader may not see."""
    condition, arguments = sight.condition("c.coach_id", "m.team_id", 2)
    columns = ", ".join(f"{sql} as {name}" for name, sql in _COLUMNS.items())
    record = await database.fetchrow(
        f"""select {columns}, c.grade, c.game_platform_synced_at, c.game_platform_sync_error,
                coalesce(nullif(u.display_name, ''), trim(u.first_name || ' ' || u.last_name), '') as coach
            from {_SOURCE} left join users u on u.id = c.coach_id where c.id = $1 and {condition}""",  # noqa: S608
        competitor_id, *arguments,
    )
    return None if record is None else _card(record)


def _card(record: asyncpg.Record) -> Card:
    progress = _progress(record)
    return Card(
        row=_row(record), email=record["email"], grade=record["grade"], coach=record["coach"],
        has_account=progress.has_account, platform_since=record["game_platform_synced_at"],
        platform_error=record["game_platform_sync_error"], has_consent=progress.data_consent,
        needs_consent=not progress.may_be_disclosed, release_signed=progress.release_signed,
        agreement_signed=progress.agreement_signed, is_archived=record["archived_at"] is not None,
    )


def _row(record: asyncpg.Record) -> Row:
    progress = _progress(record)
    return Row(
        competitor_id=record["id"], organization_id=record["organization_id"],
        name=f"{record['first_name']} {record['last_name']}".strip(), handle=record["handle"],
        division=record["division"] or "", team_id=record["team_id"], team=record["team"], status=record["status"],
        missing=competitor_status.missing(progress), is_without_papers=progress.is_without_papers,
    )


def _progress(record: asyncpg.Record) -> Progress:
    return Progress(**{name: record[name] for name in Progress.__dataclass_fields__})
