"""Which function does which kind of work. A task takes its claim and payload, calls one service and answers counts."""

from collections.abc import Awaitable, Callable
from typing import Any

from app.jobs.alerts import alerts_evaluate, notifications
from app.jobs.cleanup import job_cleanup
from app.jobs.game_platform import (
    game_platform_onboarding,
    game_platform_password_help,
    game_platform_roster_reconcile,
    game_platform_sync,
    game_platform_totals_sweep,
)
from app.jobs.outbox import outbox_drain
from app.services.job_runs import Claim

Task = Callable[[Claim, Any], Awaitable[dict[str, int]]]

TASKS: dict[str, Task] = {
    "game_platform_sync": game_platform_sync,
    "game_platform_totals_sweep": game_platform_totals_sweep,
    "game_platform_onboarding": game_platform_onboarding,
    "game_platform_password_help": game_platform_password_help,
    "outbox_drain": outbox_drain,
    "game_platform_roster_reconcile": game_platform_roster_reconcile,
    "alerts_evaluate": alerts_evaluate,
    "notifications": notifications,
    "job_cleanup": job_cleanup,
}
