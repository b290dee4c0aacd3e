"""Competitors and their places on teams as the tables hold them, to be put back later byte for byte."""

import json
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from app import database
from app.domain.competitor_status import Progress, competitor_status
from app.tables.rosters import Competitor

COLUMNS = ", ".join(column._meta.name for column in Competitor._meta.columns if column._meta.name != "id")
VENDOR: dict[str, Any] = {
    "game_platform_id": None, "game_platform_synced_at": None, "game_platform_sync_error": None,
    "game_platform_activity_score": 0, "onboarding_asked_at": None, "onboarding_refused_at": None,
    "metactf_user_id": None, "metactf_username": None, "metactf_user_status": None, "platform_asked_at": None,
}
"""The columns that come with an account, and what they are without one."""

READ = """
    select c.id, to_jsonb(c) as competitor, to_jsonb(m) as membership
    from competitors c left join team_memberships m on m.competitor_id = c.id where c.id = any($1::uuid[])
"""
WRITE = f"""
    update competitors c set ({COLUMNS}) = (select {COLUMNS} from jsonb_populate_record(c, $2::jsonb))
    where c.id = $1
"""  # noqa: S608
PUT_MEMBERSHIP = """
    insert into team_memberships select m.* from jsonb_populate_record(null::team_memberships, $1::jsonb) m
    where exists (select from teams t where t.id = m.team_id and t.closed_at is null)
"""

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Image:
    competitor: Row
    membership: Row | None

    @property
    def team_id(self) -> str | None:
        return self.membership["team_id"] if self.membership else None


async def read(competitor_ids: Collection[UUID]) -> dict[UUID, Image]:
    rows = await database.fetch(READ, list(competitor_ids))
    return {row["id"]: Image(json.loads(row["competitor"]), _loaded(row["membership"])) for row in rows}


async def write(row: Row) -> None:
    """In the caller's transaction, which has locked the row."""
    await database.execute(WRITE, UUID(row["id"]), json.dumps(row))


def with_status(row: Row) -> Row:
    progress = Progress(**{name: row[name] for name in Progress.__dataclass_fields__})
    return row | {"status": competitor_status(progress)}


async def put_membership(row: Row | None) -> bool:
    """Whether the place on the team is there again: the team may have gone."""
    return row is not None and bool(await database.execute(PUT_MEMBERSHIP, json.dumps(row)))


async def now() -> str:
    """The transaction's moment, as an image has it."""
    moment: str = json.loads(await database.fetchval("select to_jsonb(now())"))
    return moment


def _loaded(text: str | None) -> Row | None:
    return json.loads(text) if text else None
