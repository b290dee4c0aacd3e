"""The turn of a coach's school year in one transaction: grades up, leavers and teams into the archive, and back.

Locks are taken in the order competitors, teams, memberships, outbox.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from app import database
from app.domain import season
from app.domain.readers import Reader
from app.domain.season import Move, Pupil, Step
from app.security import audit
from app.services import outbox, roster, standings
from app.services.outbox import NotFound
from app.tables.outbox import PushKind

__all__ = ["NotFound", "SeasonError", "Undone", "read_roster", "turn", "undo"]

ROSTER = """
    select c.id, trim(c.first_name || ' ' || c.last_name) as name, coalesce(c.metactf_username, '') as handle, c.grade,
        c.division, coalesce(t.name, '') as team, t.division as team_division
    from competitors c left join team_memberships m on m.competitor_id = c.id
        left join teams t on t.id = m.team_id and t.archived_at is null left join standings s on s.competitor_id = c.id
    where c.coach_id = $1 and c.archived_at is null
    order by coalesce(s.name_key, lower(c.last_name || ' ' || c.first_name)) collate "C", c.id
"""
LOCK = "select id from competitors where coach_id = $1 and archived_at is null order by id for no key update"
LOCK_AGAIN = "select id from competitors where id = any($1::uuid[]) order by id for no key update"

PERSON = """id uuid, grade text, division text, archived_at timestamptz, onboarding_asked_at timestamptz,
    updated_at timestamptz"""
IMAGES = """
    select coalesce(jsonb_agg(to_jsonb(i) order by id), '[]') from (
        select id, grade, division, archived_at, onboarding_asked_at, updated_at from competitors
        where id = any($1::uuid[])) i
"""
WRITE = """
    update competitors c set grade = n.grade, division = n.division,
        archived_at = case when n.leaves then now() end,
        onboarding_asked_at = case when n.leaves then null else c.onboarding_asked_at end, updated_at = now()
    from unnest($1::uuid[], $2::text[], $3::text[], $4::boolean[]) as n (id, grade, division, leaves)
    where c.id = n.id
"""
LEAVE_TEAMS = """
    with gone as (
        delete from team_memberships m using teams t
        where t.id = m.team_id and t.archived_at is null and m.competitor_id = any($1::uuid[]) returning m.*
    ) select coalesce(jsonb_agg(to_jsonb(g)), '[]') from gone g
"""
ARCHIVE_TEAMS = """
    update teams set archived_at = now(), updated_at = now()
    where coach_id = $1 and archived_at is null and closed_at is null returning id
"""
# A place that was chosen by hand held for the year that ends; the next file may say another.
FREE_PLACES = """
    with held as (
        select id, edited_fields from competitors
        where coach_id = $1 and archived_at is null and edited_fields ? 'team'
    ), freed as (update competitors c set edited_fields = c.edited_fields - 'team' from held where held.id = c.id)
    select coalesce(jsonb_agg(to_jsonb(held)), '[]') from held
"""
HOLD_AGAIN = """
    update competitors c set edited_fields = case
        when c.edited_fields = h.edited_fields - 'team' then h.edited_fields else c.edited_fields || '["team"]' end
    from jsonb_to_recordset($1::jsonb) as h (id uuid, edited_fields jsonb)
    where c.id = h.id and not c.edited_fields ? 'team'
"""

# Whoever was changed since, or is on a team that goes with the new division, stays as they are now.
WRITE_BACK = f"""
    update competitors c set grade = b.grade, division = b.division, archived_at = b.archived_at,
        onboarding_asked_at = coalesce(c.onboarding_asked_at, b.onboarding_asked_at),
        updated_at = case when c.updated_at = a.updated_at then b.updated_at else now() end
    from jsonb_to_recordset($1::jsonb) as b ({PERSON}), jsonb_to_recordset($2::jsonb) as a ({PERSON})
    where c.id = b.id and a.id = b.id
        and (c.grade, c.division, c.archived_at) is not distinct from (a.grade, a.division, a.archived_at)
        and (b.division is not distinct from c.division or not exists (
            select from team_memberships m join teams t on t.id = m.team_id
            where m.competitor_id = c.id and t.division is distinct from b.division))
    returning c.id
"""  # noqa: S608
REOPEN_TEAMS = """
    update teams t set archived_at = null, updated_at = now()
    where t.id = any($1::uuid[]) and t.archived_at is not null and not exists (
        select from teams other
        where other.coach_id = t.coach_id and lower(other.name) = lower(t.name) and other.archived_at is null)
    returning t.id
"""
JOIN_AGAIN = """
    insert into team_memberships select m.* from jsonb_populate_recordset(null::team_memberships, $1::jsonb) m
        join teams t on t.id = m.team_id and t.archived_at is null and t.closed_at is null
    where m.competitor_id = any($2::uuid[]) on conflict (competitor_id) do nothing
"""
FIND = """
    select organization_id, coach_id, ended_year, before, after, undone_at from season_changes
    where id = $1 and ($2 or coach_id = $3) for update
"""
DONE_BEFORE = """
    select exists (select from season_changes
        where id = $1 and coach_id = $2 and ended_year = $3 and undone_at is null)
"""


class SeasonError(Exception):
    """A turn that is refused; the text says why."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text


@dataclass(frozen=True, slots=True)
class Undone:
    """Whoever was changed since was left as they are, and teams whose name is taken stay archived."""

    people: int
    people_left: int
    teams: int
    teams_left: int


async def read_roster(coach_id: UUID) -> tuple[Pupil, ...]:
    return tuple(Pupil(**row) for row in await database.fetch(ROSTER, coach_id))


async def turn(
    reader: Reader, coach_id: UUID, *, ended_year: str, steps: Mapping[UUID, Step], archives_teams: bool,
    key: UUID | None = None,
) -> UUID:
    """`steps` are the exceptions from the usual step; the same `key` again acts once. Raises NotFound for somebody of
    another roster."""
    async with database.transaction():
        organization_id = await _organization(reader, coach_id)
        await database.execute(LOCK, coach_id)
        change_id = key or uuid4()
        if await database.fetchval(DONE_BEFORE, change_id, coach_id, ended_year):
            return change_id
        pupils = await read_roster(coach_id)
        if steps.keys() - {pupil.id for pupil in pupils}:
            raise NotFound
        moves = [season.move(pupil, steps.get(pupil.id, season.usual_step(pupil))) for pupil in pupils]
        changes = [each for each in moves if each.is_change]
        if not changes and not archives_teams:
            raise SeasonError("Nothing would change: nobody moves up or leaves.")
        await _open(change_id, reader, organization_id, coach_id, ended_year)
        held = await database.fetchval(FREE_PLACES, coach_id)
        before = await _write_people(changes)
        teams = [row["id"] for row in await database.fetch(ARCHIVE_TEAMS, coach_id)] if archives_teams else []
        leaving = [each.pupil.id for each in changes if each.leaves_team]
        memberships = await database.fetchval(LEAVE_TEAMS, leaving)
        await _keep(change_id, changes, before, memberships, teams, held)
        await outbox.add_many(PushKind.MEMBERSHIP, leaving, organization_id=organization_id, actor=reader)
        await _tell_of_leavers(reader, organization_id, changes)
        await _remember("season.turned", reader, organization_id, coach_id, {
            "ended_year": ended_year, "moved_up": season.count(moves, Step.UP), "teams_archived": len(teams),
            "left": season.count(moves, Step.LEAVE),
        })
    await roster.follow()
    return change_id


async def undo(reader: Reader, change_id: UUID) -> Undone:
    """Asked twice, the second time changes nothing."""
    async with database.transaction():
        row = await database.fetchrow(FIND, change_id, reader.is_admin, reader.user_id)
        if row is None:
            raise NotFound
        if row["undone_at"]:
            return Undone(0, 0, 0, 0)
        await database.execute(
            "update season_changes set undone_at = now(), undone_by = $2 where id = $1", change_id, reader.user_id
        )
        before = json.loads(row["before"])
        await database.execute(LOCK_AGAIN, [person["id"] for person in before["people"] + before["held"]])
        undone = await _restore(before, json.loads(row["after"]), row["organization_id"], reader)
        await _remember("season.undone", reader, row["organization_id"], row["coach_id"], {
            "ended_year": row["ended_year"], "restored": undone.people, "left_as_they_are": undone.people_left,
        })
    await roster.follow()
    return undone


async def _organization(reader: Reader, coach_id: UUID) -> UUID:
    """Of the coach: their own roster, or an admin's choice."""
    found = await database.fetchval(
        """select m.organization_id from users u join organization_members m on m.user_id = u.id
           where u.id = $1 and u.role = 'coach' and ($2 or u.id = $3) order by m.created_at limit 1""",
        coach_id, reader.is_admin, reader.user_id,
    )
    if found is None:
        raise NotFound
    return UUID(str(found))


async def _open(change_id: UUID, reader: Reader, organization_id: UUID, coach_id: UUID, ended_year: str) -> None:
    is_open = await database.fetchval(
        """insert into season_changes (id, organization_id, coach_id, ended_year, changed_by)
           values ($1, $2, $3, $4, $5) on conflict do nothing returning true""",
        change_id, organization_id, coach_id, ended_year, reader.user_id,
    )
    if not is_open:
        raise SeasonError(f"The year {ended_year} is closed for this roster already. Undo that first.")


async def _write_people(changes: Sequence[Move]) -> list[dict[str, Any]]:
    """Everybody as they were."""
    before = await _images(changes)
    await database.execute(
        WRITE, [each.pupil.id for each in changes], [each.grade for each in changes],
        [each.division for each in changes], [each.step is Step.LEAVE for each in changes],
    )
    return before


async def _images(changes: Sequence[Move]) -> list[dict[str, Any]]:
    people: list[dict[str, Any]] = json.loads(
        await database.fetchval(IMAGES, [each.pupil.id for each in changes])
    )
    return people


async def _keep(
    change_id: UUID, changes: Sequence[Move], before: list[dict[str, Any]], memberships: str, teams: list[UUID],
    held: str,
) -> None:
    was = {
        "people": before, "memberships": json.loads(memberships), "teams": [str(team_id) for team_id in teams],
        "held": json.loads(held),
    }
    await database.execute(
        "update season_changes set before = $2::jsonb, after = $3::jsonb where id = $1",
        change_id, json.dumps(was), json.dumps({"people": await _images(changes)}),
    )


async def _restore(
    before: dict[str, Any], after: dict[str, Any], organization_id: UUID, reader: Reader
) -> Undone:
    teams = await database.fetch(REOPEN_TEAMS, before["teams"])
    people = json.dumps(before["people"]), json.dumps(after["people"])
    restored = [row["id"] for row in await database.fetch(WRITE_BACK, *people)]
    await database.execute(HOLD_AGAIN, json.dumps(before["held"]))
    memberships = before["memberships"]
    await database.execute(JOIN_AGAIN, json.dumps(memberships), restored)
    moved = {UUID(row["competitor_id"]) for row in memberships}.intersection(restored)
    await outbox.add_many(PushKind.MEMBERSHIP, moved, organization_id=organization_id, actor=reader)
    return Undone(
        len(restored), len(before["people"]) - len(restored), len(teams), len(before["teams"]) - len(teams)
    )


async def _tell_of_leavers(reader: Reader, organization_id: UUID, changes: Sequence[Move]) -> None:
    await database.execute(
        """insert into activity_events (organization_id, kind, competitor_id, user_id)
           select $1, 'competitor_archived', id, $3 from unnest($2::uuid[]) as id""",
        organization_id, [each.pupil.id for each in changes if each.step is Step.LEAVE], reader.user_id,
    )


async def _remember(
    action: str, reader: Reader, organization_id: UUID, coach_id: UUID, details: dict[str, Any]
) -> None:
    await audit.record(
        action, actor=reader, subject_type="coach", subject_id=coach_id, after=details, organization_id=organization_id
    )
    await database.execute(
        "insert into activity_events (organization_id, kind, user_id, details) values ($1, $2, $3, $4::jsonb)",
        organization_id, action.replace(".", "_"), coach_id, json.dumps(details),
    )
    await standings.mark_stale(organization_id)
