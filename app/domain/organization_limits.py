"""What an organization is promised and how much its people may ask for, each with its bounds.

The promises are never looser than what `sync_tiers` holds for everybody.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise

from app.domain.sync_tiers import DEFAULT

MINUTES = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Limit:
    """Named as the column is."""

    name: str
    label: str
    least: int
    most: int
    usual: int
    hint: str

    @property
    def bounds(self) -> str:
        return f"a whole number from {self.least} to {self.most:,}"


def _promise(tier: str, ceiling: timedelta, hint: str) -> Limit:
    most = ceiling // MINUTES
    return Limit(f"{tier}_look_minutes", f"Minutes between looks at who is {tier}", 5, most, most, hint)


PROMISES = (
    _promise("active", DEFAULT.active, "From a new solve or access until an hour passes without one."),
    _promise("moderate", DEFAULT.moderate, "Whoever is likely to play soon."),
    _promise("idle", DEFAULT.idle, "Everybody else. A number on a page is marked as late when it is older than this."),
)
LIMITS = (
    Limit("syncs_per_hour", "Syncs that one coach may ask for in an hour", 1, 100, 10,
          "Scores are read by themselves too."),
    Limit("sync_pause_minutes", "Minutes between two syncs of the same person or team", 1, 60, 5, ""),
    Limit("additions_at_once", "Competitors added to the Game Platform at once", 1, 200, 200,
          "The others of a larger selection are told to wait."),
    Limit("password_mails_per_hour", "Password mails that one coach may ask for in an hour", 1, 100, 20, ""),
    Limit("exports_per_hour", "Files that one person may take in an hour", 10, 1200, 600, "CSV, Excel and the like."),
)
ALL = (*PROMISES, *LIMITS)


def errors_of(wanted: Mapping[str, int | None]) -> dict[str, str]:
    """A message for each value that cannot be taken; None stands for what is no whole number."""
    errors = {limit.name: f"Enter {limit.bounds}." for limit in ALL if not _is_within(limit, wanted[limit.name])}
    for shorter, longer in pairwise(PROMISES):
        if not errors and (wanted[longer.name] or 0) < (wanted[shorter.name] or 0):
            errors[longer.name] = "Whoever is less active cannot be looked at more often than who is more active."
    return errors


def _is_within(limit: Limit, value: int | None) -> bool:
    return value is not None and limit.least <= value <= limit.most


def whole_number(text: str) -> int | None:
    digits = text.strip()
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) <= 6 else None


def promise_in_words(fresh_for: timedelta) -> str:
    """ "every 8 hours", as it stands behind a number that is late."""
    minutes = fresh_for // MINUTES
    count, unit = (minutes // 60, "hour") if minutes % 60 == 0 else (minutes, "minute")
    return f"every {unit}" if count == 1 else f"every {count} {unit}s"
