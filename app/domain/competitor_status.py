"""How far a competitor has come: one rule, from the row, and the one thing that is missing for the next step."""

from dataclasses import dataclass

PENDING = "pending"
PROFILE = "profile"
COMPLIANCE = "compliance"
COMPLETE = "complete"

WAITING = frozenset({"user_created", "pending_approval"})
ACCOUNTS = WAITING | {"approved"}
MINORS = frozenset({"middle_school", "high_school"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """What a competitor's status is made of, named as the columns are."""

    first_name: str
    last_name: str
    email: str | None
    division: str | None
    coach_id: object | None
    release_signed: bool = False
    agreement_signed: bool = False
    data_consent: bool = False
    game_platform_id: str | None = None
    metactf_user_status: str | None = None

    @property
    def has_account(self) -> bool:
        """The platform said so itself: an id from a roster file is a promise until it is looked up."""
        return self.game_platform_id is not None and self.metactf_user_status in ACCOUNTS

    @property
    def has_papers(self) -> bool:
        return self.release_signed and self.agreement_signed

    @property
    def is_without_papers(self) -> bool:
        """Playing without papers: on the platform already, until release and agreement arrive."""
        return self.has_account and not self.has_papers

    @property
    def may_be_disclosed(self) -> bool:
        """No middle- or high-school competitor goes to a vendor before consent is recorded; nor does an unknown."""
        return self.data_consent or self.division not in (*MINORS, None)


def competitor_status(progress: Progress) -> str:
    if _missing_of_profile(progress):
        return PENDING
    if not progress.has_papers:
        return PROFILE
    return COMPLETE if progress.has_account else COMPLIANCE


def missing(progress: Progress) -> str | None:
    """The one next thing that keeps this competitor from being complete; None for nothing."""
    if needed := _missing_of_profile(progress) or _missing_of_papers(progress):
        return needed
    if progress.has_account:
        return None
    return "account on the Game Platform" if progress.may_be_disclosed else "data consent"


def missing_for_onboarding(progress: Progress, onboarding_status: str = COMPLIANCE) -> str | None:
    """The one next thing without which nobody is added. No setting does without the consent."""
    needed = _missing_of_profile(progress)
    if not needed and onboarding_status != PROFILE:
        needed = _missing_of_papers(progress)
    return needed or (None if progress.may_be_disclosed else "data consent")


def _missing_of_profile(progress: Progress) -> str | None:
    parts = {
        "first name": progress.first_name,
        "last name": progress.last_name,
        "e-mail": progress.email,
        "division": progress.division,
        "coach": progress.coach_id,
    }
    return next((name for name, value in parts.items() if not value), None)


def _missing_of_papers(progress: Progress) -> str | None:
    if not progress.release_signed:
        return "signed release"
    return None if progress.agreement_signed else "signed agreement"
