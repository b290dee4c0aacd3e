"""A batch of readings into the tables: one transaction, a handful of statements, nothing where nothing is new."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from app import database
from app.domain.competitor_status import WAITING
from app.integrations.game_platform.client import VENDOR
from app.integrations.game_platform.schemas import UserStatus
from app.services import onboarding_store, quarantine, standings
from app.services.job_runs import Claim
from app.services.onboarding_store import DENIED, Settlement
from app.services.score_reading import EventRow, Reading, SolveRow

ROWS_PER_STATEMENT = 500

ADD_SOLVES = """
    insert into game_platform_challenge_solves (syned_user_id, source, event_id, challenge_solve_id, competitor_id,
        metactf_user_id, challenge_id, challenge_title, challenge_category, category, challenge_points, solved_at,
        raw_payload)
    select * from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::uuid[], $6::text[], $7::text[],
        $8::text[], $9::text[], $10::text[], $11::int[], $12::timestamptz[], $13::jsonb[])
    on conflict (syned_user_id, source, event_id, challenge_solve_id) do nothing
    returning competitor_id
"""

PUT_EVENTS = """
    insert into game_platform_flash_ctf_events as e (competitor_id, syned_user_id, metactf_user_id, event_id, name,
        challenges_solved, score, max_points, rank, started_at, raw_payload)
    select * from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::int[], $7::int[], $8::int[],
        $9::int[], $10::timestamptz[], $11::jsonb[])
    on conflict (syned_user_id, event_id) do update set
        challenges_solved = excluded.challenges_solved, score = excluded.score, max_points = excluded.max_points,
        rank = excluded.rank, raw_payload = excluded.raw_payload
    where (e.challenges_solved, e.score, e.max_points, e.rank)
        is distinct from (excluded.challenges_solved, excluded.score, excluded.max_points, excluded.rank)
    returning e.competitor_id
"""

# On-demand totals are the vendor's of this look; Flash CTF totals are the vendor's per event, as stored.
# Whoever has solved nothing yet gets no row, so that a first look at them writes nothing.
PUT_TOTALS = """
    insert into game_platform_stats as t (competitor_id, odl_challenges, odl_points, monthly_ctf_challenges,
        flash_ctf_points, challenges_completed, total_score, last_solved_at)
    select n.competitor_id, n.odl_challenges, n.odl_points,
        least(f.challenges, 2147483647), least(f.points, 2147483647),
        least(n.odl_challenges + f.challenges, 2147483647), least(n.odl_points + f.points, 2147483647), l.solved_at
    from unnest($1::uuid[], $2::int[], $3::int[]) as n (competitor_id, odl_challenges, odl_points)
    cross join lateral (
        select coalesce(sum(challenges_solved), 0) as challenges, coalesce(sum(score), 0) as points
        from game_platform_flash_ctf_events e where e.competitor_id = n.competitor_id
    ) f
    cross join lateral (
        select max(solved_at) as solved_at from game_platform_challenge_solves s
        where s.competitor_id = n.competitor_id
    ) l
    where n.odl_challenges + f.challenges <> 0 or n.odl_points + f.points <> 0 or l.solved_at is not null
        or exists (select from game_platform_stats old where old.competitor_id = n.competitor_id)
    on conflict (competitor_id) do update set
        odl_challenges = excluded.odl_challenges, odl_points = excluded.odl_points,
        monthly_ctf_challenges = excluded.monthly_ctf_challenges, flash_ctf_points = excluded.flash_ctf_points,
        challenges_completed = excluded.challenges_completed, total_score = excluded.total_score,
        last_solved_at = excluded.last_solved_at, updated_at = now()
    where (t.odl_challenges, t.odl_points, t.monthly_ctf_challenges, t.flash_ctf_points, t.last_solved_at)
        is distinct from (excluded.odl_challenges, excluded.odl_points, excluded.monthly_ctf_challenges,
            excluded.flash_ctf_points, excluded.last_solved_at)
    returning t.competitor_id
"""

STAMP = """
    update game_platform_sync_state s set
        last_attempt_at = now(),
        last_success_at = case when n.result = 'success' then now() else s.last_success_at end,
        last_odl_synced_at = greatest(s.last_odl_synced_at, n.cursor),
        last_flash_ctf_synced_at = case when n.has_flash then now() else s.last_flash_ctf_synced_at end,
        last_remote_accessed_at = coalesce(n.accessed_at, s.last_remote_accessed_at),
        last_result = n.result, error_message = n.error, recounted_total = n.recounted_total,
        needs_totals_refresh = case n.result when 'success' then false else s.needs_totals_refresh or n.is_partial end,
        consecutive_failures = case n.result when 'failure' then s.consecutive_failures + 1 else 0 end
    from unnest($1::uuid[], $2::text[], $3::text[], $4::timestamptz[], $5::timestamptz[], $6::bool[], $7::bool[],
            $8::int[]) as n (competitor_id, result, error, cursor, accessed_at, has_flash, is_partial, recounted_total)
    where s.competitor_id = n.competitor_id
"""

ADD_ACTIVITY = """
    insert into activity_events as a (organization_id, kind, competitor_id, run_id, details)
    select organization_id, 'solves_found', competitor_id, $3, jsonb_build_object('new_solves', new_solves)
    from unnest($1::uuid[], $2::uuid[], $4::int[]) as n (organization_id, competitor_id, new_solves)
    on conflict (run_id, kind, competitor_id) do update set details = jsonb_build_object(
        'new_solves', (a.details->>'new_solves')::int + (excluded.details->>'new_solves')::int)
"""


@dataclass(frozen=True, slots=True)
class Stored:
    """How many solves were new per competitor, for whom anything was written, and how many rows of scores."""

    new_solves: Counter[UUID]
    changed: set[UUID]
    rows: int


async def store(claim: Claim, readings: Sequence[Reading]) -> Stored:
    """In the caller's transaction."""
    await quarantine.put_aside(VENDOR, [record for reading in readings for record in reading.bad])
    organizations = await _store_accounts(claim, readings)
    solves = await _add_solves([row for reading in readings for row in reading.fresh])
    events = await _put_events([row for reading in readings for row in reading.events])
    totals = await _put_totals([reading for reading in readings if reading.look.odl is not None])
    await _stamp(readings)
    stored = Stored(Counter(solves), {*solves, *events, *totals}, len(solves) + len(events) + len(totals))
    await _tell(claim, readings, stored, organizations)
    return stored


async def _store_accounts(claim: Claim, readings: Iterable[Reading]) -> set[UUID]:
    """Who was waiting has been asked after; in the order of ids, as an import locks them. The changed organizations."""
    asked = [(reading.look.subject.competitor_id, reading.look) for reading in readings if reading.look.user]
    changed: set[UUID] = set()
    for competitor_id, look in sorted(asked, key=lambda pair: pair[0]):
        assert look.user is not None
        outcome = "waiting" if look.is_waiting else look.user.metactf_user_status.value
        settlement = Settlement(outcome, look.subject.syned_user_id, look.user, disclosed=())
        if organization_id := await onboarding_store.record_account(claim, competitor_id, settlement):
            changed.add(organization_id)
        await database.execute("update competitors set platform_asked_at = now() where id = $1", competitor_id)
    return changed


async def _add_solves(rows: Sequence[SolveRow]) -> list[UUID]:
    """The competitor of each row that was new."""
    added: list[UUID] = []
    for start in range(0, len(rows), ROWS_PER_STATEMENT):
        chunk = rows[start:start + ROWS_PER_STATEMENT]
        added += [row[0] for row in await database.fetch(ADD_SOLVES, *_columns(chunk))]
    return added


async def _put_events(rows: Sequence[EventRow]) -> list[UUID]:
    if not rows:
        return []
    return [row[0] for row in await database.fetch(PUT_EVENTS, *_columns(rows))]


async def _put_totals(readings: Sequence[Reading]) -> list[UUID]:
    odl = [reading.look.odl for reading in readings]
    rows = await database.fetch(
        PUT_TOTALS, [reading.look.subject.competitor_id for reading in readings],
        [scores.total_challenges_solved for scores in odl if scores], [scores.total_points for scores in odl if scores],
    )
    return [row[0] for row in rows]


async def _stamp(readings: Sequence[Reading]) -> None:
    await database.execute(STAMP, *_columns([_stamp_of(reading) for reading in readings]))


def _stamp_of(reading: Reading) -> tuple[Any, ...]:
    look = reading.look
    result, error = _result(reading)
    return (
        look.subject.competitor_id, result, error, reading.cursor, look.odl.last_accessed_at if look.odl else None,
        look.flash is not None, look.odl is not None and look.error is not None, reading.recounted_total,
    )


def _result(reading: Reading) -> tuple[str, str | None]:
    look = reading.look
    if look.error is not None:
        return "failure", look.error.message
    if look.status == UserStatus.DENIED:
        return "failure", DENIED
    return ("waiting", None) if look.status in WAITING else ("success", None)


async def _tell(claim: Claim, readings: Sequence[Reading], stored: Stored, changed: set[UUID]) -> None:
    """One activity event per competitor and run, however many batches or attempts brought the solves."""
    organizations = {reading.look.subject.competitor_id: reading.look.subject.organization_id for reading in readings}
    if stored.new_solves:
        await database.execute(
            ADD_ACTIVITY, [organizations[competitor_id] for competitor_id in stored.new_solves],
            list(stored.new_solves), claim.run_id, list(stored.new_solves.values()),
        )
    for organization_id in sorted(changed | {organizations[competitor_id] for competitor_id in stored.changed}):
        await standings.mark_stale(organization_id)


def _columns(rows: Sequence[tuple[Any, ...]]) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)]
