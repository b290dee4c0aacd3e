"""A roster file into the tables: all of it or nothing, and the same file again changes nothing."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

from app import database
from app.domain.readers import Reader
from app.domain.roster_file import RosterRow, RowError, read_roster
from app.domain.roster_plan import Entry, Known, Person, Plan, TeamEntry, plan_import
from app.security import audit
from app.services import onboarding_requests, outbox, standings
from app.tables.outbox import PushKind

__all__ = ["Coach", "ImportReport", "RowError", "find_coach", "import_roster", "read_known", "report_of"]

COMPETITOR_COLUMNS = {
    "id": "uuid", "user_id": "uuid", "first_name": "text", "last_name": "text", "email": "text", "grade": "text",
    "division": "text", "status": "text", "release_signed": "boolean", "agreement_signed": "boolean",
    "data_consent": "boolean", "school_id": "text", "region_id": "text", "game_platform_id": "text",
}
PERSON_COLUMNS = {
    "id": "uuid", "display_name": "text", "discord_id": "text", "startgg_gamer_tag": "text", "racetime_id": "text",
}
TEAM_COLUMNS = {"id": "uuid", "name": "text", "division": "text", "affiliation": "text", "game_platform_id": "text"}


@dataclass(frozen=True, slots=True)
class ImportReport:
    """`rows` counts the rows that were read; with errors nothing was changed."""

    rows: int
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    teams_created: int = 0
    errors: tuple[RowError, ...] = ()


@dataclass(frozen=True, slots=True)
class Coach:
    id: UUID
    organization_id: UUID


async def import_roster(
    content: bytes, *, coach_email: str, dry_run: bool, actor: Reader | None, actor_label: str,
    remember: Callable[[ImportReport], Awaitable[None]] | None = None,
) -> ImportReport:
    """`remember` is called in the transaction of an import that has no errors, before the next one begins."""
    rows, errors = await asyncio.to_thread(read_roster, content)
    coach = await find_coach(coach_email)
    if coach is None:
        errors.insert(0, RowError(0, "coach", f"There is no coach with the e-mail {coach_email}."))
        return ImportReport(len(rows), errors=tuple(errors))
    async with database.transaction():
        # One import at a time: two at once would each add the same people.
        await database.execute("select pg_advisory_xact_lock(hashtextextended('roster_import', 0))")
        plan = await asyncio.to_thread(plan_import, rows, await read_known(coach, rows))
        report = report_of(rows, plan, errors)
        if dry_run or report.errors:
            return report
        if remember:
            await remember(report)
        if report.unchanged == report.rows:
            return report
        await _write(coach, plan, actor)
        await _remember(coach, report, actor, actor_label)
    await standings.refresh_stale()
    await onboarding_requests.follow_change()
    await outbox.wake()
    return report


def report_of(rows: Sequence[RosterRow], plan: Plan, errors: Sequence[RowError]) -> ImportReport:
    return ImportReport(
        rows=len(rows),
        created=len(plan.created),
        updated=len(plan.updated),
        unchanged=plan.unchanged,
        teams_created=len(plan.teams_created),
        errors=tuple(sorted((*errors, *plan.errors), key=lambda error: error.row)),
    )


async def find_coach(email: str) -> Coach | None:
    row = await database.fetchrow(
        """select u.id, m.organization_id from users u join organization_members m on m.user_id = u.id
           where lower(u.email) = lower($1) and u.role = 'coach' and u.disabled_at is null
           order by m.created_at limit 1""",
        email.strip(),
    )
    return Coach(row["id"], row["organization_id"]) if row else None


async def read_known(coach: Coach, rows: Sequence[RosterRow]) -> Known:
    entries = await _entries(coach)
    return Known(
        coach_id=coach.id,
        entries=entries,
        teams=await _teams(coach),
        people=await _people(rows, {entry.user_id for entry in entries if entry.user_id}),
        account_holders=await _holders("competitors", {row.game_platform_id for row in rows}),
        team_account_holders=await _holders("teams", {row.team_game_platform_id for row in rows}),
    )


async def _entries(coach: Coach) -> list[Entry]:
    rows = await database.fetch(
        """select c.id, c.user_id, c.first_name, c.last_name, c.email, c.grade, c.division, c.status, c.release_signed,
               c.agreement_signed, c.data_consent, c.school_id, c.region_id, c.game_platform_id, c.metactf_user_status,
               c.edited_fields, m.team_id
           from competitors c left join team_memberships m on m.competitor_id = c.id
           where c.coach_id = $1 and c.archived_at is null
           order by c.id for no key update of c""",
        coach.id,
    )
    return [Entry(**{**row, "edited_fields": frozenset(json.loads(row["edited_fields"]))}) for row in rows]


async def _teams(coach: Coach) -> list[TeamEntry]:
    rows = await database.fetch(
        """select id, name, division, affiliation, game_platform_id, closed_at is not null as is_closed from teams
           where coach_id = $1 and archived_at is null order by id for share""",
        coach.id,
    )
    return [TeamEntry(**row) for row in rows]


async def _people(rows: Sequence[RosterRow], linked: Collection[UUID]) -> list[Person]:
    found = await database.fetch(
        """select id, is_placeholder, display_name, discord_id, startgg_gamer_tag, racetime_id from users
           where id = any($1::uuid[]) or discord_id = any($2::text[])
              or lower(startgg_gamer_tag) = any($3::text[]) or racetime_id = any($4::text[])""",
        list(linked),
        [row.discord_id for row in rows if row.discord_id],
        [row.startgg_gamer_tag.lower() for row in rows if row.startgg_gamer_tag],
        [row.racetime_id for row in rows if row.racetime_id],
    )
    return [Person(**row) for row in found]


async def _holders(table: str, ids: Collection[str | None]) -> dict[str, UUID]:
    """Across all coaches: an account belongs to one competitor, a platform team to one team."""
    rows = await database.fetch(
        f"select game_platform_id, id from {table} where game_platform_id = any($1::text[])",  # noqa: S608
        [value for value in ids if value],
    )
    return {row["game_platform_id"]: row["id"] for row in rows}


async def _write(coach: Coach, plan: Plan, actor: Reader | None) -> None:
    await _add_people(plan)
    await _add_teams(coach, plan)
    await _add_competitors(coach, plan)
    placed = await _place([entry for entry in (*plan.created, *plan.updated) if entry.team_id])
    for kind, changed in ((PushKind.TEAM, [*plan.teams_created, *plan.teams_updated]), (PushKind.MEMBERSHIP, placed)):
        await outbox.add_many(kind, changed, organization_id=coach.organization_id, actor=actor)


async def _add_people(plan: Plan) -> None:
    await database.execute(
        f"""insert into users (id, display_name, discord_id, startgg_gamer_tag, racetime_id, role, is_placeholder)
            select new.*, 'player', true from {_rows(PERSON_COLUMNS, "new")}""",  # noqa: S608
        *_columns(PERSON_COLUMNS, plan.people_created.values()),
    )
    await database.execute(
        f"""update users u set discord_id = new.discord_id, startgg_gamer_tag = new.startgg_gamer_tag,
                racetime_id = new.racetime_id
            from {_rows(PERSON_COLUMNS, "new")} where u.id = new.id and u.is_placeholder""",  # noqa: S608
        *_columns(PERSON_COLUMNS, plan.people_updated.values()),
    )


async def _add_teams(coach: Coach, plan: Plan) -> None:
    await database.execute(
        f"""insert into teams (id, name, division, affiliation, game_platform_id, organization_id, coach_id)
            select new.*, $6, $7 from {_rows(TEAM_COLUMNS, "new")}""",  # noqa: S608
        *_columns(TEAM_COLUMNS, plan.teams_created.values()), coach.organization_id, coach.id,
    )
    await database.execute(
        """update teams t set game_platform_id = new.game_platform_id, updated_at = now()
           from unnest($1::uuid[], $2::text[]) as new (id, game_platform_id) where t.id = new.id""",
        list(plan.teams_updated), [team.game_platform_id for team in plan.teams_updated.values()],
    )


async def _add_competitors(coach: Coach, plan: Plan) -> None:
    names = ", ".join(COMPETITOR_COLUMNS)
    await database.execute(
        f"""insert into competitors ({names}, organization_id, coach_id)
            select new.*, $15, $16 from {_rows(COMPETITOR_COLUMNS, "new")}""",  # noqa: S608
        *_columns(COMPETITOR_COLUMNS, plan.created), coach.organization_id, coach.id,
    )
    changes = ", ".join(f"{name} = new.{name}" for name in COMPETITOR_COLUMNS if name != "id")
    await database.execute(
        f"""update competitors c set {changes}, updated_at = now()
            from {_rows(COMPETITOR_COLUMNS, "new")} where c.id = new.id""",  # noqa: S608
        *_columns(COMPETITOR_COLUMNS, plan.updated),
    )


async def _place(entries: Sequence[Entry]) -> list[UUID]:
    """On their team, moved there if they were on another. Whose team changed."""
    rows = await database.fetch(
        """insert into team_memberships (team_id, competitor_id)
           select * from unnest($1::uuid[], $2::uuid[])
           on conflict (competitor_id) do update set team_id = excluded.team_id, game_platform_synced_at = null,
               game_platform_sync_error = null
           where team_memberships.team_id <> excluded.team_id
           returning competitor_id""",
        [entry.team_id for entry in entries], [entry.id for entry in entries],
    )
    return [row["competitor_id"] for row in rows]


async def _remember(coach: Coach, report: ImportReport, actor: Reader | None, actor_label: str) -> None:
    counts = {name: value for name, value in asdict(report).items() if name != "errors"}
    await audit.record(
        "roster.imported", actor=actor, actor_label=actor_label, subject_type="coach", subject_id=coach.id,
        after=counts, organization_id=coach.organization_id,
    )
    await database.execute(
        """insert into activity_events (organization_id, kind, user_id, details)
           values ($1, 'roster_imported', $2, $3::jsonb)""",
        coach.organization_id, coach.id, json.dumps(counts),
    )
    await standings.mark_stale(coach.organization_id)


def _rows(columns: dict[str, str], alias: str) -> str:
    """`unnest($1::uuid[], $2::text[], …) as alias (id, name, …)`"""
    arrays = ", ".join(f"${number}::{kind}[]" for number, kind in enumerate(columns.values(), start=1))
    return f"unnest({arrays}) as {alias} ({', '.join(columns)})"


def _columns(columns: dict[str, str], rows: Collection[Any]) -> list[list[Any]]:
    return [[getattr(row, name) for row in rows] for name in columns]
