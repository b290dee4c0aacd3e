"""Flash CTFs: the vendor names no event, so the event is its name and its start."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

SETTLES_AFTER = timedelta(days=1)


def event_id(name: str, started_at_unix: int) -> str:
    """The same for every competitor and at every look, short enough for a URL."""
    return hashlib.sha256(f"{name.strip()}\n{started_at_unix}".encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Event:
    started_at: datetime
    last_solved_at: datetime | None

    @property
    def settles_at(self) -> datetime:
        """The platform names no end: an event is over when nobody has solved anything in it for a day."""
        return max(self.started_at, self.last_solved_at or self.started_at) + SETTLES_AFTER


def is_open(events: Iterable[Event], now: datetime) -> bool:
    return any(event.settles_at > now for event in events if event.started_at <= now)


def ask_who_was_asked_before(events: Iterable[Event], now: datetime) -> datetime | None:
    """Whoever was last asked before this moment may lack something: nobody does, when there is none.

    An answer is a person's whole history. So each person is asked once after an event has started, whoever saw it
    first, and once more when it has settled; in between only who is seen playing. What is left to do follows from the
    times alone, so that a crash in the middle of a fan-out loses nobody.
    """
    moments = (
        event.settles_at if event.settles_at <= now else event.started_at
        for event in events if event.started_at <= now
    )
    return max(moments, default=None)
