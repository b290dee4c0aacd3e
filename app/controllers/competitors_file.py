"""The competitors of the current filter as CSV."""

from collections.abc import AsyncIterator

from app.domain import csv_text
from app.domain.competitor_list import STATUSES, View
from app.domain.leaderboard import DIVISIONS
from app.domain.presenting import shown_mail, shown_name
from app.domain.readers import Reader
from app.queries import competitors as queries
from app.queries.competitors import Row
from app.security import audit

COLUMNS = (
    "name", "handle", "grade", "division", "team", "status", "in_stage_since", "missing", "release_signed",
    "agreement_signed", "data_consent", "platform_account",
)


async def lines(view: View, reader: Reader) -> AsyncIterator[str]:
    """Whose rows leave is written down before they do."""
    yield csv_text.BYTE_ORDER_MARK + csv_text.lines([_columns(reader)])
    async for rows in queries.walk(view, reader.sight):
        await audit.disclose(
            [row.competitor_id for row in rows], purpose="competitors export", recipient=reader.name,
            user_id=reader.user_id, fields=_columns(reader),
        )
        yield csv_text.lines(_cells(row, reader) for row in rows)


def _columns(reader: Reader) -> tuple[str, ...]:
    """A mail is for the coach of that person."""
    return (*COLUMNS, "coach") if reader.is_admin else (*COLUMNS, "email")


def _cells(row: Row, reader: Reader) -> list[object]:
    progress = row.progress
    return [
        shown_name(reader, row.name, row.handle, row.competitor_id), row.handle,
        row.grade, DIVISIONS.get(row.division, ""), row.team,
        STATUSES[row.status], row.stage_since, row.missing, _answer(progress.release_signed),
        _answer(progress.agreement_signed), _answer(progress.data_consent), progress.metactf_user_status or "none",
        row.coach if reader.is_admin else shown_mail(reader, progress.email),
    ]


def _answer(value: bool) -> str:
    return "yes" if value else "no"
