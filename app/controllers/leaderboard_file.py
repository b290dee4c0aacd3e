"""The leaderboard's rows as CSV, for exactly the people of the current filter."""

from app.domain import csv_text
from app.domain.leaderboard import DIVISIONS, View
from app.domain.presenting import shown_name
from app.domain.readers import Reader
from app.queries.leaderboard import Row
from app.security import audit

COLUMNS = (
    "rank", "division_rank", "first_name", "last_name", "handle", "team", "division", "challenges", "points",
    "change_points", "rank_when_window_began", "rank_now", "last_active_at", "data_as_of",
)


def head(reader: Reader) -> str:
    return csv_text.BYTE_ORDER_MARK + csv_text.lines([_columns(reader)])


def lines(rows: tuple[Row, ...], view: View, reader: Reader) -> str:
    return csv_text.lines(_cells(row, view, reader) for row in rows)


async def record(rows: tuple[Row, ...], reader: Reader) -> None:
    await audit.disclose(
        [row.competitor_id for row in rows], purpose="leaderboard export", recipient=reader.name,
        user_id=reader.user_id, fields=_columns(reader),
    )


def _columns(reader: Reader) -> tuple[str, ...]:
    return (*COLUMNS, "coach") if reader.is_admin else COLUMNS


def _cells(row: Row, view: View, reader: Reader) -> list[object]:
    """The division's rank stays empty where only a category or source counts and no division is chosen."""
    cells: list[object] = [
        row.rank, row.division_rank or None, shown_name(reader, row.first_name, row.handle, row.competitor_id),
        "" if reader.is_presenting else row.last_name,
        row.handle if row.is_linked else "not linked", row.team, DIVISIONS.get(row.division, row.division),
        row.challenges, row.points, row.change, row.rank_then, row.rank_now, row.last_active_at, row.last_success_at,
    ]
    return [*cells, row.coach] if reader.is_admin else cells
