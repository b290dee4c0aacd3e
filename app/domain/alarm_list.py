"""The address of the list of alarms: which state, which cause, which page."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace

from app.domain.addresses import Reading, address
from app.domain.alarm_rules import Cause

PATH = "/admin/alarms"
LONGEST_PAGE = 6
STATES = {"open": "Open", "resolved": "Resolved"}


@dataclass(frozen=True, slots=True)
class View:
    """Empty for the default: what is open, of any cause."""

    state: str = ""
    cause: str = ""
    page: int = 1

    @property
    def shown_state(self) -> str:
        return self.state or "open"

    def url(self, *, done: str = "", **changes: str | int) -> str:
        """From the first page on where no page is named."""
        values = asdict(replace(self, **{"page": 1, **changes}))  # type: ignore[arg-type]
        return address(PATH, {**values, "page": values["page"] if values["page"] > 1 else "", "done": done})


def parse(pairs: Iterable[tuple[str, str]]) -> tuple[View, tuple[str, ...]]:
    """The view, and a notice for each value that could not be understood."""
    reading = Reading(pairs)
    view = View(
        state=reading.choice("state", STATES), cause=reading.choice("cause", [cause.value for cause in Cause]),
        page=_page(reading),
    )
    return view, tuple(reading.notices)


def _page(reading: Reading) -> int:
    text = reading.text("page")
    if not text:
        return 1
    if text.isascii() and text.isdigit() and len(text) < LONGEST_PAGE and int(text):
        return int(text)
    reading.refuse("page", "should be a number from 1 on; the first page is shown")
    return 1
