"""Practice hours as files: the rows of the page as CSV, and a workbook that stands on its own before an auditor."""

import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from xlsxwriter import Workbook
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from app.domain import csv_text
from app.domain.leaderboard import DIVISIONS
from app.domain.practice_hours import EVENT_MINUTES, hours, method
from app.domain.presenting import shown_name
from app.domain.readers import Reader
from app.queries.practice_hours import EventWindow, Hours, Report, Roster, Span, Student

WHO = ("name", "handle", "grade", "school_id", "division", "team")
COUNTED = ("sessions", "practice_hours", "flash_ctfs", "flash_ctf_hours", "total_hours")
DETAIL = ("category", "sessions", "solves", "hours")
DATA = ("kind", "category_or_event", "first_solve_or_start", "last_solve_or_end", "solves", "minutes")
FLASH_CTF = "Flash CTF"


@dataclass(frozen=True, slots=True)
class File:
    """Everything that is written into one: who reads it, what was asked, and the answer."""

    reader: Reader
    report: Report
    roster: Roster
    total: Hours
    students: tuple[Student, ...]
    spans: tuple[Span, ...] = ()
    windows: tuple[EventWindow, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        return (*_who_columns(self.reader), *COUNTED, *self.total.categories)

    def rows(self) -> Iterable[list[object]]:
        """The same in every kind of file, and on the page."""
        for student in self.students:
            yield [*self.who(student), *_counted(student.hours), *by_category(student.hours, self.total.categories)]

    def who(self, student: Student) -> list[object]:
        cells: list[object] = [
            shown_name(self.reader, student.name, student.handle, student.competitor_id), student.handle,
            student.grade, student.school_id,
            DIVISIONS.get(student.division, student.division), student.team,
        ]
        return [*cells, student.coach] if self.reader.is_admin else cells


def _who_columns(reader: Reader) -> tuple[str, ...]:
    return (*WHO, "coach") if reader.is_admin else WHO


def _counted(own: Hours) -> list[object]:
    flash = own.flash_ctfs
    return [own.session_count, hours(own.practice_seconds), flash.times, hours(flash.seconds), hours(own.seconds)]


def by_category(own: Hours, categories: Sequence[str]) -> list[float]:
    return [hours(own.sessions[category].seconds) if category in own.sessions else 0.0 for category in categories]


def csv(file: File) -> str:
    as_of = file.roster.as_of
    rows = ([*row, file.report.period.key, as_of] for row in file.rows())
    return csv_text.BYTE_ORDER_MARK + csv_text.lines([(*file.columns, "period", "data_as_of"), *rows])


def workbook(file: File) -> bytes:
    """Texts stay texts: nothing that somebody typed becomes a formula or a link."""
    buffer = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with Workbook(buffer, options) as book:
        _Sheets(book, file).write()
    return buffer.getvalue()


class _Sheets:
    def __init__(self, book: Workbook, file: File) -> None:
        self._book, self._file = book, file
        self._bold: Format = book.add_format({"bold": True})
        self._wrapped: Format = book.add_format({"text_wrap": True, "valign": "top"})
        self._moment: Format = book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
        self._zone = file.report.frame.zone

    def write(self) -> None:
        self._summary()
        self._detail()
        self._data()
        self._methodology()

    def _summary(self) -> None:
        about = self._about()
        sheet = self._sheet("Summary", self._file.columns, self._file.rows(), first_row=len(about) + 1)
        for number, pair in enumerate(about):
            sheet.write(number, 0, pair[0], self._bold)
            self._cell(sheet, number, 1, pair[1])

    def _about(self) -> list[tuple[str, object]]:
        file, report = self._file, self._file.report
        scope = report.frame.scope
        filters = (report.frame.coach, report.frame.team, DIVISIONS.get(scope.division), report.view.search)
        return [
            ("Organization", report.frame.organization_name), ("Period", report.period.label),
            ("Days", f"{report.period.span} ({self._zone.key})"),
            ("Filters", ", ".join(value for value in filters if value) or "none"), ("Students", len(file.students)),
            ("Practice hours", hours(file.total.practice_seconds)),
            ("Flash CTF hours", hours(file.total.flash_ctfs.seconds)), ("Total hours", hours(file.total.seconds)),
            ("Data from", file.roster.as_of or "not read yet"), ("Written", report.frame.now),
        ]

    def _detail(self) -> None:
        """A student and a category in each row, whoever has none with zeros."""
        rows = ([*self._file.who(student), *row] for student in self._file.students for row in _details(student.hours))
        self._sheet("Detail", (*_who_columns(self._file.reader), *DETAIL), rows)

    def _data(self) -> None:
        people = {student.competitor_id: student for student in self._file.students}
        spans = [span for span in self._file.spans if span.competitor_id in people]
        places = {competitor_id: place for place, competitor_id in enumerate(people)}
        spans.sort(key=lambda span: (places[span.competitor_id], span.started_at, span.title))
        rows = ([*self._file.who(people[span.competitor_id]), *_data(span)] for span in spans)
        self._sheet("Data", (*_who_columns(self._file.reader), *DATA), rows)

    def _methodology(self) -> None:
        sheet = self._book.add_worksheet("Methodology")
        sheet.set_column(0, 0, 24, self._wrapped)
        sheet.set_column(1, 1, 100, self._wrapped)
        lengths = [(f"Length of “{window.name}”", f"{window.minutes} minutes, set by an admin")
                   for window in self._file.windows if window.minutes is not None]
        times = ("Times", f"Shown by the clocks of {self._zone.key}.")
        others = ("Other Flash CTFs", f"{EVENT_MINUTES} minutes each.")
        for number, (what, how) in enumerate((*method(self._zone.key), *lengths, others, times)):
            sheet.write_string(number, 0, what, self._bold)
            sheet.write_string(number, 1, how, self._wrapped)

    def _sheet(
        self, name: str, columns: Sequence[str], rows: Iterable[Sequence[object]], *, first_row: int = 0
    ) -> Worksheet:
        sheet = self._book.add_worksheet(name)
        sheet.write_row(first_row, 0, columns, self._bold)
        sheet.set_column(0, 0, 28)
        sheet.set_column(1, len(columns) - 1, 18)
        sheet.freeze_panes(first_row + 1, 1)
        for number, row in enumerate(rows, first_row + 1):
            for column, value in enumerate(row):
                self._cell(sheet, number, column, value)
        return sheet

    def _cell(self, sheet: Worksheet, row: int, column: int, value: object) -> None:
        """A spreadsheet knows no zones: its times are those of the organization."""
        if isinstance(value, datetime):
            sheet.write_datetime(row, column, value.astimezone(self._zone).replace(tzinfo=None), self._moment)
        elif isinstance(value, int | float):
            sheet.write_number(row, column, value)
        else:
            sheet.write_string(row, column, str(value))


def _details(own: Hours) -> Iterable[list[object]]:
    rows: list[list[object]] = [
        [category, tally.times, tally.solves, hours(tally.seconds)]
        for category in own.categories for tally in (own.sessions[category],)
    ]
    if own.flash_ctfs.times:
        rows.append([FLASH_CTF, own.flash_ctfs.times, own.flash_ctfs.solves, hours(own.flash_ctfs.seconds)])
    return rows or [["none", 0, 0, 0.0]]


def _data(span: Span) -> list[object]:
    kind = FLASH_CTF if span.is_flash_ctf else "Session"
    return [kind, span.title, span.started_at, span.ended_at, span.solves, round(span.seconds / 60, 2)]
