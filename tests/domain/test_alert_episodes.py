"""Episodes: opened once, doubted on old data, the same again within a day, and flapping told once."""

from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest

from app.domain.alert_episodes import Known, Plan, plan
from app.domain.alert_rules import Finding, Rule

AT = datetime(2026, 3, 20, 12, tzinfo=UTC)
WHO = UUID(int=1)
CAUSE = Finding(Rule.INACTIVE, str(WHO), AT, competitor_id=WHO)
OPEN = Known(uuid4(), Rule.INACTIVE, str(WHO), WHO, "open", "", 1, False)


def test_a_new_cause_opens_and_a_known_one_changes_nothing() -> None:
    assert plan([], [CAUSE]) == Plan(opened=[CAUSE])
    assert plan([OPEN], [CAUSE]).is_empty


def test_a_cause_that_is_gone_resolves_by_itself_and_only_once() -> None:
    assert plan([OPEN], []) == Plan(resolved=[OPEN.alert_id])
    assert plan([replace(OPEN, state="resolved")], []).is_empty


def test_old_data_makes_unknown_and_new_data_decides() -> None:
    unknown = replace(OPEN, state="unknown")
    assert plan([OPEN], [], {WHO: AT}) == Plan(unknown=[(OPEN.alert_id, AT)])
    assert plan([unknown], [], {WHO: AT}).is_empty
    assert plan([unknown], [CAUSE]) == Plan(known_again=[OPEN.alert_id])
    assert plan([unknown], []) == Plan(resolved=[OPEN.alert_id])


def test_old_data_says_nothing_about_what_we_know_ourselves() -> None:
    refused = replace(OPEN, rule=Rule.ONBOARDING_FAILED)
    assert plan([refused], [], {WHO: AT}) == Plan(resolved=[OPEN.alert_id])


@pytest.mark.parametrize(("openings", "is_flapping", "flaps"), [(1, False, False), (2, False, True), (3, True, False)])
def test_a_cause_that_comes_back_is_the_same_episode_and_flaps_once(
    openings: int, is_flapping: bool, flaps: bool
) -> None:
    earlier = replace(OPEN, state="resolved", openings=openings, is_flapping=is_flapping)
    ids = [OPEN.alert_id]
    assert plan([earlier], [CAUSE]) == Plan(reopened=ids, flapping=ids if flaps else [])


def test_new_words_of_the_vendor_are_no_new_episode() -> None:
    finding = Finding(Rule.SYNC_ERROR, str(WHO), AT, "another reason", WHO)
    known = replace(OPEN, rule=Rule.SYNC_ERROR, reason="a reason")
    assert plan([known], [finding]) == Plan(reworded=[(OPEN.alert_id, "another reason")])
