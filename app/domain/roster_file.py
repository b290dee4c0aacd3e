"""A roster file, from bytes to rows. Whatever is wrong is named with its row and field; nothing is guessed.

Rows are numbered as a spreadsheet numbers them: the header is row 1. An empty cell says nothing about its field.
"""

import csv
import io
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

MAX_BYTES = 5 * 1024 * 1024
MAX_ROWS = 50_000
MAX_COLUMNS = 200
MAX_CELL = 200

REQUIRED = ("first_name", "last_name", "division")
FLAGS = ("release_signed", "agreement_signed", "data_consent")
ORDER = (
    "first_name", "last_name", "email", "grade", "division", "team", "affiliation", *FLAGS, "discord_id",
    "startgg_gamer_tag", "racetime_id", "school_id", "region_id", "game_platform_id", "team_game_platform_id",
)
COLUMNS = frozenset(ORDER)
DIVISIONS = ("middle_school", "high_school", "college")
ANSWERS = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}
EMAIL = re.compile(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)+")
# They turn the direction of what stands beside them.
OVERRIDES = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
DISCORD_ID = re.compile(r"[0-9]{15,20}")


@dataclass(frozen=True, slots=True)
class RowError:
    """`row` is 0 where the file as a whole is meant."""

    row: int
    field: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RosterRow:
    row: int
    first_name: str
    last_name: str
    division: str
    email: str | None = None
    grade: str | None = None
    team: str | None = None
    affiliation: str | None = None
    release_signed: bool | None = None
    agreement_signed: bool | None = None
    data_consent: bool | None = None
    discord_id: str | None = None
    startgg_gamer_tag: str | None = None
    racetime_id: str | None = None
    school_id: str | None = None
    region_id: str | None = None
    game_platform_id: str | None = None
    team_game_platform_id: str | None = None


class Unreadable(Exception):
    """The file as a whole cannot be taken."""

    def __init__(self, message: str, *, row: int = 0, field: str = "file") -> None:
        super().__init__(message)
        self.error = RowError(row, field, message)


def read_roster(content: bytes) -> tuple[list[RosterRow], list[RowError]]:
    try:
        lines = _lines(_text(content))
        columns = _columns(lines)
        cells = [(number, line) for number, line in lines if any(cell.strip() for cell in line)]
    except Unreadable as unreadable:
        return [], [unreadable.error]
    rows, errors = [], []
    for number, line in cells:
        row, wrong = _row(number, columns, line)
        errors += wrong
        if row is not None:
            rows.append(row)
    return rows, errors + _repeats(rows)


def _text(content: bytes) -> str:
    if len(content) > MAX_BYTES:
        raise Unreadable(f"The file is larger than {MAX_BYTES // 1024 // 1024} MB. Split it.")
    if content.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in content:
        raise Unreadable("This is not a text file in UTF-8. Save it as CSV with the encoding UTF-8.")
    for encoding in ("utf-8-sig", "cp1252"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise Unreadable("The text of the file is neither UTF-8 nor Windows-1252. Save it as CSV with the encoding UTF-8.")


def _lines(text: str) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    number = 0
    try:
        for number, line in enumerate(reader, start=1):
            if number > MAX_ROWS + 1:
                raise Unreadable(f"The file has more than {MAX_ROWS:,} rows. Split it.")
            yield number, line
    except csv.Error as error:
        raise Unreadable(f"This row cannot be read as CSV: {error}.", row=number + 1, field="row") from None


def _columns(lines: Iterator[tuple[int, list[str]]]) -> list[str]:
    _, header = next(lines, (1, []))
    columns = [name.strip().lower() for name in header]
    while columns and not columns[-1]:
        columns.pop()
    if len(columns) > MAX_COLUMNS:
        raise Unreadable(f"The header has more than {MAX_COLUMNS} columns.", row=1, field="header")
    if not columns:
        raise Unreadable("The file is empty. The first row names the columns.", row=1, field="header")
    if len(columns) == 1 and ";" in columns[0]:
        raise Unreadable("The columns are separated by semicolons. Save the file with commas.", row=1, field="header")
    for name in columns:
        if name not in COLUMNS:
            raise Unreadable(f"Unknown column {name[:50]!r}.", row=1, field=name[:50] or "header")
        if columns.count(name) > 1:
            raise Unreadable(f"The column {name} is there twice.", row=1, field=name)
    for name in REQUIRED:
        if name not in columns:
            raise Unreadable(f"The column {name} is missing.", row=1, field=name)
    return columns


def _row(number: int, columns: list[str], line: list[str]) -> tuple[RosterRow | None, list[RowError]]:
    if any(cell.strip() for cell in line[len(columns):]):
        return None, [RowError(number, "row", f"There are {len(line)} cells under {len(columns)} columns.")]
    values: dict[str, str] = {}
    errors = []
    for column, cell in zip(columns, line, strict=False):
        value = tidy(cell)
        if problem := problem_of(column, value):
            errors.append(RowError(number, column, problem))
        elif value:
            values[column] = value
    named = {error.field for error in errors}
    errors += [RowError(number, name, "This is required.") for name in REQUIRED if name not in {*values, *named}]
    if "team_game_platform_id" in values and "team" not in values:
        errors.append(RowError(number, "team", "The row gives a team's platform id without the team's name."))
    return (None, errors) if errors else (_typed(number, values), [])


def tidy(text: str) -> str:
    """One spelling of what looks the same."""
    return " ".join(unicodedata.normalize("NFC", text).split())


def problem_of(column: str, value: str) -> str | None:
    """What is wrong with a value that was typed there; None for nothing."""
    if not value:
        return None
    if len(value) > MAX_CELL:
        return f"This is longer than {MAX_CELL} characters."
    if not value.isprintable() and any(
        character in OVERRIDES or unicodedata.category(character) in ("Cc", "Cs") for character in value
    ):
        return "This holds a control character."
    if all(unicodedata.category(character)[0] in "CMZ" for character in value):
        return "There is nothing to read in this."
    if column == "division" and value.lower() not in DIVISIONS:
        return f"This should be one of {', '.join(DIVISIONS)}."
    if column in FLAGS and value.lower() not in ANSWERS:
        return "This should be yes, no, true, false, 1, 0 or empty."
    if column == "email" and not EMAIL.fullmatch(value):
        return "This is not an e-mail address."
    if column == "discord_id" and not DISCORD_ID.fullmatch(value):
        return "A Discord id is a number of 15 to 20 digits; format the column as text."
    return None


def _typed(number: int, values: dict[str, str]) -> RosterRow:
    flags = {name: ANSWERS[values.pop(name).lower()] for name in FLAGS if name in values}
    division = values.pop("division").lower()
    return RosterRow(row=number, division=division, **values, **flags)  # type: ignore[arg-type]


def _repeats(rows: list[RosterRow]) -> list[RowError]:
    """Rows that speak of the same person, or give two people the same handle or account."""
    errors = []
    for field in ("email", "discord_id", "startgg_gamer_tag", "racetime_id", "game_platform_id"):
        first: dict[str, int] = {}
        for row in rows:
            value = getattr(row, field)
            if value is None:
                continue
            key = value if field == "game_platform_id" else value.casefold()
            if key in first:
                errors.append(RowError(row.row, field, f"Row {first[key]} has the same."))
            first.setdefault(key, row.row)
    return errors + _namesakes(rows)


def _namesakes(rows: list[RosterRow]) -> list[RowError]:
    """Two of one name and division are two people only if each has an e-mail of their own."""
    errors = []
    first: dict[tuple[str, str, str], RosterRow] = {}
    for row in rows:
        earlier = first.setdefault((row.first_name, row.last_name, row.division), row)
        if earlier is not row and not (row.email and earlier.email):
            errors.append(RowError(row.row, "last_name", f"Row {earlier.row} is the same person."))
    return errors
