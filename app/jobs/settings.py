"""SAQ's settings, each explicit: its defaults are made for other work."""

from typing import Any

from saq import Queue

CONCURRENCY = 7
"""One for each kind that may take minutes (sync, sweep, onboarding, reconcile) and some for what should not wait."""
GRACE_SECONDS = 8
"""How long a stopping worker lets its runs go on before it gives them back."""

DATABASE_CONNECTIONS = 2 * CONCURRENCY
QUEUE_CONNECTIONS = CONCURRENCY + 3


def saq_settings(queue: Queue, worker_id: str) -> dict[str, Any]:
    return {
        "queue": queue,
        "id": worker_id,
        "concurrency": CONCURRENCY,
        "dequeue_timeout": 2,
        "timers": {"schedule": 1, "sweep": 5, "worker_info": 5, "abort": 1},
        "shutdown_grace_period_s": GRACE_SECONDS,
        "cancellation_hard_deadline_s": 1,
    }
