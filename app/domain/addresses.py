"""Reading a list's address: bad values of known parameters become the default, and a notice names each."""

import re
from collections.abc import Iterable, Mapping
from datetime import date
from urllib.parse import urlencode
from uuid import UUID

from app.domain import paging
from app.domain.paging import Cursor

LONGEST_SEARCH = 100
EARLIEST_YEAR, LATEST_YEAR = 2000, 2100
UUID_TEXT = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def address(path: str, values: Mapping[str, object]) -> str:
    """The path with those values that are set."""
    parameters = {name: str(value) for name, value in values.items() if value}
    return f"{path}?{urlencode(parameters)}" if parameters else path


def as_uuid(text: str) -> UUID | None:
    return UUID(text) if UUID_TEXT.fullmatch(text) else None


class Reading:
    """Takes the known parameters one by one; `notices` are what could not be understood."""

    def __init__(self, pairs: Iterable[tuple[str, str]]) -> None:
        self._values: dict[str, str] = {}
        self._repeated: set[str] = set()
        self.notices: list[str] = []
        for name, value in pairs:
            if name in self._values:
                self._repeated.add(name)
            self._values[name] = value.strip()

    def text(self, name: str) -> str:
        if name in self._repeated:
            self._repeated.discard(name)
            self._values.pop(name)
            self.refuse(name, "was given more than once and is left out")
        return self._values.get(name, "")

    def refuse(self, name: str, why: str) -> None:
        self.notices.append(f"“{name}” {why}.")

    def choice(self, name: str, allowed: Iterable[str]) -> str:
        """One of the allowed values, or ''."""
        value = self.text(name)
        if not value or value in allowed:
            return value
        self.refuse(name, f"can be {', '.join(allowed)}; it is left out")
        return ""

    def uuid(self, name: str) -> UUID | None:
        value = self.text(name)
        found = as_uuid(value)
        if value and found is None:
            self.refuse(name, "is not known and is left out")
        return found

    def day(self, name: str) -> date | None:
        value = self.text(name)
        if not value:
            return None
        try:
            day = date.fromisoformat(value)
        except ValueError:
            day = date.min
        if EARLIEST_YEAR <= day.year <= LATEST_YEAR:
            return day
        self.refuse(name, f"should be a date such as 2026-10-01, in {EARLIEST_YEAR} or later; it is left out")
        return None

    def search(self) -> str:
        value = self.text("q")
        if len(value) > LONGEST_SEARCH:
            self.refuse("q", f"takes {LONGEST_SEARCH} characters; the rest is left out")
        return value[:LONGEST_SEARCH].replace("\0", "")

    def cursor(self, order: str) -> Cursor | None:
        text = self.text("cursor")
        cursor = paging.decode(text)
        if not text or (cursor is not None and cursor.sort == order):
            return cursor
        self.refuse("cursor", "belongs to another list; the first page is shown")
        return None
