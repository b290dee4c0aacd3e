"""One action on several competitors: each row gets its own result, and the same form sent twice acts once."""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from app import database
from app.domain.readers import Reader
from app.services import onboarding_requests, roster, teams
from app.services.outbox import NotFound
from app.services.roster import Person, RosterError
from app.services.teams import TeamError

__all__ = ["MOST", "Action", "NotFound", "Outcome", "apply"]

MOST = 200


class Action(StrEnum):
    ADD = "add"
    TEAM = "team"
    NO_TEAM = "no_team"
    RELEASE = "release"
    AGREEMENT = "agreement"
    CONSENT = "consent"
    COACH = "coach"
    ARCHIVE = "archive"
    RESTORE = "restore"


class Outcome(StrEnum):
    ASKED = "asked"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    REFUSED = "refused"


PAPERS = {
    Action.RELEASE: "release_signed", Action.AGREEMENT: "agreement_signed", Action.CONSENT: "data_consent",
}


@dataclass(frozen=True, slots=True)
class Result:
    competitor_id: UUID
    outcome: Outcome
    reason: str = ""


async def apply(
    reader: Reader, change_id: UUID, action: Action, competitor_ids: Collection[UUID], target: UUID | None = None
) -> None:
    """`target`: the team or the coach. Raises NotFound for a foreign id among all of them; then nothing is changed."""
    if len(competitor_ids) > MOST or (action is Action.COACH and not reader.is_admin):
        raise NotFound
    if action is Action.ADD:
        await _add(reader, change_id, competitor_ids)
        return
    async with database.transaction():
        if not await _begin(reader, change_id, action):
            return
        people = await roster.lock(reader, competitor_ids)
        await _lock_teams(people, target)
        results = [await _one(reader, person, action, target) for person in people]
        await _finish(change_id, results)
    await roster.follow()


async def _lock_teams(people: Sequence[Person], target: UUID | None) -> None:
    """All at once, before the first row is changed: one by one they could meet somebody who holds one and waits."""
    team_ids = {person["team_id"] for person in people} | {target}
    await database.execute("select id from teams where id = any($1::uuid[]) order by id for share", list(team_ids))


async def _one(reader: Reader, person: Person, action: Action, target: UUID | None) -> Result:
    """A refusal comes before the first write of its row, so the others may go on."""
    try:
        is_changed = await _change(reader, person, action, target)
    except (RosterError, TeamError) as error:
        return Result(person["id"], Outcome.REFUSED, error.text)
    return Result(person["id"], Outcome.CHANGED if is_changed else Outcome.UNCHANGED)


async def _change(reader: Reader, person: Person, action: Action, target: UUID | None) -> bool:
    match action:
        case Action.TEAM if target:
            return await teams.place(reader, target, person["id"])
        case Action.COACH if target:
            return await roster.hand_to(reader, person, target)
        case Action.NO_TEAM:
            return person["team_id"] is not None and await teams.take_off(reader, person["team_id"], person["id"])
        case Action.RELEASE | Action.AGREEMENT | Action.CONSENT:
            return await roster.record(reader, person, PAPERS[action])
        case Action.ARCHIVE:
            return await roster.archive(reader, person)
        case Action.RESTORE:
            return await roster.restore(reader, person)
    raise NotFound


async def _add(reader: Reader, change_id: UUID, competitor_ids: Collection[UUID]) -> None:
    """The wishes are kept with the competitors, so that asking again before the result was written asks for nothing
    more."""
    added = await onboarding_requests.add_to_platform(reader, competitor_ids)
    results = [
        *(Result(competitor_id, Outcome.ASKED) for competitor_id in added.taken),
        *(Result(competitor_id, Outcome.REFUSED, reason) for competitor_id, reason in added.refused),
    ]
    async with database.transaction():
        if await _begin(reader, change_id, Action.ADD, added.run_id):
            await _finish(change_id, results)


async def _begin(reader: Reader, change_id: UUID, action: Action, run_id: UUID | None = None) -> bool:
    """False where this form was sent before, and has acted."""
    made = await database.fetchval(
        """insert into roster_changes (id, user_id, action, run_id) values ($1, $2, $3, $4)
           on conflict (id) do nothing returning id""",
        change_id, reader.user_id, action.value, run_id,
    )
    return made is not None


async def _finish(change_id: UUID, results: Sequence[Result]) -> None:
    outcomes = [[str(result.competitor_id), result.outcome.value, result.reason] for result in results]
    await database.execute(
        "update roster_changes set outcomes = $2::jsonb where id = $1", change_id, json.dumps(outcomes)
    )
