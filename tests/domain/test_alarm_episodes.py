"""Episodes of alarms: opened once, ended once, and one that comes and goes is told of a bounded number of times."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

from app.domain.alarm_episodes import CALM_FOR, Known, plan
from app.domain.alarm_rules import Cause, Finding

NOW = datetime(2026, 11, 3, 12, tzinfo=UTC)
FOUND = Finding(Cause.WORKER, "", NOW, "why")
ID = uuid4()


def known(
    *, resolved_at: datetime | None = None, openings: int = 1, is_flapping: bool = False,
    gone_at: datetime | None = None, reason: str = "why", cause: Cause = Cause.WORKER,
) -> Known:
    return Known(ID, cause, "", reason, resolved_at, openings, is_flapping, gone_at)


def test_a_new_cause_opens_and_a_second_look_changes_nothing() -> None:
    assert plan([], [FOUND], NOW).opened == [FOUND]
    assert plan([known()], [FOUND], NOW).is_empty


def test_an_alarm_ends_when_its_cause_is_gone() -> None:
    assert plan([known()], [], NOW).resolved == [ID]
    assert plan([known(resolved_at=NOW)], [], NOW).is_empty


def test_a_cause_that_is_back_within_the_hour_is_the_same_alarm_again() -> None:
    changes = plan([known(resolved_at=NOW)], [FOUND], NOW)
    assert changes.reopened == [(ID, FOUND)] and not changes.opened and not changes.flapping


def test_the_third_time_it_flaps_and_then_ends_only_after_some_calm() -> None:
    changes = plan([known(resolved_at=NOW, openings=2)], [FOUND], NOW)
    assert changes.flapping == [(ID, FOUND)] and not changes.reopened
    assert plan([known(openings=3, is_flapping=True)], [], NOW).gone == [ID]
    assert plan([known(openings=3, is_flapping=True, gone_at=NOW)], [FOUND], NOW).back == [ID]
    soon, later = NOW + CALM_FOR - timedelta(seconds=1), NOW + CALM_FOR
    assert plan([known(openings=3, is_flapping=True, gone_at=NOW)], [], soon).is_empty
    assert plan([known(openings=3, is_flapping=True, gone_at=NOW)], [], later).resolved == [ID]


def test_another_reason_is_taken_over() -> None:
    assert plan([known(reason="before")], [FOUND], NOW).reworded == [(ID, "why")]


def test_what_cannot_be_judged_now_stays_as_it_is() -> None:
    waiting = Finding(Cause.QUEUE, "", NOW, "why")
    assert plan([], [waiting], NOW, hidden={Cause.QUEUE}).is_empty
    assert plan([known(cause=Cause.QUEUE)], [], NOW, hidden={Cause.QUEUE}).is_empty
