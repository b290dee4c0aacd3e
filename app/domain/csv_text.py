"""CSV that a spreadsheet can open without running anything that somebody typed into a name."""

import csv
import io
from collections.abc import Iterable
from datetime import datetime

BYTE_ORDER_MARK = "\ufeff"
# The last four are the same signs in full width, which some spreadsheets take for the others.
FORMULA_STARTS = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")
LINE_STARTS = ("\t", "\r", "\n")


def cell(value: object) -> str:
    """Numbers as they are, times in ISO 8601 with their zone, texts that look like a formula behind an apostrophe."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds")
    if isinstance(value, int | float):
        return str(value)
    text = str(value).replace("\0", "")
    is_formula = text.startswith(LINE_STARTS) or text.lstrip().startswith(FORMULA_STARTS)
    return f"'{text}" if is_formula else text


def lines(rows: Iterable[Iterable[object]]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer).writerows([cell(value) for value in row] for row in rows)
    return buffer.getvalue()
