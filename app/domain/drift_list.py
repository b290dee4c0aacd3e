"""The address of the list of differences: which state, about whom, in which field, which page."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace

from app.domain.addresses import Reading, address
from app.domain.drift import Field, Subject

PATH = "/admin/drift"
LONGEST_PAGE = 6
STATES = {"open": "Open", "ignored": "Ignored", "resolved": "Resolved"}
SUBJECTS = {
    Subject.COMPETITOR: "Competitors", Subject.TEAM: "Teams", Subject.STRANGER: "People only there",
    Subject.LISTING: "The platform's whole list",
}
FIELDS = {
    Field.TEAM: "Team", Field.ACCOUNT: "Account", Field.STATUS: "Account status", Field.USERNAME: "Username",
    Field.CHALLENGES: "Challenges solved", Field.POINTS: "Points", Field.NAME: "Team name",
    Field.DIVISION: "Division", Field.AFFILIATION: "Affiliation", Field.EXISTENCE: "Deleted team",
    Field.MEMBERS: "Number of members",
}


@dataclass(frozen=True, slots=True)
class View:
    """Empty for the default: what is open, about anybody, in any field."""

    state: str = ""
    subject: str = ""
    field: str = ""
    page: int = 1

    @property
    def shown_state(self) -> str:
        return self.state or "open"

    @property
    def is_filtered(self) -> bool:
        return bool(self.subject or self.field)

    def url(self, path: str = PATH, *, done: str = "", **changes: str | int) -> str:
        """From the first page on where no page is named."""
        values = asdict(replace(self, **{"page": 1, **changes}))  # type: ignore[arg-type]
        return address(path, {**values, "page": values["page"] if values["page"] > 1 else "", "done": done})


def parse(pairs: Iterable[tuple[str, str]]) -> tuple[View, tuple[str, ...]]:
    """The view, and a notice for each value that could not be understood."""
    reading = Reading(pairs)
    view = View(
        state=reading.choice("state", STATES), subject=reading.choice("subject", SUBJECTS),
        field=reading.choice("field", FIELDS), page=_page(reading),
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
