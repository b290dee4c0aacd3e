"""What must hold of every batch of a sync. A broken one is stored with the batch and shown: our own mistakes, or the
vendor's, before they cost anybody a score."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

FEWEST_TO_SUSPECT = 10
"""Of so few people, all may really have something new."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CursorFacts:
    """One person's cursor around a look. `newest` is the vendor's newest timestamp about them, where it gave one."""

    before: datetime | None
    after: datetime | None
    newest: datetime | None
    has_failed: bool


def everybody_changed(*, looked_at: int, changed: int) -> str | None:
    """Of a whole incremental run, first looks and full reads left out."""
    if looked_at < FEWEST_TO_SUSPECT or changed < looked_at:
        return None
    return f"everybody_changed: all {looked_at} people of an incremental run had something new"


def broken_cursors(facts: Iterable[CursorFacts]) -> list[str]:
    facts = list(facts)
    moved = sum(each.has_failed and each.after != each.before for each in facts)
    beyond = sum(
        each.after is not None and each.newest is not None and each.after > each.newest for each in facts
    )
    return [
        *([f"cursor_moved_on_failure: {moved} cursors moved although the look failed"] if moved else []),
        *([f"cursor_beyond_vendor: {beyond} cursors are later than anything the vendor knows"] if beyond else []),
    ]
