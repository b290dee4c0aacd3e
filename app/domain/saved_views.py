"""Which addresses can be kept under a name, and which of them tell of rows that come and go."""

from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode, urlsplit

LISTS = {
    "/": "Overview", "/alerts": "Alerts", "/competitors": "Competitors", "/leaderboard": "Leaderboard",
    "/reports/practice-hours": "Practice hours", "/teams": "Teams", "/timeline": "Timeline", "/compare": "Comparison",
}
WATCHED = "/competitors"
"""Its rows are people; of the others only the address is kept."""
OF_THE_MOMENT = frozenset({"cursor", "seen", "done", "run", "format", "left_out", "changed"})
LONGEST_ADDRESS = 1000
LONGEST_NAME = 80


class BadView(Exception):
    """The text says what cannot be kept, and what can."""

    def __init__(self, field: str, text: str) -> None:
        super().__init__(text)
        self.field = field


@dataclass(frozen=True, slots=True)
class Address:
    path: str
    query: str

    @property
    def can_be_watched(self) -> bool:
        return self.path == WATCHED

    @property
    def url(self) -> str:
        return f"{self.path}?{self.query}" if self.query else self.path


def parse_address(text: str) -> Address:
    """What somebody copied from the address bar, without host and without the place in the list. Raises BadView."""
    try:
        parts = urlsplit(text.strip())
        pairs = parse_qsl(parts.query, errors="strict")
    except ValueError:
        raise BadView("address", "Copy the address of a list from the address bar.") from None
    if parts.path not in LISTS:
        raise BadView("address", f"This page cannot be kept. Lists are: {', '.join(LISTS.values())}.")
    query = urlencode([(name, value) for name, value in pairs if name not in OF_THE_MOMENT])
    if len(query) > LONGEST_ADDRESS or "%00" in query:
        raise BadView("address", "The address is too long or damaged.")
    return Address(parts.path, query)


def parse_name(text: str) -> str:
    """Raises BadView."""
    name = " ".join(text.split())
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise BadView("name", f"A name has 1 to {LONGEST_NAME} printable characters.")
    return name
