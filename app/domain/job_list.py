"""The address of the list of runs: which state and kind, since when, started by what, with which words."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import timedelta

from app.domain.addresses import Reading, address
from app.domain.job_words import KIND_TITLES
from app.domain.paging import Cursor

PATH = "/admin/jobs"
ORDER = "newest"
STATES = {
    "queued": "Queued", "running": "Running", "succeeded": "Succeeded", "failed": "Failed", "cancelled": "Cancelled",
}
SINCE = {"hour": "The last hour", "day": "The last 24 hours", "week": "The last 7 days"}
SPANS = {"hour": timedelta(hours=1), "day": timedelta(days=1), "week": timedelta(days=7)}
TRIGGERS = {
    "schedule": "A schedule", "scheduler": "A scheduler from outside", "user": "A person",
    "command": "The command line", "follow_up": "Another run",
}


@dataclass(frozen=True, slots=True)
class View:
    """Empty for no limit. `error` is an error's class."""

    state: str = ""
    kind: str = ""
    since: str = ""
    trigger: str = ""
    error: str = ""
    q: str = ""
    cursor: Cursor | None = None

    @property
    def is_filtered(self) -> bool:
        return bool(self.kind or self.since or self.trigger or self.error or self.q)

    @property
    def clear_url(self) -> str:
        return View(state=self.state).url()

    @property
    def file_url(self) -> str:
        return self.url(format="csv")

    def url(self, *, format: str = "", **changes: str | Cursor | None) -> str:
        """From the first page on where no cursor is named."""
        view = replace(self, **{"cursor": None, **changes})  # type: ignore[arg-type]
        return address(PATH, {
            "state": view.state, "kind": view.kind, "since": view.since, "trigger": view.trigger, "error": view.error,
            "q": view.q, "cursor": view.cursor.encode() if view.cursor else "", "format": format,
        })


@dataclass(frozen=True, slots=True)
class Parsed:
    view: View
    notices: tuple[str, ...]
    is_export: bool


def parse(pairs: Iterable[tuple[str, str]]) -> Parsed:
    """The view, and a notice for each value that could not be understood."""
    reading = Reading(pairs)
    view = View(
        state=reading.choice("state", STATES), kind=reading.choice("kind", KIND_TITLES),
        since=reading.choice("since", SINCE), trigger=reading.choice("trigger", TRIGGERS),
        error=_error(reading), q=reading.search(), cursor=reading.cursor(ORDER),
    )
    is_export = reading.choice("format", ["csv"]) == "csv"
    return Parsed(view, tuple(reading.notices), is_export)


def _error(reading: Reading) -> str:
    name = reading.text("error")
    if name and not (name.isidentifier() and len(name) <= 100):
        reading.refuse("error", "should be the name of an error; it is left out")
        return ""
    return name
