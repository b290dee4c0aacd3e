from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.competitor_status import MINORS, Progress, missing_for_onboarding
from app.domain.onboarding_button import ButtonState, Trail, onboarding_button

SINCE = datetime(2026, 11, 20, tzinfo=UTC)
READY = Progress(
    first_name="Ada", last_name="Alder", email="ada@example.org", division="high_school", coach_id="coach",
    release_signed=True, agreement_signed=True, data_consent=True,
)
DENIED = "The Game Platform denied this account."


def account(status: str) -> dict[str, object]:
    return {"game_platform_id": "ada-1", "metactf_user_status": status}


@pytest.mark.parametrize(("changes", "trail", "state", "words"), [
    ({}, Trail(), "ready", "Add to Game Platform"),
    ({"agreement_signed": False}, Trail(), "blocked", "Needs: signed agreement"),
    ({"agreement_signed": False}, Trail(onboarding_status="profile"), "ready", "Add to Game Platform"),
    ({"data_consent": False}, Trail(onboarding_status="profile"), "blocked", "Needs: data consent"),
    ({"email": None}, Trail(onboarding_status="profile"), "blocked", "Needs: e-mail"),
    ({}, Trail(is_asked=True), "adding", "Adding…"),
    ({}, Trail(is_asked=True, error="It is away."), "adding", "It is away. Adding…"),
    ({}, Trail(error="Refused: it is taken."), "refused", "Refused: it is taken. Try again"),
    (account("denied"), Trail(error=DENIED), "refused", f"{DENIED} Try again"),
    (account("pending_approval"), Trail(account_since=SINCE), "waiting", "Waiting for the platform's approval"),
    (account("user_created"), Trail(account_since=SINCE), "waiting", "Waiting for the platform's approval"),
    (account("approved"), Trail(error="An old one."), "done", "On the Game Platform"),
    ({**account("approved"), "release_signed": False}, Trail(), "done", "On the Game Platform"),
    (
        {}, Trail(is_asked=True, coach_account="pending_approval", coach_since=SINCE), "waiting",
        "Held back: the coach waits for the platform's approval",
    ),
    ({}, Trail(coach_account="pending_approval"), "ready", "Add to Game Platform"),
])
def test_the_button_says_what_can_be_done_or_what_is_missing(
    changes: dict[str, object], trail: Trail, state: str, words: str
) -> None:
    button = onboarding_button(replace(READY, **changes), trail)  # type: ignore[arg-type]
    assert (button.state, button.words) == (state, words)
    assert button.can_be_pressed == (state in ("ready", "refused"))
    assert button.since == (SINCE if trail.account_since or trail.coach_since else None)


def test_whom_nobody_retries_can_be_tried_again() -> None:
    trail = Trail(error="The coach is not approved.", coach_account="pending_approval")
    assert onboarding_button(READY, trail).state is ButtonState.WAITING
    assert onboarding_button(READY, replace(trail, is_automatic=False)).state is ButtonState.REFUSED


progresses = st.builds(
    Progress, first_name=st.sampled_from(["Ada", ""]), last_name=st.sampled_from(["Alder", ""]),
    email=st.sampled_from(["ada@example.org", "", None]),
    division=st.sampled_from(["middle_school", "high_school", "college", None]),
    coach_id=st.sampled_from(["coach", None]),
    release_signed=st.booleans(), agreement_signed=st.booleans(), data_consent=st.booleans(),
    game_platform_id=st.sampled_from(["ada-1", None]),
    metactf_user_status=st.sampled_from(["approved", "denied", "pending_approval", "user_created", None]),
)


@given(progresses, st.sampled_from(["compliance", "profile"]))
def test_no_setting_adds_a_minor_without_consent(progress: Progress, setting: str) -> None:
    button = onboarding_button(progress, Trail(onboarding_status=setting))
    if missing_for_onboarding(progress, setting) is None or button.state is ButtonState.READY:
        assert progress.data_consent or progress.division not in (*MINORS, None)


@given(progresses)
def test_playing_without_papers_ends_with_the_papers(progress: Progress) -> None:
    assert not replace(progress, release_signed=True, agreement_signed=True).is_without_papers
    assert replace(progress, release_signed=False).is_without_papers == progress.has_account


@given(progresses)
def test_who_may_be_added_with_papers_may_be_added_without(progress: Progress) -> None:
    if missing_for_onboarding(progress, "compliance") is None:
        assert missing_for_onboarding(progress, "profile") is None
