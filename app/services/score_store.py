"""A batch of readings into the tables: one transaction, a handful of statements, nothing where nothing is new."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from app import database
from app.domain import sync_tiers
from app.domain.sync_tiers import Ceilings
from app.integrations.game_platform.client import VENDOR
from app.services import onboarding_store, quarantine, standings, sync_stamps, totals_drift
from app.services.job_runs import Claim
from app.services.onboarding_store import Settlement
from app.services.quarantine import UnreadablePerson
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

# On-demand totals are the vendor's of this look, or of the last one where this look was about Flash CTFs alone; Flash
# CTF totals are the vendor's per event, as stored.
# Whoever has solved nothing yet gets no row, so that a first look at them writes nothing.
PUT_TOTALS = """
    insert into game_platform_stats as t (competitor_id, odl_challenges, odl_points, monthly_ctf_challenges,
        flash_ctf_points, challenges_completed, total_score, last_solved_at)
    select n.competitor_id, n.odl_challenges, n.odl_points,
        least(f.challenges, 2147483647), least(f.points, 2147483647),
        least(n.odl_challenges + f.challenges, 2147483647), least(n.odl_points + f.points, 2147483647), l.solved_at
    from (
        select given.competitor_id, coalesce(given.challenges, known.odl_challenges, 0) as odl_challenges,
            coalesce(given.points, known.odl_points, 0) as odl_points
        from unnest($1::uuid[], $2::int[], $3::int[]) as given (competitor_id, challenges, points)
        left join game_platform_stats known using (competitor_id)
    ) n
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

ACCOUNTS = """
    select id, game_platform_id from competitors where id = any($1::uuid[]) order by id for no key update
"""

PUT_FLASH_CTFS = """
    insert into game_platform_flash_ctfs as e (event_id, name, started_at, last_solved_at)
    select * from unnest($1::text[], $2::text[], $3::timestamptz[], $4::timestamptz[])
    on conflict (event_id) do update set last_solved_at = excluded.last_solved_at
    where coalesce(e.last_solved_at < excluded.last_solved_at, excluded.last_solved_at is not null)
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
    """How many solves were new per competitor, for whom anything was written, how many rows of scores, and how far
    everybody is read now."""

    new_solves: Counter[UUID]
    changed: set[UUID]
    rows: int
    cursors: Mapping[UUID, datetime | None] = field(default_factory=dict)


async def store(claim: Claim, readings: Sequence[Reading], ceilings: Ceilings = sync_tiers.DEFAULT) -> Stored:
    """In the caller's transaction."""
    await quarantine.put_aside(VENDOR, [record for reading in readings for record in reading.bad])
    await _put_people_aside(readings)
    organizations = await _store_accounts(claim, readings)
    readings = await _still_theirs(readings)
    solves = await _add_solves([row for reading in readings for row in reading.fresh])
    events = await _put_events([row for reading in readings for row in reading.events])
    await _put_flash_ctfs(readings)
    totals = await _put_totals([reading for reading in readings if reading.look.odl or reading.look.flash])
    cursors = await sync_stamps.put(readings, ceilings)
    await _note_drift_of_totals(readings)
    stored = Stored(Counter(solves), {*solves, *events, *totals}, len(solves) + len(events) + len(totals), cursors)
    await _tell(claim, readings, stored, organizations)
    return stored


async def _still_theirs(readings: Sequence[Reading]) -> list[Reading]:
    """Without those whose account somebody else has got since they were read: a merge moves accounts with their
    scores. Who brings nothing new need not be asked."""
    accounts = {
        reading.look.subject.competitor_id: reading.look.subject.syned_user_id
        for reading in readings if reading.fresh or reading.events
    }
    held = await database.fetch(ACCOUNTS, list(accounts)) if accounts else []
    gone = {row["id"] for row in held if row["game_platform_id"] != accounts[row["id"]]}
    return [reading for reading in readings if reading.look.subject.competitor_id not in gone]


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


async def _put_flash_ctfs(readings: Sequence[Reading]) -> None:
    """The events that anybody's answer names, and when somebody last solved something in each."""
    events = {row.event_id: row for reading in readings for row in reading.events}
    if not events:
        return
    solved: dict[str, datetime] = {}
    for row in (row for reading in readings for row in reading.fresh if row.event_id):
        solved[row.event_id] = max(row.solved_at, solved.get(row.event_id, row.solved_at))
    rows = [(row.event_id, row.name, row.started_at, solved.get(row.event_id)) for _, row in sorted(events.items())]
    await database.execute(PUT_FLASH_CTFS, *_columns(rows))


async def _put_totals(readings: Sequence[Reading]) -> list[UUID]:
    odl = [reading.look.odl for reading in readings]
    rows = await database.fetch(
        PUT_TOTALS, [reading.look.subject.competitor_id for reading in readings],
        [scores.total_challenges_solved if scores else None for scores in odl],
        [scores.total_points if scores else None for scores in odl],
    )
    return [row[0] for row in rows]


async def _note_drift_of_totals(readings: Sequence[Reading]) -> None:
    """Of those whom a full read has just not explained; the reconcile looks at them again and again."""
    recounted = [
        reading.look.subject.competitor_id for reading in readings
        if reading.recounted_total not in (None, reading.look.subject.recounted_total)
    ]
    if recounted:
        await totals_drift.note(recounted)


async def _put_people_aside(readings: Sequence[Reading]) -> None:
    """Who cannot be read at all is shown with the reason, and asked for again on their own; nobody waits for them."""
    looks = [reading.look for reading in readings]
    await quarantine.put_people_aside(VENDOR, [
        UnreadablePerson(look.subject.competitor_id, look.subject.syned_user_id, look.error.message, retry_at)
        for look in looks if look.error and (retry_at := sync_stamps.retry_at(look))
    ])
    recovered = [look.subject for look in looks if look.error is None and look.subject.consecutive_failures]
    await quarantine.release_people(VENDOR, [subject.competitor_id for subject in recovered])


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
