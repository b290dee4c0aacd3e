"""What the Game Platform shows compared with our tables: every difference becomes a row of drift, nothing is changed.

One call tells who is on which team. Only an answer known to be complete counts, and a team that it does not name
proves nothing but that nobody is on it. What a waiting push will settle is left out until it is sent.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from app import database
from app.domain import drift
from app.domain.drift import Comparison, Difference, Field, Key, Member, Subject, Unresolved
from app.integrations.game_platform.client import VENDOR, GamePlatformClient
from app.services import account_looks, drift_rows, job_runs, quarantine, roster_sides, totals_drift
from app.services.account_looks import Seen
from app.services.drift_actions import DriftError, NotFound, accept_theirs, ignore_until, push_ours
from app.services.job_runs import Claim
from app.services.quarantine import BadRecord
from app.services.roster_sides import Scope, Sides
from app.tables.outbox import OutboxState

__all__ = ["DriftError", "NotFound", "ReconcileResult", "accept_theirs", "ignore_until", "push_ours", "reconcile"]

CONCURRENCY = 8

IS_BELIEVED = """
    select exists (select from drift where vendor = $1 and subject_type = 'listing' and state = 'resolved'
        and reason = $2 and resolved_at > now() - interval '1 day')
"""

AGREE = """
    update game_platform_sync_state s set agreed_team = n.team, team_agreed_at = now()
    from unnest($1::uuid[], $2::text[]) as n (competitor_id, team)
    where s.competitor_id = n.competitor_id and s.syned_user_id in (
        select syned_user_id from game_platform_sync_state where competitor_id = any($1)
        order by syned_user_id for update skip locked)
"""


@dataclass(frozen=True, slots=True)
class ReconcileResult:
    """`drift` counts the differences that nobody ignores; `is_complete`: the vendor's list was whole, so it counted."""

    teams: int = 0
    members: int = 0
    drift: int = 0
    accounts: int = 0
    is_complete: bool = False

    def as_counts(self) -> dict[str, int]:
        return {
            "teams": self.teams, "members": self.members, "drift": self.drift, "accounts": self.accounts,
            "complete": int(self.is_complete),
        }


async def reconcile(
    claim: Claim, client: GamePlatformClient, *, team_id: UUID | None = None,
    organization_ids: Sequence[UUID] | None = None, concurrency: int = CONCURRENCY,
) -> ReconcileResult:
    """Raises VendorError when the platform is away or refuses the token."""
    scope = Scope(organization_ids, team_id)
    asked_at = await database.fetchval("select clock_timestamp()")
    listing = await client.team_assignments()
    if not listing.complete:
        bad = [BadRecord("team_assignment", "", None, record.raw, record.reason) for record in listing.rejected]
        await _put_aside(claim, bad)
        return ReconcileResult()
    seen = await account_looks.look(claim, client, scope=scope, concurrency=concurrency)
    async with database.transaction():
        await job_runs.keep(claim)
        await database.execute("select pg_advisory_xact_lock(hashtextextended('reconcile', 0))")
        sides = await roster_sides.load(listing, asked_at, scope)
        found = await _store(sides, seen, scope)
    return replace(found, is_complete=True)


async def _put_aside(claim: Claim, records: Sequence[BadRecord]) -> None:
    async with database.transaction():
        await job_runs.keep(claim)
        await quarantine.put_aside(VENDOR, records)


async def _store(sides: Sides, seen: Mapping[UUID, Seen], scope: Scope) -> ReconcileResult:
    known = await drift_rows.unresolved()
    comparison = Comparison()
    agreed = _compare_people(comparison, sides, seen, known)
    _compare_teams(comparison, sides)
    _compare_strangers(comparison, sides, known, scope)
    if scope.team_id is None:
        await _hold_back_what_vanished(comparison, sides, known)
        await totals_drift.compare(comparison, await totals_drift.suspected(scope.organization_ids))
    await drift_rows.store(comparison, known)
    await _remember_agreement(agreed)
    await account_looks.stamp(list(seen))
    return ReconcileResult(
        teams=len(sides.teams), members=sum(member.syned_user_id in sides.shown for member in sides.people),
        drift=comparison.open_count(known), accounts=len(seen),
    )


def _compare_people(
    comparison: Comparison, sides: Sides, seen: Mapping[UUID, Seen], known: Mapping[Key, Unresolved]
) -> list[Member]:
    """Those whose team agrees. Whose account is missing there cannot be on a team: one difference, not two."""
    for member in sides.people:
        look = seen.get(member.competitor_id)
        if look is not None and look.syned_user_id == member.syned_user_id:
            drift.compare_account(comparison, member, look.account)
    missing = _without_account(comparison, known)
    for member in sides.members:
        if member.key(Field.ACCOUNT) in missing:
            comparison.put(member.differs(Field.TEAM, None, None))
    there = [member for member in sides.members if member.key(Field.ACCOUNT) not in missing]
    return drift.compare_teams(comparison, there, sides.shown)


def _without_account(comparison: Comparison, known: Mapping[Key, Unresolved]) -> set[Key]:
    """Found missing now, or before and not looked at again."""
    before = {key for key, row in known.items() if key[2] == Field.ACCOUNT and row.theirs is None}
    return (before - comparison.compared) | {key for key in comparison.differences if key[2] == Field.ACCOUNT}


def _compare_teams(comparison: Comparison, sides: Sides) -> None:
    """Teams as they were sent: the platform shows no more of them than an id. And those that it would not delete."""
    for team in sides.teams:
        for field in drift.TEAM_FIELDS:
            sent = team[f"game_platform_{field}"] if team["is_comparable"] else None
            ours = team[field] if sent is not None else None
            comparison.put(Difference(
                Subject.TEAM, str(team["id"]), field, ours, sent, organization_id=team["organization_id"]
            ))
    for team in sides.deleted:
        remains = drift.THERE if team["state"] in (OutboxState.PARKED, OutboxState.DISCARDED) else None
        comparison.put(Difference(
            Subject.TEAM, team["platform_id"], Field.EXISTENCE, None, remains, organization_id=team["organization_id"]
        ))


def _compare_strangers(
    comparison: Comparison, sides: Sides, known: Mapping[Key, Unresolved], scope: Scope
) -> None:
    """People whom only the platform has, and whom of them it shows no more."""
    for person, team in sides.strangers.items():
        comparison.put(Difference(Subject.STRANGER, person, Field.TEAM, None, team or ""))
    if scope.team_id is None:
        comparison.compared |= {key for key in known if key[0] == Subject.STRANGER}


async def _hold_back_what_vanished(
    comparison: Comparison, sides: Sides, known: Mapping[Key, Unresolved]
) -> None:
    """A list that has lost too many at once is not believed without a person's click; who it shows is compared."""
    on_teams = [member for member in sides.members if member.was_agreed and member.agreed_team is not None]
    gone = [m.key(Field.TEAM) for m in drift.vanished(sides.members, sides.shown) if m.key(Field.TEAM) not in known]
    is_held = drift.is_too_much(len(gone), len(on_teams)) and not await _is_believed()
    if is_held:
        comparison.leave_out(gone)
    counts = (str(len(on_teams)), str(len(on_teams) - len(gone))) if is_held else (None, None)
    comparison.put(Difference(Subject.LISTING, "assignments", Field.MEMBERS, *counts))


async def _is_believed() -> bool:
    return bool(await database.fetchval(IS_BELIEVED, VENDOR, drift.ACCEPTED))


async def _remember_agreement(agreed: Sequence[Member]) -> None:
    """Only where it is news. A row that a sync holds just now is left for the next time."""
    news = [member for member in agreed if not member.was_agreed or member.agreed_team != member.team]
    if news:
        await database.execute(AGREE, [member.competitor_id for member in news], [member.team for member in news])
