"""When to ask again, and how often at most."""

import random
import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

MAX_ATTEMPTS = 3
MAX_WAIT_SECONDS = 15 * 60.0
FIRST_BACKOFF_SECONDS = 0.5
MAX_BACKOFF_SECONDS = 8.0
DIGITS = re.compile(r"\d{1,18}(?:\.\d+)?", re.ASCII)


class RetryBudget:
    """One retry per five calls and a few to begin with: retries must not become the load that keeps a vendor down."""

    def __init__(self, *, floor: float = 5.0, share: float = 0.2, ceiling: float = 50.0) -> None:
        self._tokens = floor
        self._share = share
        self._ceiling = ceiling

    def earn(self) -> None:
        self._tokens = min(self._tokens + self._share, self._ceiling)

    def spend(self) -> bool:
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True


def backoff(attempt: int) -> float:
    """Full jitter: anything from nothing to the exponential step."""
    return random.uniform(0, min(FIRST_BACKOFF_SECONDS * 2**attempt, MAX_BACKOFF_SECONDS))  # noqa: S311


def retry_after(header: str | None, *, now: datetime) -> float | None:
    """The seconds a vendor asks for, at most 15 minutes. None where it says nothing that can be obeyed."""
    text = (header or "").strip()
    seconds = float(text) if DIGITS.fullmatch(text) else _seconds_until(text, now)
    if seconds is None or seconds < 0:
        return None
    return min(seconds, MAX_WAIT_SECONDS)


def _seconds_until(http_date: str, now: datetime) -> float | None:
    try:
        moment = parsedate_to_datetime(http_date)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() - now.timestamp()
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
