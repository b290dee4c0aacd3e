"""From what is known and what is found to what changes. Evaluating twice changes nothing the second time.

An episode lasts from the first look that finds its cause to the one that does not. A cause that is back within a day
is the same episode again; the third time it flaps, which is told once and never again.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from app.domain.alert_rules import NEEDS_FRESH_DATA, Finding, Rule

SAME_EPISODE_WITHIN = timedelta(hours=24)
FLAPS_AT = 3

Subject = tuple[Rule, str]


@dataclass(frozen=True, slots=True)
class Known:
    """An alert that is open or unknown, or was resolved within a day."""

    alert_id: UUID
    rule: Rule
    subject: str
    competitor_id: UUID | None
    state: str
    reason: str
    openings: int
    is_flapping: bool

    @property
    def is_live(self) -> bool:
        return self.state != "resolved"


@dataclass(slots=True)
class Plan:
    """`unknown`: with the moment our data is from. `reworded`: the cause is the same, the vendor says it otherwise."""

    opened: list[Finding] = field(default_factory=list)
    reopened: list[UUID] = field(default_factory=list)
    flapping: list[UUID] = field(default_factory=list)
    resolved: list[UUID] = field(default_factory=list)
    unknown: list[tuple[UUID, datetime | None]] = field(default_factory=list)
    known_again: list[UUID] = field(default_factory=list)
    reworded: list[tuple[UUID, str]] = field(default_factory=list)

    @property
    def is_empty(self) -> bool:
        return not any(
            (self.opened, self.reopened, self.flapping, self.resolved, self.unknown, self.known_again, self.reworded)
        )


def plan(
    known: Iterable[Known], findings: Iterable[Finding], stale: Mapping[UUID, datetime | None] | None = None
) -> Plan:
    """`known` has the latest alert of each rule and subject; `stale` whose data is too old, and when it is from."""
    changes, alerts = Plan(), {(alert.rule, alert.subject): alert for alert in known}
    found = {(finding.rule, finding.subject): finding for finding in findings}
    for key, finding in found.items():
        if key in alerts:
            _still_there(alerts[key], finding, changes)
        else:
            changes.opened.append(finding)
    for key, alert in alerts.items():
        if alert.is_live and key not in found:
            _not_found(alert, stale or {}, changes)
    return changes


def _still_there(alert: Known, finding: Finding, changes: Plan) -> None:
    if alert.state == "unknown":
        changes.known_again.append(alert.alert_id)
    if not alert.is_live:
        changes.reopened.append(alert.alert_id)
        if alert.openings + 1 >= FLAPS_AT and not alert.is_flapping:
            changes.flapping.append(alert.alert_id)
    if alert.reason != finding.reason:
        changes.reworded.append((alert.alert_id, finding.reason))


def _not_found(alert: Known, stale: Mapping[UUID, datetime | None], changes: Plan) -> None:
    """Old data neither proves nor disproves what somebody did."""
    person = alert.competitor_id
    if person is None or person not in stale or alert.rule not in NEEDS_FRESH_DATA:
        changes.resolved.append(alert.alert_id)
    elif alert.state != "unknown":
        changes.unknown.append((alert.alert_id, stale[person]))
