"""Carries a plan of teams out: every move of it in one transaction, or none."""

from collections.abc import Sequence
from uuid import UUID

from app import database
from app.domain.readers import Reader
from app.domain.team_plans import Move
from app.security import audit
from app.services import outbox, teams
from app.services.teams import NotFound, TeamError

__all__ = ["NotFound", "PlanOutdated", "TeamError", "apply"]

# Everybody is locked before anything is changed, and always in the same order.
LOCK_PEOPLE = "select id from competitors where id = any($1::uuid[]) order by id for no key update"
LOCK_TEAMS = "select id from teams where id = any($1::uuid[]) order by id for share"

MOVED = """
    select count(*) from unnest($1::uuid[], $2::uuid[]) as planned (competitor_id, team_id)
    left join team_memberships m using (competitor_id) where m.team_id is distinct from planned.team_id
"""


class PlanOutdated(Exception):
    """Somebody was moved since the plan was made."""


async def apply(reader: Reader, organization_id: UUID, moves: Sequence[Move]) -> None:
    """Raises PlanOutdated, TeamError and NotFound, and then has changed nothing."""
    moves = sorted(moves, key=lambda move: move.person.competitor_id)
    async with database.transaction():
        await _require_unmoved(moves)
        for move in moves:
            await _carry_out(reader, move)
        await audit.record(
            "team_plan.applied", actor=reader, subject_type="team_plan",
            after={"moves": [str(move.person.competitor_id) for move in moves]}, organization_id=organization_id,
        )
    await outbox.wake()


async def _require_unmoved(moves: Sequence[Move]) -> None:
    people = [move.person.competitor_id for move in moves]
    await database.execute(LOCK_PEOPLE, people)
    await database.execute(
        LOCK_TEAMS, [team.team_id for move in moves for team in (move.before, move.after) if team]
    )
    if await database.fetchval(MOVED, people, [move.person.team_id for move in moves]):
        raise PlanOutdated


async def _carry_out(reader: Reader, move: Move) -> None:
    if move.after:
        await teams.place(reader, move.after.team_id, move.person.competitor_id)
    elif move.before:
        await teams.take_off(reader, move.before.team_id, move.person.competitor_id)
