"""Columns that many tables have. Every column says whether it may be null and what it starts as."""

from enum import StrEnum
from typing import Any

from piccolo.columns import JSONB, UUID, BigSerial, ForeignKey, Text, Timestamptz
from piccolo.columns.base import OnDelete
from piccolo.columns.defaults.timestamptz import TimestamptzNow
from piccolo.columns.defaults.uuid import UUID4


def uuid_key() -> UUID:
    return UUID(primary_key=True, default=UUID4())


def number_key() -> BigSerial:
    return BigSerial(primary_key=True)


def now() -> Timestamptz:
    return Timestamptz(null=False, default=TimestamptzNow())


def when() -> Timestamptz:
    """A moment that may not have come yet."""
    return Timestamptz(null=True, default=None)


def text(default: str = "") -> Text:
    return Text(null=False, default=default)


def optional_text(**options: Any) -> Text:
    return Text(null=True, default=None, **options)


def json_object() -> JSONB:
    return JSONB(null=False, default="{}")


def belongs_to(table: Any, **options: Any) -> ForeignKey[Any]:
    """A row that is part of another and goes with it."""
    return ForeignKey(table, null=False, on_delete=OnDelete.cascade, **options)


def may_belong_to(table: Any, **options: Any) -> ForeignKey[Any]:
    """A row that is part of another where there is one, and goes with it."""
    return ForeignKey(table, null=True, default=None, on_delete=OnDelete.cascade, **options)


def refers_to(table: Any, **options: Any) -> ForeignKey[Any]:
    """A row that must stay while this one points at it."""
    return ForeignKey(table, null=False, on_delete=OnDelete.restrict, **options)


def may_refer_to(table: Any, **options: Any) -> ForeignKey[Any]:
    """A row that may go; this one then points at nobody."""
    return ForeignKey(table, null=True, default=None, on_delete=OnDelete.set_null, **options)


def one_of(column: str, states: type[StrEnum]) -> str:
    """The text of a CHECK: the database holds no state that `definitions` does not know."""
    return f"{column} in ({', '.join(repr(state.value) for state in states)})"

