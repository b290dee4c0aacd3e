"""The rows of the drift table: what a comparison found is written, what agrees again is resolved, the rest stays."""

from collections.abc import Sequence
from uuid import UUID

from app import database
from app.domain.drift import ACCOUNT_FIELDS, AGREES, TEAM_FIELDS, Comparison, Difference, Key, Unresolved
from app.integrations.game_platform.client import VENDOR

UNRESOLVED = """
    select id, subject_type, subject_id, field, ours, theirs, state = 'ignored' as is_ignored,
        coalesce(ignored_until <= clock_timestamp(), false) as is_over
    from drift where vendor = $1 and state <> 'resolved'
"""

# A team agreed when both sides named the same one, and still did at the last complete look if there was no row then;
# an account when it was last looked up; a team's name when it was sent.
PUT = """
    insert into drift (vendor, subject_type, subject_id, field, ours, theirs, competitor_id, organization_id,
        agreed, agreed_at)
    select $1, n.subject_type, n.subject_id, n.field, n.ours, n.theirs, n.competitor_id, n.organization_id,
        case when n.field = 'team' then s.agreed_team when n.field = any($9) then n.ours
            when n.field = any($10) then n.theirs end,
        case when n.field = 'team' then case when s.team_agreed_at is not null
                then greatest(s.team_agreed_at, (select max(started_at) from job_runs
                    where kind = 'game_platform_roster_reconcile' and state = 'succeeded' and payload = '{}'
                        and result->>'complete' = '1')) end
            when n.field = any($9) then coalesce(s.account_seen_at, c.game_platform_synced_at)
            when n.field = any($10) then t.game_platform_synced_at end
    from unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::uuid[], $8::uuid[])
        as n (subject_type, subject_id, field, ours, theirs, competitor_id, organization_id)
    left join competitors c on c.id = n.competitor_id
    left join game_platform_sync_state s on s.competitor_id = n.competitor_id
    left join teams t on n.subject_type = 'team' and t.id::text = n.subject_id
    order by n.subject_type, n.subject_id, n.field
    on conflict (vendor, subject_type, subject_id, field) where state <> 'resolved' do update set
        ours = excluded.ours, theirs = excluded.theirs, state = 'open', ignored_until = null, reason = ''
"""

RESOLVE = """
    update drift set state = 'resolved', reason = $2, resolved_at = now(), ignored_until = null
    where id in (select id from drift where id = any($1::uuid[]) and state <> 'resolved' order by id for update)
"""


async def unresolved() -> dict[Key, Unresolved]:
    rows = await database.fetch(UNRESOLVED, VENDOR)
    return {
        (row["subject_type"], row["subject_id"], row["field"]):
            Unresolved(row["id"], row["ours"], row["theirs"], row["is_ignored"], row["is_over"])
        for row in rows
    }


async def store(comparison: Comparison, known: dict[Key, Unresolved]) -> None:
    """In the caller's transaction. Writes nothing where nothing is news."""
    if news := comparison.news(known):
        await _put(news)
    if settled := comparison.settled(known):
        await resolve(settled, AGREES)


async def _put(news: Sequence[Difference]) -> None:
    columns = ("subject", "subject_id", "field", "ours", "theirs", "competitor_id", "organization_id")
    await database.execute(
        PUT, VENDOR, *([getattr(difference, name) for difference in news] for name in columns),
        list(ACCOUNT_FIELDS), list(TEAM_FIELDS),
    )


async def resolve(ids: Sequence[UUID], reason: str) -> None:
    await database.execute(RESOLVE, list(ids), reason)
