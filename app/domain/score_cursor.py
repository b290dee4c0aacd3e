"""How far one competitor has been read at the vendor, by the vendor's own clock.

The cursor is the newest vendor timestamp that is stored. We ask again from a little before it, so that solves of
the same second or ones that arrive late at the vendor are seen; what is stored already adds nothing. What even that
would miss shows as a count that disagrees with the vendor's total, and one full read settles it.
"""

from collections.abc import Iterable
from datetime import UTC, datetime

OVERLAP_SECONDS = 300


def ask_after(cursor: datetime | None) -> int | None:
    """The `after_time_unix` of the next question; None asks for everything."""
    return None if cursor is None else max(0, int(cursor.timestamp()) - OVERLAP_SECONDS)


def advanced(cursor: datetime | None, stored: Iterable[datetime]) -> datetime | None:
    """Never backwards, and never past what is stored."""
    return max((*stored, *([cursor] if cursor else [])), default=None)


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
