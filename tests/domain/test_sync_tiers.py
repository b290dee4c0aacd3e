from datetime import timedelta

import pytest

from app.domain import sync_tiers
from app.domain.sync_tiers import ACTIVE_LASTS, Ceilings, Tier, is_meaningful, retry_wait, tier, wait

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
NONE = timedelta()


def score(*, days: float | None, solves: int = 0, flash: bool = False) -> int:
    ago = None if days is None else timedelta(days=days)
    return sync_tiers.activity_score(accessed_ago=ago, solves_in_30_days=solves, plays_flash_ctfs=flash)


@pytest.mark.parametrize(
    ("days", "solves", "flash", "points"),
    [
        (None, 0, False, 0), (40, 0, False, 0), (29, 0, False, 10), (6, 0, False, 20), (2.9, 0, False, 30),
        (0.9, 0, False, 40), (0.4, 0, False, 50), (0.4, 12, False, 54), (0.4, 300, True, 100), (40, 0, True, 20),
    ],
)
def test_the_score_adds_access_solves_and_flash_ctfs(days: float | None, solves: int, flash: bool, points: int) -> None:
    assert score(days=days, solves=solves, flash=flash) == points


def test_who_was_there_lately_is_moderate_and_who_solves_much_stays_so_for_days() -> None:
    assert tier(score(days=0.4), active_for=NONE) is Tier.MODERATE
    assert tier(score(days=0.6), active_for=NONE) is Tier.IDLE
    assert tier(score(days=2, solves=60), active_for=NONE) is Tier.MODERATE
    assert tier(score(days=2, solves=30), active_for=NONE) is Tier.IDLE
    assert tier(score(days=2, flash=True), active_for=NONE) is Tier.MODERATE
    assert tier(0, active_for=MINUTE) is Tier.ACTIVE


def test_each_tier_has_its_ceiling() -> None:
    assert wait(0, active_for=ACTIVE_LASTS) == 30 * MINUTE
    assert wait(50, active_for=NONE) == 2 * HOUR
    assert wait(49, active_for=NONE) == 8 * HOUR


def test_who_is_not_active_any_more_at_the_next_look_is_not_asked_sooner() -> None:
    assert wait(50, active_for=30 * MINUTE + timedelta(seconds=20)) == 2 * HOUR
    assert wait(50, active_for=32 * MINUTE) == 30 * MINUTE


def test_shorter_ceilings_may_be_chosen() -> None:
    demo = Ceilings.of_minutes((1, 1, 3))
    assert [wait(points, active_for=left, ceilings=demo) for points, left in ((0, HOUR), (60, NONE), (0, NONE))] == [
        MINUTE, MINUTE, 3 * MINUTE,
    ]


def test_a_failing_person_is_asked_again_ever_later_but_every_eight_hours_at_least() -> None:
    waits = [retry_wait(failures) for failures in (1, 2, 3, 7, 8, 1000)]
    assert waits == [5 * MINUTE, 10 * MINUTE, 20 * MINUTE, 320 * MINUTE, 8 * HOUR, 8 * HOUR]


def test_only_a_score_that_says_something_new_is_worth_a_write() -> None:
    assert not is_meaningful(60, 69)
    assert is_meaningful(60, 70)
    assert is_meaningful(49, 50) and is_meaningful(50, 49)
