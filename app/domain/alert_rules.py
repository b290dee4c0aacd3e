"""What a coach should know about without looking: the rules, as data, and how one person stands with each.

Where our own data is too old, the rules that speak of what somebody did say nothing at all: nobody is called inactive
because we have not looked.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from app.domain.competitor_status import ACCOUNTS

STALE_AFTER = timedelta(hours=24)
"""Three times the longest wait between two looks."""
INVITED_DAYS = 5
INACTIVE_DAYS = 10
STUCK_DAYS = 5
"""Active days: a school week, and two."""
FAILURES = 3
FLASH_CTF_LASTS = timedelta(days=35)
"""So long a missed Flash CTF is worth a word; by then the next one has come."""


class Rule(StrEnum):
    ONBOARDING_FAILED = "onboarding_failed"
    UNLINKED = "unlinked_identity"
    NEVER_SIGNED_IN = "never_signed_in"
    INACTIVE = "inactive"
    STUCK = "stuck"
    MISSED_FLASH_CTF = "missed_flash_ctf"
    SYNC_ERROR = "sync_error"
    STALE_DATA = "stale_data"
    DRIFT = "drift"


class Group(StrEnum):
    """The two cards of the overview, and what is not about a person's days."""

    ACCESS = "access"
    PEOPLE = "people"
    DATA = "data"


@dataclass(frozen=True, slots=True)
class Words:
    """`cause` goes on with what the alert's own reason says; `step` is what to do about it."""

    title: str
    cause: str
    step: str
    group: Group


RULES: dict[Rule, Words] = {
    Rule.ONBOARDING_FAILED: Words(
        "Onboarding failed", "No account could be made",
        "Correct what it names on the competitor's page, then add them again.", Group.ACCESS,
    ),
    Rule.UNLINKED: Words(
        "Identity not linked", f"The papers are there, but after {INVITED_DAYS} active days there is no account",
        "Add them to the Game Platform.", Group.ACCESS,
    ),
    Rule.NEVER_SIGNED_IN: Words(
        "Never signed in", f"The account is {INVITED_DAYS} active days old or more and was never used",
        "Ask whether the invitation arrived; send the password mail again.", Group.ACCESS,
    ),
    Rule.INACTIVE: Words(
        "Inactive", f"No solve and no sign-in for {INACTIVE_DAYS} active days",
        "Talk to them: what would bring them back?", Group.PEOPLE,
    ),
    Rule.STUCK: Words(
        "Stuck", f"Signs in, but has solved nothing for {STUCK_DAYS} active days",
        "Sit with them on one challenge, or suggest an easier category.", Group.PEOPLE,
    ),
    Rule.MISSED_FLASH_CTF: Words(
        "Missed the last Flash CTF", "No solve in the latest one that is over",
        "Remind them before the next one.", Group.PEOPLE,
    ),
    Rule.SYNC_ERROR: Words(
        "Sync error", "The Game Platform does not take or tell what it should",
        "Read the reason; the next sync tries again by itself.", Group.ACCESS,
    ),
    Rule.STALE_DATA: Words(
        "Stale data", "Nobody of this organization could be read from the Game Platform",
        "An admin should look at the sync. Until then nobody is called inactive.", Group.DATA,
    ),
    Rule.DRIFT: Words(
        "Drift", "Sideline and the Game Platform disagree",
        "Decide whose side is right.", Group.DATA,
    ),
}
NEEDS_FRESH_DATA = frozenset({Rule.NEVER_SIGNED_IN, Rule.INACTIVE, Rule.STUCK, Rule.MISSED_FLASH_CTF})

ActiveDays = Callable[[datetime, datetime], int]
"""How many days between two moments count, in the organization's calendar and zone."""


@dataclass(frozen=True, slots=True)
class FlashCtf:
    """The latest one that is over and that somebody of the organization took part in."""

    event_id: str
    name: str
    started_at: datetime
    settled_at: datetime


@dataclass(frozen=True, slots=True)
class Now:
    """What is the same for everybody of an organization."""

    at: datetime
    active_days: ActiveDays
    flash_ctf: FlashCtf | None = None

    def lasts(self, since: datetime, days: int, *, until: datetime | None = None) -> bool:
        """Whether it has been so for that many active days, which are never more than days."""
        until = until or self.at
        return until - since > timedelta(days=days - 1) and self.active_days(since, until) >= days


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """One competitor, as the rules see them. `ready_since`: how long their status is what it is."""

    competitor_id: UUID
    status: str
    ready_since: datetime
    invited_at: datetime
    game_platform_id: str | None = None
    platform_status: str | None = None
    platform_error: str | None = None
    refused_at: datetime | None = None
    team_error: str | None = None
    accessed_at: datetime | None = None
    solved_at: datetime | None = None
    looked_at: datetime | None = None
    flash_ctf_asked_at: datetime | None = None
    failures: int = 0
    failure: str | None = None
    has_played: bool = False

    @property
    def has_account(self) -> bool:
        return self.game_platform_id is not None and self.platform_status in ACCOUNTS

    @property
    def is_approved(self) -> bool:
        return self.platform_status == "approved"

    @property
    def last_active_at(self) -> datetime | None:
        return max((at for at in (self.accessed_at, self.solved_at) if at), default=None)

    def is_stale(self, now: datetime) -> bool:
        """Whether what we know of their doings is too old; who has no approved account has none."""
        return self.is_approved and (self.looked_at is None or now - self.looked_at > STALE_AFTER)


@dataclass(frozen=True, slots=True)
class Finding:
    """A cause that is there now. `reason` says more than the rule does, without naming anybody."""

    rule: Rule
    subject: str
    since: datetime
    reason: str = ""
    competitor_id: UUID | None = None
    team_id: UUID | None = None


Seen = tuple[datetime, str]
"""Since when, and the reason."""


def findings(person: Person, now: Now) -> tuple[Finding, ...]:
    is_stale = person.is_stale(now.at)
    found = []
    for rule, look in LOOKS.items():
        seen = None if is_stale and rule in NEEDS_FRESH_DATA else look(person, now)
        if seen:
            found.append(Finding(rule, _subject(rule, person, now), *seen, competitor_id=person.competitor_id))
    return tuple(found)


def _subject(rule: Rule, person: Person, now: Now) -> str:
    if rule is Rule.MISSED_FLASH_CTF and now.flash_ctf:
        return f"{person.competitor_id}:{now.flash_ctf.event_id}"
    return str(person.competitor_id)


def _onboarding_failed(person: Person, now: Now) -> Seen | None:
    if person.platform_status == "denied":
        return person.refused_at or now.at, "the platform denied the account"
    if person.has_account or not person.platform_error:
        return None
    return person.refused_at or now.at, person.platform_error


def _unlinked(person: Person, now: Now) -> Seen | None:
    is_ready = person.status == "compliance" and not person.has_account and not person.platform_error
    if is_ready and now.lasts(person.ready_since, INVITED_DAYS):
        return person.ready_since, ""
    return None


def _never_signed_in(person: Person, now: Now) -> Seen | None:
    if not person.is_approved or person.last_active_at:
        return None
    return (person.invited_at, "") if now.lasts(person.invited_at, INVITED_DAYS) else None


def _inactive(person: Person, now: Now) -> Seen | None:
    last = person.last_active_at
    if not person.is_approved or last is None or not now.lasts(last, INACTIVE_DAYS):
        return None
    return last, ""


def _stuck(person: Person, now: Now) -> Seen | None:
    """The platform tells solves and the last access, not tries: who comes and solves nothing is trying."""
    if not person.is_approved or person.accessed_at is None or _inactive(person, now):
        return None
    last_success = person.solved_at or person.invited_at
    if not now.lasts(last_success, STUCK_DAYS, until=person.accessed_at):
        return None
    return last_success, "" if person.solved_at else "nothing solved yet"


def _missed_flash_ctf(person: Person, now: Now) -> Seen | None:
    """Only of whom could play and was asked about after it was over."""
    event, asked_at = now.flash_ctf, person.flash_ctf_asked_at
    if event is None or person.has_played or not person.is_approved or person.invited_at > event.started_at:
        return None
    if asked_at is None or asked_at < event.settled_at or now.at - event.settled_at > FLASH_CTF_LASTS:
        return None
    return event.started_at, event.name


def _sync_error(person: Person, now: Now) -> Seen | None:
    if person.failures >= FAILURES:
        return person.looked_at or person.invited_at, person.failure or f"{person.failures} looks in a row failed"
    error = person.team_error or (person.platform_error if person.has_account else None)
    return (now.at, error) if error else None


LOOKS: dict[Rule, Callable[[Person, Now], Seen | None]] = {
    Rule.ONBOARDING_FAILED: _onboarding_failed,
    Rule.UNLINKED: _unlinked,
    Rule.NEVER_SIGNED_IN: _never_signed_in,
    Rule.INACTIVE: _inactive,
    Rule.STUCK: _stuck,
    Rule.MISSED_FLASH_CTF: _missed_flash_ctf,
    Rule.SYNC_ERROR: _sync_error,
}
