"""Pages by key: a list is walked along an index from the values where the last page ended, forwards or backwards.

A list may have several stretches one after another, each with its own source and order; the page goes on into the next
stretch where one ends.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Literal
from uuid import UUID

import asyncpg

from app.domain.paging import Cursor, Value
from app.domain.readers import Sight


@dataclass(frozen=True, slots=True)
class Key:
    """One value that an order goes by. `least` is how the database says "never" where the cursor has no value."""

    sql: str
    type: Literal["int", "text", "uuid", "boolean", "timestamptz"] = "int"
    collation: str = ""
    least: str = ""

    @property
    def expression(self) -> str:
        return f"{self.sql} {self.collation}".rstrip()

    def placed(self, placeholder: str) -> str:
        value = f"{placeholder}::{self.type}"
        return f"coalesce({value}, '{self.least}')" if self.least else value

    def parameter(self, value: Value) -> object:
        """The cursor's value as the database takes it; ValueError or TypeError where it is none of this type."""
        match self.type, value:
            case ("boolean", bool()) | ("text", str()):
                return value
            case "int", int() if not isinstance(value, bool):
                return value
            case "uuid", str():
                return UUID(value)
            case "timestamptz", str():
                return None if value == self.least else _aware(value)
        raise TypeError(self.type)


def _aware(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None or not 1970 <= moment.year <= 9000:
        raise ValueError(text)
    return moment


@dataclass(slots=True)
class Arguments:
    """A statement's parameters; `add` answers the placeholder."""

    values: list[object] = field(default_factory=list)

    def add(self, value: object) -> str:
        self.values.append(value)
        return f"${len(self.values)}"

    def sight(self, sight: Sight, coach: str, team: str) -> str:
        condition, values = sight.condition(coach, team, len(self.values) + 1)
        self.values += values
        return condition


@dataclass(frozen=True, slots=True)
class Stretch:
    """Rows of one source in one order. `columns` are the SQL of what it shows, by name."""

    number: int
    source: str
    conditions: tuple[str, ...]
    keys: tuple[Key, ...]
    is_upwards: bool
    columns: dict[str, str]


def is_usable(cursor: Cursor, keys_of_stretches: dict[int, tuple[Key, ...]]) -> bool:
    """Whether the cursor's values are of the types of these keys."""
    number, *values = cursor.values or ("",)
    keys = keys_of_stretches.get(number, ()) if type(number) is int else ()
    if not keys or len(keys) != len(values):
        return False
    try:
        for key, value in zip(keys, values, strict=True):
            key.parameter(value)
    except (ValueError, TypeError):
        return False
    return True


def page_sql(stretches: Sequence[Stretch], cursor: Cursor | None, limit: int, arguments: Arguments) -> str:
    """At most `limit` rows after the cursor in the order of travel, which `place` and `n` tell; `keys` is a cursor."""
    if cursor and cursor.is_backwards:
        stretches = [replace(stretch, is_upwards=not stretch.is_upwards) for stretch in reversed(stretches)]
    if cursor:
        stretches = _from_cursor(stretches, cursor, arguments)
    first, *others = (_stretch_sql(place, stretch, limit) for place, stretch in enumerate(stretches))
    if not others:
        return first
    # The next stretch is not even begun where the first one fills the page.
    return f"""with first as materialized ({first})
    select * from first union all
    select * from (select * from ({others[0]}) o limit greatest(0, {limit} - (select count(*) from first))) rest"""  # noqa: S608


def _from_cursor(stretches: Sequence[Stretch], cursor: Cursor, arguments: Arguments) -> list[Stretch]:
    number, *values = cursor.values
    at = next(index for index, stretch in enumerate(stretches) if stretch.number == number)
    begun = stretches[at]
    row = ", ".join(key.expression for key in begun.keys)
    place = ", ".join(
        key.placed(arguments.add(key.parameter(value))) for key, value in zip(begun.keys, values, strict=True)
    )
    beyond = f"({row}) {'>' if begun.is_upwards else '<'} ({place})"
    return [replace(begun, conditions=(*begun.conditions, beyond)), *stretches[at + 1 :]]


def _stretch_sql(place: int, stretch: Stretch, limit: int) -> str:
    direction = "" if stretch.is_upwards else " desc"
    order = ", ".join(f"{key.expression}{direction}" for key in stretch.keys)
    columns = ", ".join(f"{sql} as {name}" for name, sql in stretch.columns.items())
    ends = {f"key_{number}": key.sql for number, key in enumerate(stretch.keys)}
    # Numbered after the limit: before it, all rows would be sorted instead of the first few kept.
    return f"""select {", ".join(stretch.columns)}, {place} as place, row_number() over () as n,
        jsonb_build_array({", ".join((str(stretch.number), *ends))}) as keys
    from (
        select {columns}, {", ".join(f"{sql} as {name}" for name, sql in ends.items())}
        from {stretch.source}
        where {" and ".join(stretch.conditions)}
        order by {order} limit {limit}
    ) ordered"""  # noqa: S608


def turned(
    found: Sequence[asyncpg.Record], order: str, cursor: Cursor | None, size: int
) -> tuple[list[asyncpg.Record], Cursor | None, Cursor | None]:
    """Of one row more than a page: the page's rows in their order, and the cursors of the pages around it."""
    has_more, records = len(found) > size, list(found[:size])
    is_backwards = cursor is not None and cursor.is_backwards
    if is_backwards:
        records.reverse()
    before, after = (has_more, True) if is_backwards else (cursor is not None, has_more)
    ends = [Cursor(order, tuple(json.loads(records[at]["keys"])), at == 0) for at in (0, -1) if records]
    return records, ends[0] if ends and before else None, ends[1] if ends and after else None
