"""When a person gets mail about what they should act on, and what it says. Nobody is named in it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from app.domain.alert_rules import RULES, Rule

SAVED_VIEWS = "saved_views"
KINDS: dict[str, str] = {**{rule.value: words.title for rule, words in RULES.items()}, SAVED_VIEWS: "Watched views"}
"""What can be kept out of the mail one by one."""
MAIL_TIMES = {
    "daily": "Once a day, when there is something to act on", "soon": "Within minutes, outside of the quiet hours",
    "off": "Never; everything stands on this page",
}


@dataclass(frozen=True, slots=True)
class Preferences:
    """Hours are of the reader's own day; equal ones mean that no hour is quiet."""

    mail: str = "daily"
    daily_hour: int = 7
    quiet_from_hour: int = 20
    quiet_until_hour: int = 7
    muted: tuple[str, ...] = ()

    def is_quiet(self, hour: int) -> bool:
        first, end = self.quiet_from_hour, self.quiet_until_hour
        return first <= hour < end if first <= end else hour >= first or hour < end


def mailed_until(preferences: Preferences, now: datetime) -> datetime | None:
    """Notices up to this moment are due; None while nothing may be sent. `now` is in the reader's zone."""
    if preferences.mail == "off" or preferences.is_quiet(now.hour):
        return None
    if preferences.mail == "soon":
        return now
    slot = now.replace(hour=preferences.daily_hour, minute=0, second=0, microsecond=0)
    return slot if slot <= now else slot - timedelta(days=1)


@dataclass(frozen=True, slots=True)
class ViewChange:
    name: str
    url: str
    entered: int
    left: int


@dataclass(frozen=True, slots=True)
class Mail:
    subject: str
    text: str


def compose(
    alerts: Mapping[Rule, int], views: Sequence[ViewChange], *, base_url: str, unsubscribe_url: str
) -> Mail:
    """How many of what, what to do, and where they stand: who they are is behind the sign-in."""
    count = sum(alerts.values()) + sum(view.entered + view.left for view in views)
    paragraphs = [f"New in Sideline since the last mail: {count}."]
    for rule, words in RULES.items():
        if alerts.get(rule):
            paragraphs.append(f"{words.title}: {alerts[rule]}\n{words.step}\n{base_url}/alerts?rule={rule}")
    paragraphs += [f"{view.name}: {_changes(view)}\n{base_url}{view.url}" for view in views]
    paragraphs.append(
        "This mail names nobody; the links show who is meant, after signing in.\n"
        f"When and about what you get mail: {base_url}/notifications\nNo more of it: {unsubscribe_url}"
    )
    return Mail(f"Sideline: {count} to act on", "\n\n".join(paragraphs) + "\n")


def _changes(view: ViewChange) -> str:
    parts = ((view.entered, "entered"), (view.left, "left"))
    return ", ".join(f"{count} {word}" for count, word in parts if count)
