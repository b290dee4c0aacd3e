"""Words of the schedules' pages: what a kind of work does, how long a run took, what came of it."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

MISSED_SECONDS = 120
"""A slot that nobody started for this long is missed."""
MOST_COUNTS = 4

DOES = {
    "game_platform_sync": "Reads new solves of the competitors who are due.",
    "game_platform_totals_sweep": "Reads everybody's totals and compares them with the stored solves.",
    "game_platform_onboarding": "Adds competitors whose papers are in to the Game Platform.",
    "game_platform_roster_reconcile": "Compares our teams and members with the Game Platform's.",
    "outbox_drain": "Sends changes that wait for the Game Platform.",
    "alerts_evaluate": "Looks who is silent, stuck or without access.",
    "notifications": "Sends notification mail that is due.",
    "job_cleanup": "Deletes succeeded and cancelled runs older than 14 days; their counts stay.",
}
MARKS = {
    "succeeded": ("good", "succeeded"), "failed": ("broken", "failed"), "running": ("waiting", "running"),
    "queued": ("waiting", "waiting"), "cancelled": ("unknown", "cancelled"),
}


def does(kind: str) -> str:
    return DOES.get(kind, "")


def mark_of(state: str) -> tuple[str, str]:
    """The look and the word of a run's state."""
    return MARKS.get(state, ("unknown", state))


def duration_words(duration: timedelta | None) -> str:
    if duration is None:
        return "–"
    seconds = max(0.0, duration.total_seconds())
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 120:
        return f"{seconds:.0f} s"
    minutes = int(seconds // 60)
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h {minutes % 60} min"


def result_words(result: Mapping[str, Any]) -> str:
    """The counts that are not nothing, the first few of them."""
    counts = [
        f"{name.replace('_', ' ')} {value}" for name, value in result.items() if isinstance(value, int) and value
    ]
    return ", ".join(counts[:MOST_COUNTS]) or ("nothing to do" if result else "")
