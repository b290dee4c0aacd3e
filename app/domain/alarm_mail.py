"""What a mail about alarms says. It names nobody and holds no secret."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from app.domain.alarm_rules import CAUSES, Cause
from app.domain.digests import Mail

BEGINNINGS = {"opened": "Open", "flapping": "Comes and goes", "resolved": "Resolved"}


@dataclass(frozen=True, slots=True)
class Message:
    told: str
    cause: Cause
    reason: str
    since: datetime
    resolved_at: datetime | None


def compose(messages: Sequence[Message], *, base_url: str) -> Mail:
    paragraphs = [_paragraph(message, base_url) for message in messages]
    paragraphs.append(
        f"Everything that is open: {base_url}/admin/alarms\nWho gets this mail is chosen there too."
    )
    return Mail(_subject(messages), "\n\n".join(paragraphs) + "\n")


def _subject(messages: Sequence[Message]) -> str:
    if len(messages) > 1:
        return f"Sideline: {len(messages)} changes of alarms"
    words = CAUSES[messages[0].cause]
    return f"Sideline: {'resolved: ' if messages[0].told == 'resolved' else ''}{words.title}"


def _paragraph(message: Message, base_url: str) -> str:
    words = CAUSES[message.cause]
    since = f"since {message.since:%Y-%m-%d %H:%M} UTC"
    if message.told == "resolved":
        ended = f", until {message.resolved_at:%Y-%m-%d %H:%M} UTC" if message.resolved_at else ""
        return f"Resolved: {words.title}, {since}{ended}."
    step = f"{words.step}\n{base_url}{words.path}"
    return f"{BEGINNINGS[message.told]}: {words.title}, {since}.\n{message.reason}\n{step}"
