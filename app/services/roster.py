"""Competitors as coaches change them: their data, their papers, their coach, into the archive and back.

Each function but `edit` works in the caller's transaction on a person whom `lock` has locked; it leaves the traces and
what the platform has to hear, and answers whether anything changed. Locks are taken in the order competitors, teams,
memberships, outbox.
"""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from app import database
from app.domain.competitor_status import Progress, competitor_status
from app.domain.readers import Reader
from app.domain.roster_form import FIELDS
from app.security import audit
from app.services import onboarding_requests, outbox, standings
from app.services.outbox import NotFound
from app.tables.outbox import PushKind

__all__ = ["Edited", "NotFound", "RosterError", "archive", "edit", "follow", "hand_to", "lock", "record", "restore"]

ARCHIVED = "This competitor is archived. Bring them back first."
MERGED = "This record was merged with another one. Undo the merge on the page of possible duplicates instead."
CHANGED = "Somebody changed this competitor meanwhile. What you typed is kept below; look at it and save again."

IS_MERGED = "select exists (select from merges where gone_id = $1 and undone_at is null)"
SHARED_EMAIL = (
    "Another competitor on this roster has this address. Give each their own, or look under Duplicates whether they are"
    " one person."
)

LOCK = """
    select c.*, m.team_id, t.name as team, t.division as team_division, t.coach_id as team_coach_id,
        t.archived_at is not null as team_is_archived
    from competitors c left join team_memberships m on m.competitor_id = c.id left join teams t on t.id = m.team_id
    where c.id = any($1::uuid[]) and {condition} order by c.id for no key update of c
"""
WRITE = f"""
    update competitors set {", ".join(f"{name} = ${number}" for number, name in enumerate(FIELDS, start=5))},
        coach_id = $2, status = $3, edited_fields = $4::jsonb, updated_at = clock_timestamp()
    where id = $1
"""  # noqa: S608

Person = dict[str, Any]


class RosterError(Exception):
    """A change that is refused; the text says why and what to do, `field` where in a form it belongs."""

    def __init__(self, text: str, field: str = "") -> None:
        super().__init__(text)
        self.text = text
        self.field = field


@dataclass(frozen=True, slots=True)
class Edited:
    """Which fields changed, and whether the platform has an account that it will not change with them."""

    fields: tuple[str, ...]
    has_account: bool


async def lock(reader: Reader, competitor_ids: Collection[UUID]) -> list[Person]:
    """Raises NotFound where one of them is not there, or not the reader's."""
    wanted = list(set(competitor_ids))
    condition, arguments = reader.sight.condition("c.coach_id", "m.team_id", 2)
    rows = await database.fetch(LOCK.format(condition=condition), wanted, *arguments)
    if len(rows) < len(wanted):
        raise NotFound
    return [dict(row) for row in rows]


async def edit(reader: Reader, competitor_id: UUID, values: Mapping[str, object], *, seen: str) -> Edited:
    """`seen` is the state that the form was made from. What changes is the reader's: no import takes it back."""
    async with database.transaction():
        [person] = await lock(reader, [competitor_id])
        changes = {name: value for name, value in values.items() if name in FIELDS and value != person[name]}
        if changes:
            _refuse_edit(person, changes, seen)
            await _refuse_shared_email(person, changes.get("email"))
            await _write(reader, person, changes, "competitor.edited")
    if changes:
        await follow()
    return Edited(tuple(sorted(changes)), _progress(person).has_account)


async def record(reader: Reader, person: Person, paper: str) -> bool:
    """One of `roster_file.FLAGS` has arrived."""
    _require_present(person)
    if person[paper]:
        return False
    await _write(reader, person, {paper: True}, "competitor.edited")
    return True


async def hand_to(reader: Reader, person: Person, coach_id: UUID) -> bool:
    """To a coach of the same organization. Whoever is on a team of the former one leaves it."""
    _require_present(person)
    if person["coach_id"] == coach_id:
        return False
    if not await _is_coach_of(coach_id, person["organization_id"]):
        raise RosterError("This coach is not in the competitor's organization.")
    if person["team_coach_id"] not in (None, coach_id):
        await _leave_team(reader, person)
    await _write(reader, person, {"coach_id": coach_id}, "competitor.handed_over")
    return True


async def archive(reader: Reader, person: Person) -> bool:
    """Off the team, out of the lists and the syncs; everything that was stored stays."""
    if person["archived_at"]:
        return False
    if not person["team_is_archived"]:
        await _leave_team(reader, person)
    await database.execute(
        "update competitors set archived_at = now(), onboarding_asked_at = null, updated_at = now() where id = $1",
        person["id"],
    )
    await _remember(reader, person, "competitor.archived", before={"team_id": person["team_id"]}, after={})
    return True


async def restore(reader: Reader, person: Person) -> bool:
    """Back on the roster, on no team."""
    if not person["archived_at"]:
        return False
    if await database.fetchval(IS_MERGED, person["id"]):
        raise RosterError(MERGED)
    await database.execute("update competitors set archived_at = null, updated_at = now() where id = $1", person["id"])
    await _remember(reader, person, "competitor.restored", before={}, after={})
    return True


async def follow() -> None:
    """After the commit: what has become possible is done now, not at the next look."""
    await outbox.wake()
    await onboarding_requests.follow_change()


def _refuse_edit(person: Person, changes: Mapping[str, object], seen: str) -> None:
    _require_present(person)
    if seen != person["updated_at"].isoformat():
        raise RosterError(CHANGED)
    if "division" in changes and person["team_id"] and changes["division"] != person["team_division"]:
        raise RosterError(f"The team {person['team']} plays in another division. Take them off it first.", "division")


async def _refuse_shared_email(person: Person, email: object) -> None:
    """Within a roster an address tells who is who."""
    is_taken = await database.fetchval(
        """select exists (select from competitors where coach_id = $1 and lower(email) = lower($2) and id <> $3
               and archived_at is null)""",
        person["coach_id"], email, person["id"],
    )
    if is_taken:
        raise RosterError(SHARED_EMAIL, "email")


def _require_present(person: Person) -> None:
    if person["archived_at"]:
        raise RosterError(ARCHIVED)


async def _is_coach_of(coach_id: UUID, organization_id: UUID) -> bool:
    found: bool = await database.fetchval(
        """select exists (select from users u join organization_members m on m.user_id = u.id
               where u.id = $1 and u.role = 'coach' and u.disabled_at is null and m.organization_id = $2)""",
        coach_id, organization_id,
    )
    return found


async def _leave_team(reader: Reader, person: Person) -> None:
    if await database.execute("delete from team_memberships where competitor_id = $1", person["id"]):
        await outbox.add(
            PushKind.MEMBERSHIP, person["id"], organization_id=person["organization_id"], actor=reader
        )


async def _write(reader: Reader, person: Person, changes: Mapping[str, object], action: str) -> None:
    """A field that was set by hand is noted; the coach is no such field."""
    before = {name: person[name] for name in changes}
    person.update(changes)
    edited = sorted({*json.loads(person["edited_fields"]), *(name for name in changes if name in FIELDS)})
    await database.execute(
        WRITE, person["id"], person["coach_id"], competitor_status(_progress(person)), json.dumps(edited),
        *(person[name] for name in FIELDS),
    )
    await _remember(reader, person, action, before=before, after=dict(changes))


def _progress(person: Person) -> Progress:
    return Progress(**{name: person[name] for name in Progress.__dataclass_fields__})


async def _remember(
    reader: Reader, person: Person, action: str, *, before: dict[str, Any], after: dict[str, Any]
) -> None:
    """The event names the fields and not what stands in them: the timeline is read by more people than the audit."""
    organization_id = person["organization_id"]
    await audit.record(
        action, actor=reader, subject_type="competitor", subject_id=person["id"], before=before, after=after,
        organization_id=organization_id,
    )
    await database.execute(
        """insert into activity_events (organization_id, kind, competitor_id, user_id, details)
           values ($1, $2, $3, $4, $5::jsonb)""",
        organization_id, action.replace(".", "_"), person["id"], reader.user_id,
        json.dumps({"fields": sorted(after)}),
    )
    await standings.mark_stale(organization_id)
