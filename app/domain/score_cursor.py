"""How far one competitor has been read at the vendor, by the vendor's own clock.

The cursor is the newest vendor timestamp that is stored. We ask again from a little before it, so that solves of
the same second or ones that arrive late at the vendor are seen; what is stored already adds nothing. What even that
would miss shows as a count that disagrees with the vendor's total, and one full read settles it.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

LOOK_BACK_SECONDS = 3600
TRUSTED_AHEAD = timedelta(minutes=10)
"""The vendor's clock and ours may differ by so much. A solve from further ahead is stored, but moves no cursor."""


def ask_after(cursor: datetime | None, now: datetime) -> int | None:
    """The `after_time_unix` of the next question; None asks for everything, as after a cursor that cannot be true."""
    if cursor is None or cursor > now + TRUSTED_AHEAD:
        return None
    return max(0, int(cursor.timestamp()) - LOOK_BACK_SECONDS)


def advanced(cursor: datetime | None, stored: Iterable[datetime], now: datetime) -> datetime | None:
    """Never backwards, never past what is stored, and never into the future."""
    trusted = [moment for moment in stored if moment <= now + TRUSTED_AHEAD]
    return max((*trusted, *([cursor] if cursor else [])), default=None)


def recount(*, stored: int, total: int, recounted_total: int | None, was_full: bool) -> tuple[bool, int | None]:
    """Whether to read everything once more, and the vendor's total that a full read could not explain.

    Each new disagreement earns one full read; one that stays is remembered and not read again.
    """
    if stored == total:
        return False, None
    if was_full:
        return False, total
    return total != recounted_total, recounted_total


def from_unix(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
