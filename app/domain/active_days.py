"""The days on which somebody could be expected to solve something: weekdays outside of the season's breaks.

Days are the organization's own; whoever has moments turns them into its zone first.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

SCHOOL_DAYS = frozenset(range(5))
ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Break:
    first_day: date
    last_day: date
    name: str = ""
    id: UUID | None = None

    def __contains__(self, day: date) -> bool:
        return self.first_day <= day <= self.last_day


def is_active(day: date, breaks: Iterable[Break], weekdays: Collection[int] = SCHOOL_DAYS) -> bool:
    """`weekdays` count from Monday as 0."""
    return day.weekday() in weekdays and not any(day in each for each in breaks)


def active_days_between(
    first: date, last: date, breaks: Iterable[Break] = (), weekdays: Collection[int] = SCHOOL_DAYS
) -> int:
    """How many active days have come since `first`, up to and with `last`: from Friday to Monday it is one."""
    breaks = [each for each in breaks if each.first_day <= last and first < each.last_day]
    days = (first + timedelta(days=after) for after in range(1, (last - first).days + 1))
    return sum(is_active(day, breaks, weekdays) for day in days)


def streak(
    days_with_solves: Collection[date], today: date, breaks: Iterable[Break] = (),
    weekdays: Collection[int] = SCHOOL_DAYS,
) -> int:
    """Days with a solve without an active day missed in between. Weekends and breaks do not end it, solves on them
    count, and today is not missed before it is over."""
    solved, breaks = {day for day in days_with_solves if day <= today}, tuple(breaks)
    if not solved:
        return 0
    count, day, first = 0, today, min(solved)
    while day >= first:
        if day in solved:
            count += 1
        elif day != today and is_active(day, breaks, weekdays):
            break
        day -= ONE_DAY
    return count
