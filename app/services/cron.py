"""Cron expressions in a time zone: whether one can be used, what it says in words, and when it comes."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice
from zoneinfo import ZoneInfo

from cron_descriptor import Options, get_description
from cronsim import CronSim, CronSimError

LONGEST = 100
STEPS = {"minute": 59, "hour": 23, "day": 31, "month": 12, "weekday": 6}
"""The longest step of each field: a longer one means the first value alone, which nobody would read out of it."""
FIELDS = re.compile(r"[0-9A-Za-z*,/#\- ]+")


class BadCron(Exception):
    """The text says which expression or zone cannot be used, and how one looks. `field` is cron or zone."""

    def __init__(self, message: str, field: str = "cron") -> None:
        super().__init__(message)
        self.field = field


def next_slot(cron: str, zone: str, after: datetime) -> datetime:
    """The first slot after a moment. Raises BadCron."""
    return next_slots(cron, zone, after, 1)[0]


def next_slots(cron: str, zone: str, after: datetime, count: int) -> tuple[datetime, ...]:
    """Nobody looks further than fifty years from one to the next. Raises BadCron."""
    _check(cron)
    try:
        slots = tuple(islice(_slots(cron, zone, after), count))
    except CronSimError as error:
        raise BadCron(f"{cron!r} cannot be used ({error}); five fields are minute, hour, day, month, weekday") from None
    except (KeyError, ValueError, OSError):
        raise BadCron(f"{zone[:100]!r} is not a time zone such as UTC or Europe/Berlin", "zone") from None
    if not slots:
        raise BadCron(f"{cron!r} never comes")
    return slots


def _slots(cron: str, zone: str, after: datetime) -> Iterator[datetime]:
    """In the hour that comes twice, CronSim's first answer can lie in its first turn, before `after`."""
    latest = after
    for moment in CronSim(cron, after.astimezone(ZoneInfo(zone))):
        slot = moment.astimezone(UTC)
        if slot > latest:
            latest = slot
            yield slot


def _check(cron: str) -> None:
    fields = cron[: LONGEST + 1].split()
    if len(fields) != len(STEPS) or len(cron) > LONGEST or not FIELDS.fullmatch(cron):
        raise BadCron(
            f"{cron[:LONGEST]!r} should have five fields: minute, hour, day, month, weekday, such as */5 * * * *"
        )
    for name, field in zip(STEPS, fields, strict=True):
        if any(int(step) > STEPS[name] for step in re.findall(r"/(\d+)", field)):
            raise BadCron(f"{cron!r} cannot be used: the longest step of the {name} is {STEPS[name]}")


def in_words(cron: str) -> str:
    """An expression that can be used, in plain English; one that cannot be, as it is."""
    options = Options()
    options.use_24hour_time_format = True
    options.verbose = True
    try:
        next_slot(cron, "UTC", datetime(2026, 1, 1, tzinfo=UTC))
        words = str(get_description(cron, options))
    except Exception:
        return cron
    words = words.removesuffix(", every hour, every day") if words.startswith("Every") else words
    words = "Every hour" if words == "Every hour, every day" else words
    return _both(words) if _needs_both(cron) else words


def _needs_both(cron: str) -> bool:
    """A day and a weekday are alternatives, except where one of them begins with a star."""
    _minute, _hour, day, _month, weekday = cron.split()
    return day.startswith("*") or weekday.startswith("*")


def _both(words: str) -> str:
    return words.replace(", or on ", ", and only on ").replace(", or ", ", and only ")
