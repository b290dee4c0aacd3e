"""The spans of days that changes are counted over: whole days in the organization's zone, today among them."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

DAYS = {"7": 7, "14": 14, "30": 30, "90": 90}
YEAR = "year"
PRESETS = (*DAYS, YEAR)
CUSTOM = "custom"
DEFAULT = "30"
SPARK_DAYS = 30
DAY_ZERO = date(2000, 1, 1)


@dataclass(frozen=True, slots=True)
class Window:
    """From the start of its first day to the end of its last; `ends_at` is None where it lasts until now."""

    name: str
    first_day: date
    last_day: date
    starts_at: datetime
    ends_at: datetime | None = None

    @property
    def days_words(self) -> str:
        return f"{in_words(self.first_day)} to {in_words(self.last_day)}"


def preset(name: str, today: date, zone: ZoneInfo, year_starts_month: int) -> Window:
    first = school_year_start(today, year_starts_month) if name == YEAR else today - timedelta(days=DAYS[name] - 1)
    return Window(name, first, today, midnight(first, zone))


def custom(first: date, last: date, zone: ZoneInfo) -> Window:
    return Window(CUSTOM, first, last, midnight(first, zone), midnight(last + timedelta(days=1), zone))


def chosen(name: str, first: date | None, last: date | None, today: date, zone: ZoneInfo, starts_month: int) -> Window:
    """A preset, or the custom days; where only one end is given the other lies the default's days away."""
    if name != CUSTOM:
        return preset(name, today, zone, starts_month)
    last = last or today
    first = first or min(last, today) - timedelta(days=DAYS[DEFAULT] - 1)
    return custom(first, max(first, last), zone)


def previous(window: Window, zone: ZoneInfo) -> Window:
    """As many days right before it."""
    days = (window.last_day - window.first_day).days + 1
    return custom(window.first_day - timedelta(days=days), window.first_day - timedelta(days=1), zone)


def school_year_start(today: date, starts_month: int) -> date:
    start = date(today.year, starts_month, 1)
    return start if start <= today else start.replace(year=today.year - 1)


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """The first moment of the day there. Where clocks skip midnight, zoneinfo answers the moment of the jump."""
    return datetime.combine(day, time(), tzinfo=zone)


def day_number(day: date) -> int:
    return (day - DAY_ZERO).days


def in_words(day: date) -> str:
    return f"{day.day} {day:%b %Y}"
