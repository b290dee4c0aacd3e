"""What the alert rules look at, read for a whole organization in a few statements."""

import functools
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from app import database
from app.domain.active_days import Break, active_days_between
from app.domain.alert_episodes import SAME_EPISODE_WITHIN, Known
from app.domain.alert_rules import LOOKS, STALE_AFTER, Finding, FlashCtf, Now, Person, Rule

BATCH_PEOPLE = 2_000

_PEOPLE = """
select c.id as competitor_id, c.status, c.stage_since as ready_since, c.game_platform_id,
    c.metactf_user_status as platform_status, coalesce(c.game_platform_synced_at, c.created_at) as invited_at,
    c.game_platform_sync_error as platform_error, c.onboarding_refused_at as refused_at,
    case when c.metactf_user_status = 'approved' then m.game_platform_sync_error end as team_error,
    s.last_remote_accessed_at as accessed_at, st.last_solved_at as solved_at,
    s.last_success_at as looked_at, s.last_flash_ctf_synced_at as flash_ctf_asked_at,
    coalesce(s.consecutive_failures, 0) as failures, s.error_message as failure,
    exists (select from game_platform_flash_ctf_events e
        where e.competitor_id = c.id and e.event_id = $3 and e.challenges_solved > 0) as has_played
from competitors c
left join game_platform_sync_state s on s.competitor_id = c.id
left join game_platform_stats st on st.competitor_id = c.id
left join team_memberships m on m.competitor_id = c.id
where c.organization_id = $1 and c.archived_at is null and c.id > $2
order by c.id limit $4
"""

# The platform names no end of an event: it is over when nobody has solved anything in it for a day.
_FLASH_CTF = """
select * from (
    select f.event_id, f.name, f.started_at,
        greatest(f.started_at, coalesce(f.last_solved_at, f.started_at)) + interval '1 day' as settled_at
    from game_platform_flash_ctfs f
) f where f.settled_at <= $2 and exists (
    select from game_platform_flash_ctf_events e join competitors c on c.id = e.competitor_id
    where e.event_id = f.event_id and e.challenges_solved > 0 and c.organization_id = $1)
order by f.started_at desc limit 1
"""

_BREAKS = "select first_day, last_day from calendar_breaks where organization_id = $1"

_LATEST = """
select distinct on (a.rule, a.subject) a.id as alert_id, a.rule, a.subject, a.competitor_id, a.state, a.reason,
    a.openings, a.flapping_since is not null as is_flapping
from alerts a left join competitors c on c.id = a.competitor_id
where a.organization_id = $1 and (a.state <> 'resolved' or a.resolved_at > $2) and {about}
order by a.rule, a.subject, a.state = 'resolved', a.opened_at desc
"""

_TEAM_ERRORS = """
select t.id as team_id, t.game_platform_sync_error as reason from teams t
where t.organization_id = $1 and t.archived_at is null and t.game_platform_sync_error is not null
"""

_DRIFT = """
select d.id, d.since, d.field, d.competitor_id, t.id as team_id
from drift d left join teams t on d.subject_type = 'team' and t.id::text = d.subject_id
left join competitors c on c.id = d.competitor_id
where d.organization_id = $1 and d.state = 'open' and c.archived_at is null
"""

_NEWEST_LOOK = """
select max(s.last_success_at) as newest, min(coalesce(c.game_platform_synced_at, c.created_at)) as first
from competitors c left join game_platform_sync_state s on s.competitor_id = c.id
where c.organization_id = $1 and c.archived_at is null and c.metactf_user_status = 'approved'
"""


@dataclass(frozen=True, slots=True)
class Organization:
    id: UUID
    now: Now


async def organizations() -> list[Organization]:
    rows = await database.fetch("select id, time_zone, now() as at from organizations order by id")
    return [await _organization(row["id"], ZoneInfo(row["time_zone"]), row["at"]) for row in rows]


async def _organization(organization_id: UUID, zone: ZoneInfo, at: datetime) -> Organization:
    event = await database.fetchrow(_FLASH_CTF, organization_id, at)

    rows = await database.fetch(_BREAKS, organization_id)
    breaks = [Break(row["first_day"], row["last_day"]) for row in rows]

    @functools.cache
    def between(first: date, last: date) -> int:
        return active_days_between(first, last, breaks)

    def active_days(first: datetime, last: datetime) -> int:
        return between(first.astimezone(zone).date(), last.astimezone(zone).date())

    return Organization(organization_id, Now(at, active_days, FlashCtf(**event) if event else None))


async def people(organization: Organization) -> AsyncIterator[list[Person]]:
    """Everybody who is not archived, in batches."""
    event = organization.now.flash_ctf
    last = UUID(int=0)
    while True:
        rows = await database.fetch(_PEOPLE, organization.id, last, event.event_id if event else "", BATCH_PEOPLE)
        if rows:
            yield [Person(**row) for row in rows]
            last = rows[-1]["competitor_id"]
        if len(rows) < BATCH_PEOPLE:
            return


async def known_of_people(organization: Organization, competitor_ids: Sequence[UUID]) -> list[Known]:
    about = "a.competitor_id = any($3::uuid[]) and a.rule = any($4::text[])"
    return await _known(about, organization, list(competitor_ids), [rule.value for rule in LOOKS])


async def known_of_the_rest(organization: Organization) -> list[Known]:
    """Of teams, of differences and of the organization itself; and what is left of people who are archived now."""
    about = "(a.competitor_id is null or a.rule = $3 or c.archived_at is not null)"
    return await _known(about, organization, Rule.DRIFT.value)


async def _known(about: str, organization: Organization, *arguments: object) -> list[Known]:
    since = organization.now.at - SAME_EPISODE_WITHIN
    rows = await database.fetch(_LATEST.format(about=about), organization.id, since, *arguments)
    return [Known(**{**row, "rule": Rule(row["rule"])}) for row in rows]


async def findings_of_the_rest(organization: Organization) -> list[Finding]:
    at = organization.now.at
    teams = [
        Finding(Rule.SYNC_ERROR, str(row["team_id"]), at, row["reason"], team_id=row["team_id"])
        for row in await database.fetch(_TEAM_ERRORS, organization.id)
    ]
    differences = [
        Finding(Rule.DRIFT, str(row["id"]), row["since"], row["field"].replace("_", " "), row["competitor_id"],
                row["team_id"])
        for row in await database.fetch(_DRIFT, organization.id)
    ]
    return [*teams, *differences, *await _stale_data(organization)]


async def _stale_data(organization: Organization) -> list[Finding]:
    row = await database.fetchrow(_NEWEST_LOOK, organization.id)
    assert row
    since = row["newest"] or row["first"]
    if since is None or organization.now.at - since <= STALE_AFTER:
        return []
    return [Finding(Rule.STALE_DATA, str(organization.id), since)]
