"""From what is known and what is found to what changes. Looking twice changes nothing the second time.

An episode lasts from the look that finds its cause to the one that does not, and each is told once when it opens and
once when it ends. One that is back within an hour for the third time flaps: that is told once, and the alarm then stays
open until its cause has been gone for a while.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from app.domain.alarm_rules import Cause, Finding

SAME_ALARM_WITHIN = timedelta(hours=1)
FLAPS_AT = 3
CALM_FOR = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Known:
    """An alarm that is open, or was resolved within the hour. `gone_at`: since when the cause of an open one that flaps
    is not found any more."""

    alarm_id: UUID
    cause: Cause
    subject: str
    reason: str
    resolved_at: datetime | None
    openings: int
    is_flapping: bool
    gone_at: datetime | None

    @property
    def is_open(self) -> bool:
        return self.resolved_at is None


@dataclass(slots=True)
class Plan:
    opened: list[Finding] = field(default_factory=list)
    reopened: list[tuple[UUID, Finding]] = field(default_factory=list)
    flapping: list[tuple[UUID, Finding]] = field(default_factory=list)
    resolved: list[UUID] = field(default_factory=list)
    gone: list[UUID] = field(default_factory=list)
    back: list[UUID] = field(default_factory=list)
    reworded: list[tuple[UUID, str]] = field(default_factory=list)

    @property
    def is_empty(self) -> bool:
        return not any((
            self.opened, self.reopened, self.flapping, self.resolved, self.gone, self.back, self.reworded
        ))


def plan(
    known: Iterable[Known], found: Iterable[Finding], now: datetime, *, hidden: Collection[Cause] = ()
) -> Plan:
    """`hidden` causes cannot be judged now: they neither open nor resolve."""
    changes = Plan()
    alarms = {(alarm.cause, alarm.subject): alarm for alarm in known if alarm.cause not in hidden}
    findings = {(finding.cause, finding.subject): finding for finding in found if finding.cause not in hidden}
    for key, finding in findings.items():
        if key in alarms:
            _still_there(alarms[key], finding, changes)
        else:
            changes.opened.append(finding)
    for key, alarm in alarms.items():
        if alarm.is_open and key not in findings:
            _not_found(alarm, now, changes)
    return changes


def _still_there(alarm: Known, finding: Finding, changes: Plan) -> None:
    if not alarm.is_open:
        flaps = alarm.openings + 1 >= FLAPS_AT
        (changes.flapping if flaps else changes.reopened).append((alarm.alarm_id, finding))
        return
    if alarm.gone_at is not None:
        changes.back.append(alarm.alarm_id)
    if alarm.reason != finding.reason:
        changes.reworded.append((alarm.alarm_id, finding.reason))


def _not_found(alarm: Known, now: datetime, changes: Plan) -> None:
    if alarm.is_flapping and alarm.gone_at is None:
        changes.gone.append(alarm.alarm_id)
    elif not alarm.is_flapping or (alarm.gone_at and now - alarm.gone_at >= CALM_FOR):
        changes.resolved.append(alarm.alarm_id)
