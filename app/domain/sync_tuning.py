"""What the last days of syncing suggest to change. Only said, never done: a person decides."""

from dataclasses import dataclass

FEWEST_BATCHES = 20
"""Before so many there is nothing to learn from."""
MANY_EMPTY = 0.8
MANY_ERRORS = 0.05
ALLOWED_OVERDUE = 0.05
LEAST_BATCH = 10
MOST_BATCH = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Of the batches of some days, and of how old the looks are now."""

    batches: int
    empty_batches: int
    calls: int
    failed_calls: int
    batch_size: int
    people: int
    overdue: int


@dataclass(frozen=True, slots=True)
class Advice:
    """`change` names the setting and a value for it; `because` the figures."""

    change: str
    because: str


def advise(figures: Figures) -> tuple[Advice, ...]:
    if figures.batches < FEWEST_BATCHES:
        return ()
    return tuple(advice for advice in (_smaller(figures) or _larger(figures), _sooner(figures)) if advice)


def _smaller(figures: Figures) -> Advice | None:
    size = max(figures.batch_size // 2, LEAST_BATCH)
    if figures.calls == 0 or figures.failed_calls / figures.calls <= MANY_ERRORS or size == figures.batch_size:
        return None
    share = figures.failed_calls / figures.calls
    return Advice(
        f"Set GAME_PLATFORM_SYNC_BATCH_SIZE to {size}",
        f"{share:.0%} of {figures.calls} calls failed; smaller batches leave less to be asked again",
    )


def _larger(figures: Figures) -> Advice | None:
    size = min(figures.batch_size * 2, MOST_BATCH)
    if figures.empty_batches / figures.batches <= MANY_EMPTY or size == figures.batch_size:
        return None
    share = figures.empty_batches / figures.batches
    return Advice(
        f"Set GAME_PLATFORM_SYNC_BATCH_SIZE to {size}",
        f"{share:.0%} of {figures.batches} batches found nothing new; larger ones cost fewer transactions",
    )


def _sooner(figures: Figures) -> Advice | None:
    if figures.people == 0 or figures.overdue / figures.people <= ALLOWED_OVERDUE:
        return None
    return Advice(
        "Raise GAME_PLATFORM_CONCURRENCY or GAME_PLATFORM_MAX_REQUESTS_PER_MINUTE, or start another worker",
        f"{figures.overdue} of {figures.people} competitors are past the time at which they should have been looked at",
    )
