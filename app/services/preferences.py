"""How the pages look to one person: the time zone of every time on them, and the theme."""

import functools
import zoneinfo

from app import database
from app.domain.readers import Reader
from app.security import audit
from app.tables.accounts import Theme


class BadPreference(Exception):
    """`field` has a value that is not offered."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


@functools.cache
def time_zones() -> tuple[str, ...]:
    """The zones that are named after places, and UTC."""
    names = (name for name in zoneinfo.available_timezones() if "/" in name and not name.startswith("Etc/"))
    return ("UTC", *sorted(names))


async def save(reader: Reader, *, time_zone: str, theme: str) -> None:
    """An empty time zone means the organization's. Raises BadPreference."""
    if time_zone and time_zone not in time_zones():
        raise BadPreference("time_zone", "Choose a time zone from the list.")
    if theme not in set(Theme):
        raise BadPreference("theme", "Choose system, light or dark.")
    await _change(reader, {"time_zone": time_zone or None, "theme": theme})


async def choose_theme(reader: Reader, theme: Theme) -> None:
    """The switch in the page header."""
    await _change(reader, {"theme": theme.value})


async def _change(reader: Reader, wanted: dict[str, str | None]) -> None:
    """Writes nothing where it already is so."""
    async with database.transaction():
        row = await database.fetchrow("select time_zone, theme from users where id = $1 for update", reader.user_id)
        if row is None or dict(row) | wanted == dict(row):
            return
        after = dict(row) | wanted
        await database.execute(
            "update users set time_zone = $2, theme = $3 where id = $1",
            reader.user_id, after["time_zone"], after["theme"],
        )
        await audit.record(
            "preferences.saved", actor=reader, subject_type="user", subject_id=reader.user_id, before=dict(row),
            after=after,
        )
