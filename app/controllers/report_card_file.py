"""The solved challenges of one person, and their disclosure log, as CSV."""

from collections.abc import Iterable

from litestar.response import Response

from app.domain import csv_text
from app.domain.leaderboard import SOURCES
from app.queries.disclosures import Disclosure
from app.queries.report_card import Subject
from app.queries.solved_challenges import Row
from app.web import PRIVATE

SOLVES = (
    "competitor", "handle", "solved_at", "challenge", "category", "platform_category", "points", "source", "flash_ctf",
    "work_roles", "is_retired", "stored_at", "data_as_of",
)
DISCLOSURES = ("competitor", "handle", "at", "purpose", "recipient", "fields")


def solves(rows: Iterable[Row], subject: Subject, name: str, handle: str) -> Response[str]:
    return _file("challenges", subject, SOLVES, (
        (name, handle, row.solved_at, row.challenge, row.category, row.label, row.points,
         SOURCES.get(row.source, row.source), row.flash_ctf, "; ".join(row.work_roles),
         "yes" if row.is_retired else "no", row.ingested_at, subject.as_of)
        for row in rows
    ))


def disclosures(rows: Iterable[Disclosure], subject: Subject, name: str, handle: str) -> Response[str]:
    return _file("disclosures", subject, DISCLOSURES, (
        (name, handle, row.at, row.purpose, row.recipient, "; ".join(row.fields)) for row in rows
    ))


def _file(what: str, subject: Subject, head: tuple[str, ...], rows: Iterable[tuple[object, ...]]) -> Response[str]:
    text = csv_text.BYTE_ORDER_MARK + csv_text.lines([head, *rows])
    disposition = f'attachment; filename="{what}-{subject.today}.csv"'
    return Response(
        text, media_type="text/csv; charset=utf-8", headers={**PRIVATE, "Content-Disposition": disposition}
    )
