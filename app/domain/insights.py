"""What a report card says first: at most three findings in plain words, the most urgent one on top."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from app.domain import strengths
from app.domain.alert_rules import STUCK_DAYS
from app.domain.flash_record import Entry, with_trend
from app.domain.peers import Group
from app.domain.report_card import Gain
from app.domain.strengths import Strength
from app.domain.windows import in_words

MOST = 3


@dataclass(frozen=True, slots=True)
class Insight:
    """`state` is one of good, waiting, late, broken, unknown."""

    state: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """`since` ends a sentence about the window ("since 1 Oct 2026"), `before` names the equal one before it; `lately`
    is None where the days could not be read, `earlier` where there was nobody yet to compare with. `days_trying` are
    the season's days from the last solve to the last access."""

    zone: ZoneInfo
    is_linked: bool
    as_of: datetime | None
    is_late: bool
    since: str
    before: str
    lately: Gain | None
    earlier: Gain | None
    last_solved_at: datetime | None
    last_accessed_at: datetime | None
    days_trying: int = 0
    strengths: Sequence[Strength] = ()
    flash_record: Sequence[Entry] = ()
    peers: Sequence[Group] = ()


def insights(facts: Facts) -> tuple[Insight, ...]:
    if not facts.is_linked:
        return (Insight("unknown", "Not linked to the Game Platform yet, so there is nothing to read."),)
    if facts.as_of is None:
        return (Insight("waiting", "Linked, and not read yet. Numbers appear after the first sync."),)
    found = (_form(facts), _flash(facts), _strengths(facts.strengths), _peers(facts.peers))
    return tuple(insight for insight in found if insight)[:MOST]


def _form(facts: Facts) -> Insight | None:
    """Nobody is called inactive on old data."""
    if facts.lately is None:
        return None
    if facts.lately.solves:
        return _active(facts, facts.lately)
    if facts.is_late and facts.as_of:
        return Insight("unknown", f"Unknown: the platform was last read on {_on(facts.as_of, facts.zone)}.")
    if stuck := _stuck(facts):
        return stuck
    if facts.last_solved_at is None:
        return Insight("late", "Has an account and has solved nothing yet.")
    last = _on(facts.last_solved_at, facts.zone)
    return Insight("late", f"Solved nothing {facts.since}. The last solve was on {last}.")


def _active(facts: Facts, lately: Gain) -> Insight:
    done = f"Solved {_counted(lately.solves, 'challenge')} for {_counted(lately.points, 'point')} {facts.since}"
    if facts.earlier is None:
        return Insight("good", f"{done}.")
    difference = lately.solves - facts.earlier.solves
    if difference == 0:
        return Insight("good", f"{done}, as many as in {facts.before}.")
    if difference > 0:
        return Insight("good", f"{done}, {difference} more than in {facts.before}.")
    return Insight("waiting", f"{done}, {-difference} fewer than in {facts.before}.")


def _stuck(facts: Facts) -> Insight | None:
    """On the platform long after the last solve: trying, not solving."""
    accessed, solved = facts.last_accessed_at, facts.last_solved_at
    if accessed is None or solved is None or facts.days_trying < STUCK_DAYS:
        return None
    days = f"last on the platform on {_on(accessed, facts.zone)}, last solve on {_on(solved, facts.zone)}"
    return Insight("late", f"Trying, not solving: {days}.")


def _flash(facts: Facts) -> Insight | None:
    if not facts.flash_record:
        return None
    latest = with_trend(facts.flash_record)[0]
    event = f"{latest.entry.name} on {_on(latest.entry.started_at, facts.zone)}"
    if latest.entry.is_missed:
        return Insight("late", f"Missed the latest Flash CTF, {event}.")
    if not latest.entry.has_entered:
        return Insight("waiting", f"Has not entered {event} yet; it is still open.")
    if not latest.places_up:
        return None
    places = _counted(abs(latest.places_up), "place")
    if latest.places_up > 0:
        return Insight("good", f"Rank {latest.entry.rank} in {event}, {places} better than the time before.")
    return Insight("waiting", f"Rank {latest.entry.rank} in {event}, {places} behind the time before.")


def _strengths(all_of_them: Sequence[Strength]) -> Insight | None:
    if not any(strength.solves for strength in all_of_them):
        return None
    strong, weak = strengths.strong(all_of_them), strengths.next_step(all_of_them)
    parts = []
    if strong:
        parts.append(f"Strong in {' and '.join(strength.category for strength in strong[:2])}.")
    if weak:
        parts.append(f"Next step: {weak.category}, {_so_far(weak)}.")
    return Insight("good" if strong else "waiting", " ".join(parts)) if parts else None


def _so_far(strength: Strength) -> str:
    if not strength.solves:
        return "nothing solved yet"
    return f"{strength.solves} solved, none of them at medium or above"


def _peers(groups: Sequence[Group]) -> Insight | None:
    """By the points of the window, in the larger group."""
    group = max((group for group in groups if group.is_large_enough), key=lambda group: group.people, default=None)
    if group is None:
        return None
    gained = group.measures[2]
    ahead = group.percentile(gained)
    what = gained.name[:1].lower() + gained.name[1:]
    return Insight("good" if ahead >= 50 else "waiting", f"Ahead of {ahead} % of {group.name}: {what}.")


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def _on(moment: datetime, zone: ZoneInfo) -> str:
    return in_words(moment.astimezone(zone).date())
