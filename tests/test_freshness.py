"""The promise of the schedule, kept on a fake clock by the very rules that the product uses."""

import pytest

from bench import freshness
from bench.freshness import BUDGET, TRACES, Trace, simulate


@pytest.mark.parametrize("seed", [11, 12, 13])
@pytest.mark.parametrize("trace", TRACES)
def test_300_competitors_stay_fresh_within_the_budget_of_calls(trace: str, seed: int) -> None:
    """On other traces than the one that the bench prints: the weights of the score were chosen by looking at that."""
    outcome = simulate(TRACES[trace](300, seed=seed), freshness.tiers)
    assert outcome.ratio <= BUDGET
    assert outcome.active_p95 <= 30
    assert outcome.oldest <= 8 * 60


def test_the_measure_itself_is_right_where_the_answer_is_known() -> None:
    """Nobody plays: three looks a day each. Everybody every half hour: 48, and nothing is older than that."""
    nobody: Trace = [[]] * 20
    assert simulate(nobody, freshness.tiers).calls_per_day == pytest.approx(20 * 3 + 48, abs=3)
    always = simulate(nobody, freshness.everybody)
    assert (always.calls_per_day, always.oldest) == (20 * 48 + 48, 30)
