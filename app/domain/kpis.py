"""The five numbers at the top of the overview, and what each of them means: said where the number stands."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from app.domain import windows
from app.domain.windows import Window

MOST_POINTS = 30
OPEN_END = datetime(9000, 1, 1, tzinfo=ZoneInfo("UTC"))


class Kpi(StrEnum):
    """As the address names them."""

    ACTIVE = "active"
    REGISTERED = "registered"
    ENROLLED = "enrolled"
    SOLVED = "solved"
    MONTHLY_CTF = "monthly-ctf"


@dataclass(frozen=True, slots=True)
class Meaning:
    """`part` heads the column whose sum is the number; a share is that sum out of all rows."""

    title: str
    definition: str
    part: str
    moment: str
    is_share: bool = False
    is_synced: bool = True


MEANINGS = {
    Kpi.ACTIVE: Meaning(
        "Active on Platform",
        "Competitors with a solve or an access in the window. The platform tells only of the latest access, so in an "
        "earlier window an access counts where nothing newer has replaced it.",
        "Counts", "Last solve or access in the window",
    ),
    Kpi.REGISTERED: Meaning(
        "Registered Competitors", "Competitors on the roster when the window ends, without archived ones.", "Counts",
        "On the roster since", is_synced=False,
    ),
    Kpi.ENROLLED: Meaning(
        "Team Enrollment", "Those on a team ÷ registered competitors, when the window ends.", "On a team",
        "On the team since", is_share=True, is_synced=False,
    ),
    Kpi.SOLVED: Meaning(
        "Total Challenges Solved", "Solves in the window, of on-demand practice and Flash CTFs together.", "Solves",
        "Last solve in the window",
    ),
    Kpi.MONTHLY_CTF: Meaning(
        "Monthly CTF Participation",
        "Onboarded competitors with a solve in the latest Flash CTF that began before the window ends ÷ onboarded "
        "competitors.",
        "Took part", "Flash CTF", is_share=True,
    ),
}


@dataclass(frozen=True, slots=True)
class Amount:
    """A number, or a part of a whole; nothing of nothing is not a number."""

    part: int
    whole: int | None = None

    @property
    def value(self) -> int | None:
        if self.whole is None:
            return self.part
        return round(100 * self.part / self.whole) if self.whole else None


@dataclass(frozen=True, slots=True)
class Card:
    """`before` is the previous equal window's; without one there is nothing to compare with."""

    kpi: Kpi
    now: Amount
    before: Amount | None
    spark: tuple[int, ...]
    note: str = ""

    @property
    def meaning(self) -> Meaning:
        return MEANINGS[self.kpi]

    @property
    def delta(self) -> int | None:
        """In the number's own unit: people, solves or percentage points. None where there is no base."""
        if self.before is None or self.before.value is None or self.now.value is None:
            return None
        has_base = self.before.part > 0 or self.meaning.is_share
        return self.now.value - self.before.value if has_base else None


def end_of(window: Window) -> datetime:
    return window.ends_at or OPEN_END


def marks(window: Window, zone: ZoneInfo) -> list[datetime]:
    """Where the pieces of a window begin, and last of all where it ends: a day each, or more so that they are few."""
    days = (window.last_day - window.first_day).days + 1
    length = -(-days // MOST_POINTS)
    starts = [
        windows.midnight(window.first_day + timedelta(days=passed), zone) for passed in range(0, days, length)
    ]
    return [*starts, end_of(window)]


@dataclass(frozen=True, slots=True)
class Stay:
    """So many people who came, joined a team and left in the same pieces of the window; 0 is before it began."""

    created: int
    joined: int | None
    archived: int | None
    people: int

    def is_registered(self, piece: int) -> bool:
        """When that piece ended."""
        return self.created <= piece and (self.archived is None or self.archived > piece)


def enrolled(stays: Sequence[Stay], piece: int) -> Amount:
    """On a team, of those on the roster when the piece ended."""
    there = [stay for stay in stays if stay.is_registered(piece)]
    return Amount(
        sum(stay.people for stay in there if stay.joined is not None and stay.joined <= piece),
        sum(stay.people for stay in there),
    )
