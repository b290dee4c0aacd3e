"""What is paused: everything, one vendor, or one kind of work. Paused work waits, it is not lost."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from app.domain.job_words import kind_title, vendor_title


class Scope(StrEnum):
    ALL = "all"
    VENDOR = "vendor"
    KIND = "kind"


@dataclass(frozen=True, slots=True)
class Pause:
    """`name` is the vendor or the kind, empty for everything. An automatic one came after repeated failure: it holds
    back what starts by itself, not what a person asks for."""

    scope: Scope
    name: str
    reason: str
    paused_at: datetime
    paused_by: str
    is_automatic: bool

    @property
    def what(self) -> str:
        match self.scope:
            case Scope.ALL:
                return "All background work"
            case Scope.VENDOR:
                return f"Work with the {vendor_title(self.name)}"
            case Scope.KIND:
                return kind_title(self.name)

    def holds(self, kind: str, vendor: str | None, *, is_asked_for: bool) -> bool:
        """Whether a run of this kind must wait. `is_asked_for`: by a person or a program, not by itself."""
        if self.is_automatic and is_asked_for:
            return False
        return self.scope is Scope.ALL or self.name == (vendor if self.scope is Scope.VENDOR else kind)


def pause_of(
    pauses: Collection[Pause], kind: str, vendor: str | None, *, is_asked_for: bool = True
) -> Pause | None:
    """The pause that keeps a run of this kind waiting."""
    return next((each for each in pauses if each.holds(kind, vendor, is_asked_for=is_asked_for)), None)
