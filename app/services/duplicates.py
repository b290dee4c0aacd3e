"""Two competitors who are one person: merged into one record, and taken apart again byte for byte.

Locks are taken in the order competitors, sync state, memberships, outbox, as whoever stores scores takes them.
"""

import json
from collections.abc import Collection
from dataclasses import asdict
from typing import Any
from uuid import UUID

from app import database
from app.domain import duplicates
from app.domain.competitor_status import ACCOUNTS
from app.domain.duplicates import FIELDS, Record
from app.domain.readers import Reader
from app.security import audit
from app.services import merged_rows, outbox, roster, roster_images, standings
from app.services.outbox import NotFound
from app.services.roster_images import VENDOR, Image, Row
from app.tables.outbox import PushKind

__all__ = ["MergeError", "NotFound", "compare", "merge", "set_apart", "undo"]

RECORDS = """
    select c.*, m.team_id, coalesce(c.metactf_username, '') as handle, coalesce(t.name, '') as team,
        t.coach_id as team_coach_id, t.division as team_division,
        t.id is not null and t.archived_at is null and t.closed_at is null as team_is_open,
        coalesce(nullif(u.display_name, ''), trim(u.first_name || ' ' || u.last_name), '') as coach,
        exists (select from game_platform_sync_state s where s.competitor_id = c.id)
            or exists (select from game_platform_stats s where s.competitor_id = c.id)
            or exists (select from game_platform_flash_ctf_events s where s.competitor_id = c.id)
            or exists (select from game_platform_challenge_solves s where s.competitor_id = c.id) as is_read,
        (select count(*) from game_platform_challenge_solves s where s.competitor_id = c.id) as solves
    from competitors c left join team_memberships m on m.competitor_id = c.id
        left join teams t on t.id = m.team_id left join users u on u.id = c.coach_id
    where c.id = any($1::uuid[]) and c.archived_at is null and {condition}
"""
LOCK = "select from competitors where id = any($1::uuid[]) order by id for no key update"
LOCK_SYNC = """
    select from game_platform_sync_state where competitor_id = any($1::uuid[]) order by syned_user_id for update
"""

# An archived team keeps everybody who was on it.
LEAVE = """
    delete from team_memberships m using teams t
    where t.id = m.team_id and t.archived_at is null and m.competitor_id = $1
"""
FIND = """
    select g.id, g.organization_id, g.kept_id, g.gone_id, g.before, g.after, g.moved, g.undone_at
    from merges g join competitors c on c.id = g.kept_id left join team_memberships m on m.competitor_id = c.id
    where {which} and {condition}
"""
TOO_OLD = "This merge is so long ago that how the two records were before is no longer kept. It cannot be undone."
CLOSE = "update merges set undone_at = now(), undone_by = $2 where id = $1 and undone_at is null"


UNTOUCHED = {name: name.replace("_", " ") for name in FIELDS} | {
    "coach_id": "coach", "user_id": "linked person", "archived_at": "archive", "game_platform_id": "account",
}


class MergeError(Exception):
    """A merge or its undoing that is refused; the text says why and what to do."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text


async def compare(reader: Reader, first_id: UUID, second_id: UUID) -> tuple[Record, Record]:
    """Both records, in the given order. Raises NotFound for one who is not there, archived, or somebody else's."""
    condition, arguments = reader.sight.condition("c.coach_id", "m.team_id", 2)
    rows = await database.fetch(RECORDS.format(condition=condition), [first_id, second_id], *arguments)
    found = {row["id"]: _record(row) for row in rows}
    if first_id == second_id or len(found) < 2:
        raise NotFound
    return found[first_id], found[second_id]


async def merge(reader: Reader, kept_id: UUID, gone_id: UUID, taken: Collection[str]) -> UUID:
    """`taken` names the fields in which the other record is right. Answers what `undo` is called with; asked twice, the
    same."""
    ids = [kept_id, gone_id]
    async with database.transaction():
        await database.execute(LOCK, ids)
        await database.execute(LOCK_SYNC, ids)
        if done := await _merged_before(reader, kept_id, gone_id):
            return done
        kept, gone = await compare(reader, kept_id, gone_id)
        fields = _require_fitting(kept, gone, taken)
        before = await roster_images.read(ids)
        moved = await merged_rows.move_logs(gone_id, kept_id)
        if is_moving := duplicates.moves_account(kept, gone):
            await merged_rows.move_scores(gone_id, kept_id)
        await _write_merged(before[kept_id], before[gone_id], fields, duplicates.differing(kept, gone), is_moving)
        await _merge_teams(kept, gone, fields, is_moving, reader)
        merge_id = await _keep(reader, kept, gone, before, moved)
        counts = {table: len(keys) for table, keys in moved.items()}
        await _remember("competitors.merged", reader, kept.organization_id, kept_id, {
            "gone": str(gone_id), "taken": sorted(taken), "account_moved": is_moving, **counts,
        })
    await roster.follow()
    return merge_id


async def undo(reader: Reader, merge_id: UUID) -> None:
    """Refused where a person has changed since what the merge made. What an account brought since goes with it."""
    async with database.transaction():
        found = await _find(reader, merge_id)
        if found["undone_at"]:
            return
        if found["before"] == "{}":
            raise MergeError(TOO_OLD)
        kept_id, gone_id = ids = [found["kept_id"], found["gone_id"]]
        await database.execute(LOCK, ids)
        await database.execute(LOCK_SYNC, ids)
        if not await database.execute(CLOSE, merge_id, reader.user_id):
            return
        before, after = _images(found["before"]), _images(found["after"])
        current = await roster_images.read(ids)
        _require_untouched(current, after)
        is_moving = before[kept_id].competitor["game_platform_id"] != after[kept_id].competitor["game_platform_id"]
        await merged_rows.move_logs_back(kept_id, gone_id, json.loads(found["moved"]))
        if is_moving:
            await merged_rows.move_scores(kept_id, gone_id)
        await _write_apart(ids, before, after, current, is_moving)
        await _part_teams(found["organization_id"], before, after, reader)
        await _remember("competitors.merge_undone", reader, found["organization_id"], kept_id, {"gone": str(gone_id)})
    await roster.follow()


async def set_apart(reader: Reader, first_id: UUID, second_id: UUID) -> None:
    """Says that the two are not one person: they are not shown as a pair again."""
    first_id, second_id = sorted((first_id, second_id))
    async with database.transaction():
        one, _ = await compare(reader, first_id, second_id)
        added = await database.execute(
            """insert into different_people (first_id, second_id, decided_by) values ($1, $2, $3)
               on conflict do nothing""",
            first_id, second_id, reader.user_id,
        )
        if added:
            await audit.record(
                "competitors.set_apart", actor=reader, subject_type="competitor", subject_id=first_id,
                after={"other": str(second_id)}, organization_id=one.organization_id,
            )


def _record(row: Any) -> Record:
    own = {name: row[name] for name in Record.__dataclass_fields__ if name != "has_account"}
    has_account = row["game_platform_id"] is not None and row["metactf_user_status"] in ACCOUNTS
    return Record(has_account=has_account, **own)


def _require_fitting(kept: Record, gone: Record, taken: Collection[str]) -> dict[str, object]:
    if kept.organization_id != gone.organization_id:
        raise MergeError("These two are in different organizations and cannot be merged.")
    fields = duplicates.merged(kept, gone, taken)
    if kept.team_id and kept.team_is_open and kept.team_division != fields["division"]:
        raise MergeError(f"The team {kept.team} plays in another division. Keep the division of its member.")
    return fields


async def _write_merged(
    kept: Image, gone: Image, fields: dict[str, object], decided: Collection[str], is_moving: bool
) -> None:
    """What was decided between two values was decided by hand, and no import changes it. The account's first holder
    lets go of it before the other takes it."""
    now = await roster_images.now()
    kept_row: Row = kept.competitor | fields | {"updated_at": now}
    gone_row: Row = gone.competitor | {"archived_at": now, "updated_at": now}
    kept_row["edited_fields"] = sorted({*kept_row["edited_fields"], *decided})
    if kept_row["user_id"] is None:
        kept_row["user_id"], gone_row["user_id"] = gone_row["user_id"], None
    if is_moving:
        kept_row |= {name: gone_row[name] for name in VENDOR}
        gone_row |= VENDOR
    await roster_images.write(roster_images.with_status(gone_row))
    await roster_images.write(roster_images.with_status(kept_row))


async def _merge_teams(
    kept: Record, gone: Record, fields: dict[str, object], is_moving: bool, reader: Reader
) -> None:
    """An account that moves keeps its team there, so only what differs afterwards is sent."""
    is_joining = duplicates.moves_team(kept, gone, fields["division"])
    if is_joining:
        await database.execute(
            """update team_memberships set competitor_id = $2,
                   game_platform_synced_at = case when $3 then game_platform_synced_at end
               where competitor_id = $1""",
            gone.id, kept.id, is_moving,
        )
    else:
        await database.execute(LEAVE, gone.id)
    pushed = [kept.id] if is_joining or is_moving else []
    if gone.team_id and gone.game_platform_id and not is_moving:
        pushed.append(gone.id)
    else:
        await outbox.drop(PushKind.MEMBERSHIP, gone.id, "The competitor was merged with another record.")
    await outbox.add_many(PushKind.MEMBERSHIP, pushed, organization_id=kept.organization_id, actor=reader)


async def _keep(
    reader: Reader, kept: Record, gone: Record, before: dict[UUID, Image], moved: dict[str, list[str]]
) -> UUID:
    after = await roster_images.read([kept.id, gone.id])
    return UUID(str(await database.fetchval(
        """insert into merges (organization_id, kept_id, gone_id, merged_by, before, after, moved)
           values ($1, $2, $3, $4, $5::jsonb, $6::jsonb, $7::jsonb) returning id""",
        kept.organization_id, kept.id, gone.id, reader.user_id, _json(before), _json(after), json.dumps(moved),
    )))


async def _find(reader: Reader, merge_id: UUID) -> Any:
    condition, arguments = reader.sight.condition("c.coach_id", "m.team_id", 2)
    found = await database.fetchrow(FIND.format(which="g.id = $1", condition=condition), merge_id, *arguments)
    if found is None:
        raise NotFound
    return found


async def _merged_before(reader: Reader, kept_id: UUID, gone_id: UUID) -> UUID | None:
    condition, arguments = reader.sight.condition("c.coach_id", "m.team_id", 3)
    which = "g.kept_id = $1 and g.gone_id = $2 and g.undone_at is null"
    found = await database.fetchrow(FIND.format(which=which, condition=condition), kept_id, gone_id, *arguments)
    return found["id"] if found else None


def _require_untouched(current: dict[UUID, Image], after: dict[UUID, Image]) -> None:
    changed = {
        words for each in after for name, words in UNTOUCHED.items()
        if current[each].competitor[name] != after[each].competitor[name]
    }
    if any(current[each].team_id != after[each].team_id for each in after):
        changed.add("team")
    if changed:
        words = ", ".join(sorted(changed))
        raise MergeError(f"This merge cannot be undone while this differs from what it made: {words}. Change it back.")


async def _write_apart(
    ids: list[UUID], before: dict[UUID, Image], after: dict[UUID, Image], current: dict[UUID, Image], is_moving: bool
) -> None:
    """Each row as it was, but for what the platform has said of its account since."""
    now = await roster_images.now()
    kept_id, gone_id = ids
    holders = {gone_id: kept_id} if is_moving else {kept_id: kept_id, gone_id: gone_id}
    for each in ids:
        row = dict(before[each].competitor)
        known = {name: current[holders[each]].competitor[name] for name in VENDOR} if each in holders else {}
        if any(row[name] != value for name, value in known.items()):
            row = roster_images.with_status(row | known)
        if current[each].competitor["updated_at"] != after[each].competitor["updated_at"]:
            row["updated_at"] = now
        await roster_images.write(row)


async def _part_teams(
    organization_id: UUID, before: dict[UUID, Image], after: dict[UUID, Image], reader: Reader
) -> None:
    """Whoever was on a team is on it again, if it still is one; both are brought in line at the platform."""
    parted = [each for each in before if before[each].membership != after[each].membership]
    await database.execute("delete from team_memberships where competitor_id = any($1::uuid[])", parted)
    for each in parted:
        await roster_images.put_membership(before[each].membership)
    moved = [each for each in before if before[each].competitor["game_platform_id"]]
    await outbox.add_many(PushKind.MEMBERSHIP, moved, organization_id=organization_id, actor=reader)


async def _remember(
    action: str, reader: Reader, organization_id: UUID, competitor_id: UUID, details: dict[str, Any]
) -> None:
    await audit.record(
        action, actor=reader, subject_type="competitor", subject_id=competitor_id, after=details,
        organization_id=organization_id,
    )
    await database.execute(
        """insert into activity_events (organization_id, kind, competitor_id, user_id, details)
           values ($1, $2, $3, $4, $5::jsonb)""",
        organization_id, action.replace(".", "_"), competitor_id, reader.user_id, json.dumps(details),
    )
    await standings.mark_stale(organization_id)


def _json(images: dict[UUID, Image]) -> str:
    return json.dumps({str(each): asdict(image) for each, image in images.items()})


def _images(text: str) -> dict[UUID, Image]:
    return {UUID(each): Image(**image) for each, image in json.loads(text).items()}
