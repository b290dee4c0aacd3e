"""What a competitor's row and card say about the way onto the Game Platform, and what can be pressed there."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from app.domain.competitor_status import COMPLIANCE, WAITING, Progress, missing_for_onboarding

ADD = "Add to Game Platform"
ADDING = "Adding…"
TRY_AGAIN = "Try again"
DONE = "On the Game Platform"
OWN_APPROVAL = "Waiting for the platform's approval"
COACHS_APPROVAL = "Held back: the coach waits for the platform's approval"


class ButtonState(StrEnum):
    READY = "ready"
    BLOCKED = "blocked"
    ADDING = "adding"
    REFUSED = "refused"
    WAITING = "waiting"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class Button:
    """`label` stands on the button (none where there is nothing to press), `reason` beside it, then "since" `since`."""

    state: ButtonState
    label: str = ""
    reason: str = ""
    since: datetime | None = None

    @property
    def can_be_pressed(self) -> bool:
        return self.state in (ButtonState.READY, ButtonState.REFUSED)

    @property
    def words(self) -> str:
        """All of it in one line; the moment itself is the page's to write in the reader's zone."""
        if self.state is ButtonState.READY:
            return self.label
        label = self.label if self.state in (ButtonState.ADDING, ButtonState.REFUSED) else ""
        return " ".join(part for part in (self.reason, label) if part)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trail:
    """What is known beside the progress: `error` as it was stored, `is_asked` while a wish is being worked on."""

    onboarding_status: str = COMPLIANCE
    is_automatic: bool = True
    error: str | None = None
    is_asked: bool = False
    account_since: datetime | None = None
    coach_account: str | None = None
    coach_since: datetime | None = None


def onboarding_button(progress: Progress, trail: Trail) -> Button:
    if progress.has_account:
        return _with_account(progress, trail)
    if needed := missing_for_onboarding(progress, trail.onboarding_status):
        return Button(ButtonState.BLOCKED, ADD, f"Needs: {needed}")
    if trail.coach_account in WAITING and (trail.is_asked or (trail.error and trail.is_automatic)):
        return Button(ButtonState.WAITING, reason=COACHS_APPROVAL, since=trail.coach_since)
    if trail.is_asked:
        return Button(ButtonState.ADDING, ADDING, trail.error or "")
    if trail.error:
        return Button(ButtonState.REFUSED, TRY_AGAIN, trail.error)
    return Button(ButtonState.READY, ADD)


def _with_account(progress: Progress, trail: Trail) -> Button:
    if progress.metactf_user_status in WAITING:
        return Button(ButtonState.WAITING, reason=OWN_APPROVAL, since=trail.account_since)
    return Button(ButtonState.DONE, reason=DONE)
