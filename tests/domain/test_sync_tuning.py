from dataclasses import replace

from app.domain.sync_tuning import Figures, advise

CALM = Figures(batches=100, empty_batches=50, calls=1000, failed_calls=10, batch_size=50, people=300, overdue=0)


def changes(figures: Figures) -> list[str]:
    return [advice.change for advice in advise(figures)]


def test_a_sync_that_does_well_needs_no_advice() -> None:
    assert changes(CALM) == []


def test_too_little_is_nothing_to_learn_from() -> None:
    assert changes(replace(CALM, batches=19, empty_batches=19)) == []


def test_mostly_empty_batches_may_be_larger() -> None:
    assert changes(replace(CALM, empty_batches=81)) == ["Set GAME_PLATFORM_SYNC_BATCH_SIZE to 100"]
    assert changes(replace(CALM, empty_batches=81, batch_size=1000)) == []


def test_many_errors_ask_for_smaller_batches_even_where_most_are_empty() -> None:
    assert changes(replace(CALM, failed_calls=60, empty_batches=90)) == ["Set GAME_PLATFORM_SYNC_BATCH_SIZE to 25"]
    assert changes(replace(CALM, failed_calls=60, batch_size=10)) == []


def test_people_past_their_time_ask_for_more_calls_at_once() -> None:
    [advice] = advise(replace(CALM, overdue=16))
    assert advice.change.startswith("Raise GAME_PLATFORM_CONCURRENCY")
    assert "16 of 300" in advice.because
