from dataclasses import replace

import pytest

from app.domain.competitor_status import Progress, competitor_status, missing

COMPLETE = Progress(
    first_name="Ada", last_name="Alder", email="ada@example.org", division="high_school", coach_id="coach",
    release_signed=True, agreement_signed=True, data_consent=True, game_platform_id="ada-1",
    metactf_user_status="approved",
)


@pytest.mark.parametrize(
    ("changes", "status", "next_thing"),
    [
        ({}, "complete", None),
        ({"first_name": ""}, "pending", "first name"),
        ({"last_name": ""}, "pending", "last name"),
        ({"email": None}, "pending", "e-mail"),
        ({"division": None}, "pending", "division"),
        ({"coach_id": None}, "pending", "coach"),
        ({"release_signed": False}, "profile", "signed release"),
        ({"agreement_signed": False}, "profile", "signed agreement"),
        ({"game_platform_id": None}, "compliance", "account on the Game Platform"),
        ({"game_platform_id": None, "data_consent": False}, "compliance", "data consent"),
    ],
)
def test_each_missing_thing_holds_the_status_back(
    changes: dict[str, object], status: str, next_thing: str | None
) -> None:
    progress = replace(COMPLETE, **changes)  # type: ignore[arg-type]
    assert competitor_status(progress) == status
    assert missing(progress) == next_thing


def test_an_account_without_papers_leaves_the_status_at_profile() -> None:
    progress = replace(COMPLETE, release_signed=False)
    assert progress.has_account
    assert competitor_status(progress) == "profile"


@pytest.mark.parametrize(
    ("vendor_status", "status"),
    [
        (None, "compliance"), ("denied", "compliance"), ("user_created", "complete"),
        ("pending_approval", "complete"), ("approved", "complete"),
    ],
)
def test_an_account_counts_once_the_platform_has_confirmed_it(vendor_status: str | None, status: str) -> None:
    assert competitor_status(replace(COMPLETE, metactf_user_status=vendor_status)) == status


@pytest.mark.parametrize(
    ("division", "consent", "allowed"),
    [
        ("middle_school", False, False), ("high_school", False, False), ("college", False, True),
        ("middle_school", True, True), (None, False, False),
    ],
)
def test_minors_need_consent_before_anything_is_sent(division: str | None, consent: bool, allowed: bool) -> None:
    assert replace(COMPLETE, division=division, data_consent=consent).may_be_disclosed is allowed
