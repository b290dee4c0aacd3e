"""Competitors as their coaches see them: the list by name, and one person's card."""

from collections.abc import AsyncIterator, Collection
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

import asyncpg

from app import database
from app.domain import competitor_status, folding
from app.domain.competitor_list import AGES, BY_STAGE, View
from app.domain.competitor_status import Progress
from app.domain.paging import Cursor
from app.domain.readers import Reader, Sight
from app.queries import keyset
from app.queries.keyset import Arguments, Key, Stretch
from app.queries.onboarding import HAS_ACCOUNT, WAITING

PAGE_SIZE = 50
EXPORT_SIZE = 1000
MOST_CHOICES = 200

# The standings know the folded name; who was made a moment ago is not in them yet.
NAME = Key("coalesce(s.name_key, left(lower(c.last_name || ' ' || c.first_name), 200))", "text", 'collate "C"')
KEYS: dict[str, tuple[Key, ...]] = {
    "": (NAME, Key("c.id", "uuid")), BY_STAGE: (Key("c.stage_since", "timestamptz"), Key("c.id", "uuid")),
}

SOURCE = """competitors c left join standings s on s.competitor_id = c.id
    left join team_memberships m on m.competitor_id = c.id left join teams t on t.id = m.team_id"""
_COACH = """(select coalesce(nullif(u.display_name, ''), trim(u.first_name || ' ' || u.last_name))
    from users u where u.id = c.coach_id)"""
_OWN = ("id", "organization_id", "archived_at", *Progress.__dataclass_fields__, "status", "grade", "stage_since")
_COLUMNS = {name: f"c.{name}" for name in _OWN} | {
    "handle": "coalesce(c.metactf_username, '')", "team_id": "m.team_id", "team": "coalesce(t.name, '')",
    "coach": f"coalesce({_COACH}, '')",
}

# `competitor_status.missing` in SQL, by the names that the address has for it.
MISSING = f"""
    case when c.first_name = '' then 'first_name' when c.last_name = '' then 'last_name'
        when coalesce(c.email, '') = '' then 'email' when coalesce(c.division, '') = '' then 'division'
        when c.coach_id is null then 'coach' when not c.release_signed then 'release'
        when not c.agreement_signed then 'agreement'
        when c.game_platform_id is not null and {HAS_ACCOUNT} then null
        when c.data_consent or c.division = 'college' then 'account' else 'consent' end
"""
TROUBLES = {
    "waiting": WAITING, "denied": "c.metactf_user_status = 'denied'",
    "refused": f"c.game_platform_sync_error is not null and c.metactf_user_status is distinct from 'denied' "
               f"and not {HAS_ACCOUNT}",
    "without_papers": f"{HAS_ACCOUNT} and not (c.release_signed and c.agreement_signed)",
    "without_consent": "not c.data_consent and c.division is distinct from 'college'",
}


_ARCHIVED = {False: "c.archived_at is null", True: "c.archived_at is not null"}


@dataclass(frozen=True, slots=True)
class Row:
    """`missing` is the one next thing that keeps this person from being complete."""

    competitor_id: UUID
    organization_id: UUID
    name: str
    handle: str
    grade: str
    division: str
    team_id: UUID | None
    team: str
    coach: str
    status: str
    stage_since: datetime
    missing: str | None
    is_without_papers: bool
    progress: Progress


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
class Choices:
    """What the filters offer (nothing where there is one or none, or too many), and the names of those chosen."""

    teams: tuple[Choice, ...]
    coaches: tuple[Choice, ...]
    organizations: tuple[Choice, ...]
    team: str | None
    coach: str | None
    organization: str | None


async def get_choices(reader: Reader, view: View) -> Choices:
    """Coaches and organizations are for admins to choose."""
    teams = await _teams(reader.sight, view)
    coaches = await _coaches() if reader.is_admin else {}
    organizations = await _organizations(reader) if reader.is_admin else {}
    return Choices(
        _offered(teams), _offered(coaches), _offered(organizations) if len(organizations) > 1 else (),
        teams.get(view.team_id), coaches.get(view.coach_id), organizations.get(view.organization_id),
    )


def _offered(names: dict[UUID | None, str]) -> tuple[Choice, ...]:
    choices = sorted(((str(choice), name) for choice, name in names.items()), key=lambda choice: choice[1].casefold())
    return tuple(choices) if len(choices) <= MOST_CHOICES else ()


async def _teams(sight: Sight, view: View) -> dict[UUID | None, str]:
    condition, arguments = sight.condition("t.coach_id", "t.id", 2)
    rows = await database.fetch(
        f"""(select t.id, t.name from teams t where t.archived_at is null and {condition}
            order by lower(t.name), t.id limit {MOST_CHOICES + 1})
            union (select t.id, t.name from teams t where t.id = $1 and {condition})""",  # noqa: S608
        view.team_id, *arguments,
    )
    return {row["id"]: row["name"] for row in rows}


async def _coaches() -> dict[UUID | None, str]:
    rows = await database.fetch(
        """select u.id, coalesce(nullif(u.display_name, ''), trim(u.first_name || ' ' || u.last_name)) as name
           from users u where exists (select from competitors c where c.coach_id = u.id)"""
    )
    return {row["id"]: row["name"] for row in rows}


async def _organizations(reader: Reader) -> dict[UUID | None, str]:
    rows = await database.fetch(
        "select id, name from organizations where id = any($1::uuid[])", list(reader.organization_ids)
    )
    return {row["id"]: row["name"] for row in rows}


def understood(view: View, choices: Choices) -> tuple[View, tuple[str, ...]]:
    """The view without what this reader cannot know; somebody else's is the same as nobody's."""
    notices = []
    for name, chosen in (("team", choices.team), ("coach", choices.coach), ("organization", choices.organization)):
        if getattr(view, f"{name}_id") and chosen is None:
            view = replace(view, **{f"{name}_id": None})  # type: ignore[arg-type]
            every = "coaches" if name == "coach" else f"{name}s"
            notices.append(f"“{name}” is not known; all {every} are shown.")
    if view.cursor and not keyset.is_usable(view.cursor, {0: KEYS[view.sort]}):
        view = replace(view, cursor=None)
        notices.append("“cursor” belongs to another list; the first page is shown.")
    return view, tuple(notices)


async def get_page(view: View, sight: Sight, *, size: int = PAGE_SIZE) -> Page:
    """By last name, or who is in their stage for longest first. One row more than shown is read, to know whether there
    is more."""
    arguments = Arguments()
    stretch = Stretch(0, SOURCE, conditions(view, sight, arguments), KEYS[view.sort], True, _COLUMNS)
    page = keyset.page_sql([stretch], view.cursor, size + 1, arguments)
    found = await database.fetch(page, *arguments.values)
    records, previous, following = keyset.turned(found, view.order_name, view.cursor, size)
    return Page(tuple(map(_row, records)), previous, following)


async def walk(view: View, sight: Sight) -> AsyncIterator[tuple[Row, ...]]:
    """Every row of the view, page after page."""
    page = await get_page(replace(view, cursor=None), sight, size=EXPORT_SIZE)
    while page.rows:
        yield page.rows
        if page.next is None:
            return
        page = await get_page(replace(view, cursor=page.next), sight, size=EXPORT_SIZE)


async def get_rows(sight: Sight, competitor_ids: Collection[UUID]) -> tuple[Row, ...]:
    """Those of them in sight, by last name; archived ones too."""
    arguments = Arguments()
    condition = arguments.sight(sight, "c.coach_id", "m.team_id")
    columns = ", ".join(f"{sql} as {name}" for name, sql in _COLUMNS.items())
    rows = await database.fetch(
        f"""select {columns} from {SOURCE} where {condition} and c.id = any({arguments.add(list(competitor_ids))})
            order by lower(c.last_name), lower(c.first_name), c.id""",  # noqa: S608
        *arguments.values,
    )
    return tuple(map(_row, rows))


def conditions(view: View, sight: Sight, arguments: Arguments) -> tuple[str, ...]:
    """Of the reader's sight first, then of the view's filters."""
    found = [arguments.sight(sight, "c.coach_id", "m.team_id"), _ARCHIVED[view.is_archived]]
    if view.search:
        words = " & ".join(f"'{word}':*" for word in folding.words(view.search))
        found.append(
            f"(s.words @@ {arguments.add(words)}::text::tsquery or (s.competitor_id is null "
            f"and strpos(lower(c.first_name || ' ' || c.last_name), lower({arguments.add(view.search)})) > 0))"
        )
    found += [
        f"{column} = {arguments.add(value)}" for column, value in (
            ("c.status", view.status), (MISSING, view.missing), ("c.division", view.division),
            ("m.team_id", view.team_id), ("c.coach_id", view.coach_id), ("c.organization_id", view.organization_id),
        ) if value
    ]
    if view.is_without_team:
        found.append("m.team_id is null")
    if view.trouble:
        found.append(f"({TROUBLES[view.trouble]})")
    if view.age in AGES:
        found.append(f"c.stage_since < now() - make_interval(days => {arguments.add(int(view.age))}::int)")
    return tuple(found)


async def get_card(sight: Sight, competitor_id: UUID) -> Card | None:
    """None also for whom the reader may not see."""
    condition, arguments = sight.condition("c.coach_id", "m.team_id", 2)
    columns = ", ".join(f"{sql} as {name}" for name, sql in _COLUMNS.items())
    record = await database.fetchrow(
        f"""select {columns}, c.game_platform_synced_at, c.game_platform_sync_error
            from {SOURCE} where c.id = $1 and {condition}""",  # noqa: S608
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
        grade=record["grade"] or "", division=record["division"] or "", team_id=record["team_id"],
        team=record["team"], coach=record["coach"], status=record["status"], stage_since=record["stage_since"],
        missing=competitor_status.missing(progress), is_without_papers=progress.is_without_papers, progress=progress,
    )


def _progress(record: asyncpg.Record) -> Progress:
    return Progress(**{name: record[name] for name in Progress.__dataclass_fields__})
