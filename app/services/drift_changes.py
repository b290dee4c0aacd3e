"""What accepting the vendor's side of a difference changes in our tables. All of it in the caller's transaction."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg

from app import database
from app.domain import drift
from app.domain.competitor_status import Progress, competitor_status
from app.domain.drift import Field
from app.features import FeatureOff
from app.integrations.game_platform.schemas import UserStatus
from app.queue import enqueue
from app.services.onboarding_store import DENIED
from app.services.outbox import NotFound
from app.tables.drift import DriftState
from app.tables.jobs import Trigger

CHANGED = "The roster changed since this was found. Both sides are compared again within half an hour."
NAME_TAKEN = "This coach has another team with that name. Rename one of them first."
GONE = "The Game Platform had no account of this id any more. Add the competitor again to make a new one."

COMPETITOR = """
    select c.id, c.organization_id, c.coach_id, c.first_name, c.last_name, c.email, c.division, c.release_signed,
        c.agreement_signed, c.data_consent, c.game_platform_id, c.metactf_user_status, c.metactf_username
    from competitors c where c.id = $1 for no key update
"""

# A team takes its own coach's competitors of its own division, whatever the platform allows.
FITTING_TEAM = """
    select t.id from teams t join competitors c on c.id = $2
    where coalesce(t.game_platform_id, t.id::text) = $1 and t.coach_id = c.coach_id and t.division = c.division
        and t.organization_id = c.organization_id and t.archived_at is null and t.closed_at is null
    for share of t
"""


class DriftError(Exception):
    """What cannot be done about this difference, and what can."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    id: UUID
    organization_id: UUID | None
    competitor_id: UUID | None
    subject_type: str
    subject_id: str
    field: str
    ours: str | None
    theirs: str | None
    state: str
    ignored_until: datetime | None

    @property
    def is_resolved(self) -> bool:
        return self.state == DriftState.RESOLVED


async def accept(row: Row) -> None:
    """Raises DriftError where it is not safe."""
    await _ACCEPT[Field(row.field)](row)


async def ask_for_new_account(row: Row, asked_by: UUID) -> None:
    """The competitor is as one whom the platform has not heard of; onboarding takes them from there."""
    competitor = await _competitor(row)
    if competitor["game_platform_id"] != row.subject_id:
        raise DriftError(drift.NOT_OURS_TO_MAKE)
    await _set_account(competitor, game_platform_id=row.subject_id)
    await _onboard(competitor["id"], asked_by)


async def _onboard(competitor_id: UUID, asked_by: UUID | None = None) -> None:
    await _start("game_platform_onboarding", {"competitor_ids": [str(competitor_id)]}, asked_by)


async def _start(kind: str, payload: dict[str, Any], asked_by: UUID | None = None) -> None:
    try:
        await enqueue(kind, payload, trigger=Trigger.USER, triggered_by=asked_by)
    except FeatureOff as off:
        raise DriftError(str(off)) from None


async def _accept_team(row: Row) -> None:
    """Where the competitor is there, or on none: the platform has said so, there is nothing to send."""
    competitor = await _competitor(row)
    team_id = None if row.theirs is None else await database.fetchval(FITTING_TEAM, row.theirs, competitor["id"])
    if row.theirs is not None and team_id is None:
        raise DriftError(drift.NOT_A_TEAM_OF_OURS)
    ours = await database.fetchval(
        """select coalesce(t.game_platform_id, t.id::text) from team_memberships m join teams t on t.id = m.team_id
           where m.competitor_id = $1 for update of m""",
        competitor["id"],
    )
    if ours != row.ours:
        raise DriftError(CHANGED)
    await _set_team(competitor["id"], team_id)


async def _set_team(competitor_id: UUID, team_id: UUID | None) -> None:
    if team_id is None:
        await database.execute("delete from team_memberships where competitor_id = $1", competitor_id)
        return
    await database.execute(
        """insert into team_memberships (team_id, competitor_id, game_platform_synced_at) values ($1, $2, now())
           on conflict (competitor_id) do update set team_id = excluded.team_id, game_platform_synced_at = now(),
               game_platform_sync_error = null""",
        team_id, competitor_id,
    )


async def _accept_account(row: Row) -> None:
    """It is there: onboarding looks it up and takes it over. It is gone: the competitor has none until added anew."""
    competitor = await _competitor(row)
    if row.theirs is not None:
        await _set_account(competitor, game_platform_id=row.subject_id)
        await _onboard(competitor["id"])
        return
    await database.execute("delete from game_platform_sync_state where competitor_id = $1", competitor["id"])
    await _set_account(competitor, error=GONE)


async def _accept_status(row: Row) -> None:
    competitor = await _competitor(row)
    if competitor["metactf_user_status"] != row.ours:
        raise DriftError(CHANGED)
    competitor["metactf_user_status"] = row.theirs
    await database.execute(
        """update competitors set metactf_user_status = $2, status = $3, game_platform_sync_error = $4,
               updated_at = now() where id = $1""",
        competitor["id"], row.theirs, _status(competitor), DENIED if row.theirs == UserStatus.DENIED else None,
    )
    if row.theirs != UserStatus.DENIED:
        await database.execute(
            """insert into game_platform_sync_state (syned_user_id, competitor_id, due_at) values ($1, $2, now())
               on conflict (syned_user_id) do nothing""",
            competitor["game_platform_id"], competitor["id"],
        )


async def _accept_username(row: Row) -> None:
    competitor = await _competitor(row)
    await database.execute(
        "update competitors set metactf_username = $2, updated_at = now() where id = $1", competitor["id"], row.theirs
    )


async def _accept_team_field(row: Row) -> None:
    """What the platform was told first is what it has. The name of the column is the field's."""
    column = next(field.value for field in drift.TEAM_FIELDS if field == row.field)
    try:
        await database.execute(
            f"update teams set {column} = $2, updated_at = now() where id = $1::uuid",  # noqa: S608
            row.subject_id, row.theirs,
        )
    except asyncpg.UniqueViolationError:
        raise DriftError(NAME_TAKEN) from None


async def _believe_list(_: Row) -> None:
    """The next look, which comes at once, takes the short list at its word."""
    await _start("game_platform_roster_reconcile", {})


async def _competitor(row: Row) -> dict[str, Any]:
    competitor = await database.fetchrow(COMPETITOR, row.competitor_id)
    if competitor is None:
        raise NotFound
    return dict(competitor)


async def _set_account(
    competitor: dict[str, Any], *, game_platform_id: str | None = None, error: str | None = None
) -> None:
    """Nothing is known of the account but, at most, its id."""
    competitor = {**competitor, "game_platform_id": game_platform_id, "metactf_user_status": None}
    await database.execute(
        """update competitors set game_platform_id = $2, metactf_user_id = null, metactf_username = null,
               metactf_user_status = null, status = $3, game_platform_sync_error = $4,
               onboarding_refused_at = case when $4::text is null then null else now() end, updated_at = now()
           where id = $1""",
        competitor["id"], game_platform_id, _status(competitor), error,
    )


def _status(competitor: dict[str, Any]) -> str:
    return competitor_status(Progress(**{name: competitor[name] for name in Progress.__dataclass_fields__}))


_ACCEPT: dict[Field, Callable[[Row], Awaitable[None]]] = {
    Field.TEAM: _accept_team, Field.ACCOUNT: _accept_account, Field.STATUS: _accept_status,
    Field.USERNAME: _accept_username, Field.MEMBERS: _believe_list,
    **dict.fromkeys(drift.TEAM_FIELDS, _accept_team_field),
}
