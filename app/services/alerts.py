"""Looking whether causes for alerts have come or gone, and keeping what was seen: one transaction per batch."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, fields
from uuid import UUID

from app import database
from app.domain import alert_episodes, alert_rules
from app.domain.alert_episodes import Plan
from app.domain.alert_rules import Finding
from app.services import alert_facts, notices
from app.services.alert_facts import Organization
from app.services.job_runs import Claim, keep

_OPEN = """
insert into alerts (organization_id, rule, subject, since, reason, competitor_id, team_id)
select $1, * from unnest($2::text[], $3::text[], $4::timestamptz[], $5::text[], $6::uuid[], $7::uuid[])
on conflict (rule, subject) where state <> 'resolved' do nothing
returning id
"""
_REOPEN = """
update alerts set state = 'open', resolved_at = null, openings = openings + 1, data_from = null
where id = any($1::uuid[])
"""
_FLAP = "update alerts set flapping_since = now() where id = any($1::uuid[])"
_RESOLVE = """
update alerts set state = 'resolved', resolved_at = now(), snoozed_until = null, data_from = null
where id = any($1::uuid[])
"""
_KNOW_AGAIN = "update alerts set state = 'open', data_from = null where id = any($1::uuid[])"
_DOUBT = """
update alerts a set state = 'unknown', data_from = n.data_from
from unnest($1::uuid[], $2::timestamptz[]) as n (id, data_from) where a.id = n.id
"""
_REWORD = """
update alerts a set reason = n.reason from unnest($1::uuid[], $2::text[]) as n (id, reason) where a.id = n.id
"""
_REMEMBER = "insert into alert_events (alert_id, kind) select id, $2 from unnest($1::uuid[]) as id"


@dataclass(frozen=True, slots=True)
class Evaluated:
    people: int
    opened: int
    reopened: int
    flapping: int
    resolved: int
    unknown: int
    known_again: int

    def as_counts(self) -> dict[str, int]:
        return {field.name: getattr(self, field.name) for field in fields(self)}


async def evaluate(claim: Claim) -> Evaluated:
    """Everybody and everything, once. Where nothing has changed, nothing is written."""
    counts: Counter[str] = Counter()
    for organization in await alert_facts.organizations():
        async for people in alert_facts.people(organization):
            counts["people"] += len(people)
            counts += await _people(claim, organization, people)
        known = await alert_facts.known_of_the_rest(organization)
        found = await alert_facts.findings_of_the_rest(organization)
        counts += await _store(claim, organization, alert_episodes.plan(known, found))
    return Evaluated(**{field.name: counts[field.name] for field in fields(Evaluated)})


async def _people(claim: Claim, organization: Organization, people: Sequence[alert_rules.Person]) -> Counter[str]:
    now = organization.now
    known = await alert_facts.known_of_people(organization, [person.competitor_id for person in people])
    found = [finding for person in people for finding in alert_rules.findings(person, now)]
    stale = {person.competitor_id: person.looked_at for person in people if person.is_stale(now.at)}
    return await _store(claim, organization, alert_episodes.plan(known, found, stale))


async def _store(claim: Claim, organization: Organization, plan: Plan) -> Counter[str]:
    if plan.is_empty:
        return Counter()
    async with database.transaction():
        await keep(claim)
        opened = await _open(organization.id, plan.opened)
        changed = {
            "opened": opened, "reopened": plan.reopened, "flapping": plan.flapping, "resolved": plan.resolved,
            "unknown": [alert_id for alert_id, _ in plan.unknown], "known_again": plan.known_again,
        }
        for statement, ids in ((_REOPEN, plan.reopened), (_FLAP, plan.flapping), (_RESOLVE, plan.resolved),
                               (_KNOW_AGAIN, plan.known_again)):
            if ids:
                await database.execute(statement, ids)
        for statement, pairs in ((_DOUBT, plan.unknown), (_REWORD, plan.reworded)):
            if pairs:
                await database.execute(statement, *map(list, zip(*pairs, strict=True)))
        for kind, ids in changed.items():
            if ids:
                await database.execute(_REMEMBER, ids, kind)
        await notices.tell_of_alerts(opened, notices.OPENED)
        await notices.tell_of_alerts(plan.flapping, notices.FLAPPING)
    return Counter({name: len(ids) for name, ids in changed.items()})


async def _open(organization_id: UUID, found: Sequence[Finding]) -> list[UUID]:
    if not found:
        return []
    rows = await database.fetch(
        _OPEN, organization_id, [finding.rule.value for finding in found], [finding.subject for finding in found],
        [finding.since for finding in found], [finding.reason for finding in found],
        [finding.competitor_id for finding in found], [finding.team_id for finding in found],
    )
    return [row["id"] for row in rows]
