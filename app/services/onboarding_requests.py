"""Asking for competitors to be added to the Game Platform: some that a person chose, or whoever has become ready."""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from app import database
from app.domain.competitor_status import Progress, missing_for_onboarding
from app.domain.readers import Reader
from app.features import Feature, FeatureOff, Flags, read_flags
from app.queue import enqueue
from app.security import audit
from app.tables.jobs import Trigger

KIND = "game_platform_onboarding"
ALREADY_THERE = "On the Game Platform already."
ARCHIVED = "Archived. Bring them back first."
SWITCHED_OFF = "Adding to the Game Platform is switched off for this organization."


class NotFound(Exception):
    """One of the competitors does not exist or is not the reader's to see."""


@dataclass(frozen=True, slots=True)
class Added:
    """Whom the run takes (no run where it is nobody), and the others with the reason."""

    run_id: UUID | None
    taken: tuple[UUID, ...]
    refused: tuple[tuple[UUID, str], ...]


async def add_to_platform(reader: Reader, competitor_ids: Collection[UUID]) -> Added:
    """One, or a selection. Raises NotFound for a foreign id among them, and then nobody is added."""
    wanted = sorted(set(competitor_ids))
    flags = await read_flags()
    async with database.transaction():
        rows = await _visible(reader, wanted)
        if len(rows) < len(wanted):
            raise NotFound
        obstacles = {row["id"]: _obstacle(row, flags) for row in rows}
        obstacles |= _beyond_the_limit([row for row in rows if not obstacles[row["id"]]])
        taken = tuple(row["id"] for row in rows if not obstacles[row["id"]])
        await _remember_wish(reader, [row for row in rows if row["id"] in taken])
    refused = tuple((competitor_id, reason) for competitor_id, reason in obstacles.items() if reason)
    return Added(await _start(reader, taken) if taken else None, taken, refused)


async def follow_change() -> None:
    """After an edit, an import or a setting: whoever has become ready need not wait for the next slot."""
    try:
        await enqueue(KIND, trigger=Trigger.FOLLOW_UP)
    except FeatureOff:
        return


async def _visible(reader: Reader, competitor_ids: Sequence[UUID]) -> list[dict[str, Any]]:
    condition, arguments = reader.sight.condition("c.coach_id", "m.team_id", 2)
    rows = await database.fetch(
        f"""select c.*, o.onboarding_status, o.additions_at_once
            from competitors c join organizations o on o.id = c.organization_id
                left join team_memberships m on m.competitor_id = c.id
            where c.id = any($1::uuid[]) and {condition}
            order by c.id for no key update of c""",  # noqa: S608
        competitor_ids, *arguments,
    )
    return [dict(row) for row in rows]


def _obstacle(row: dict[str, Any], flags: Flags) -> str | None:
    progress = Progress(**{name: row[name] for name in Progress.__dataclass_fields__})
    if row["archived_at"]:
        return ARCHIVED
    if not flags.is_on(Feature.ONBOARDING, row["organization_id"]):
        return SWITCHED_OFF
    if progress.has_account:
        return ALREADY_THERE
    needed = missing_for_onboarding(progress, row["onboarding_status"])
    return f"Needs: {needed}." if needed else None


def _beyond_the_limit(ready: Sequence[dict[str, Any]]) -> dict[UUID, str | None]:
    """Who is one too many for one click, in the order of the rows."""
    seen: Counter[UUID] = Counter()
    beyond: dict[UUID, str | None] = {}
    for row in ready:
        seen[row["organization_id"]] += 1
        if seen[row["organization_id"]] > (most := row["additions_at_once"]):
            beyond[row["id"]] = f"Only {most} are added at once. Add this one after them."
    return beyond


async def _remember_wish(reader: Reader, rows: Iterable[dict[str, Any]]) -> None:
    """The wish stands with the competitor until it is settled, whatever becomes of the run."""
    by_organization: dict[UUID, list[UUID]] = {}
    for row in rows:
        by_organization.setdefault(row["organization_id"], []).append(row["id"])
    for organization_id, ids in by_organization.items():
        await database.execute(
            "update competitors set onboarding_asked_at = now() where id = any($1::uuid[])", ids
        )
        await audit.record(
            "competitors.onboarding_asked", actor=reader, subject_type="organization", subject_id=organization_id,
            after={"competitor_ids": [str(competitor_id) for competitor_id in ids]}, organization_id=organization_id,
        )


async def _start(reader: Reader, competitor_ids: Sequence[UUID]) -> UUID:
    asked = await enqueue(
        KIND, {"competitor_ids": [str(competitor_id) for competitor_id in competitor_ids]}, trigger=Trigger.USER,
        triggered_by=reader.user_id,
    )
    return asked.run_id
