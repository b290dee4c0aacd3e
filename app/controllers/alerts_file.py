"""Alerts as CSV, for exactly the rows of the current filter."""

from app.domain import csv_text
from app.domain.alert_list import STATES
from app.domain.leaderboard import DIVISIONS
from app.domain.presenting import shown_name
from app.domain.readers import Reader
from app.queries.alerts import Alert
from app.security import audit

COLUMNS = (
    "rule", "state", "name", "handle", "team", "division", "cause", "reason", "since", "opened_at", "data_from",
    "suggested_step", "owner", "snoozed_until", "resolved_at",
)


def head() -> str:
    return csv_text.BYTE_ORDER_MARK + csv_text.lines([COLUMNS])


def lines(rows: tuple[Alert, ...], reader: Reader) -> str:
    return csv_text.lines(_cells(row, reader) for row in rows)


async def record(rows: tuple[Alert, ...], reader: Reader) -> None:
    people = [row.competitor_id for row in rows if row.competitor_id]
    await audit.disclose(
        people, purpose="alerts export", recipient=reader.name, user_id=reader.user_id, fields=COLUMNS
    )


def _cells(row: Alert, reader: Reader) -> list[object]:
    return [
        row.words.title, STATES[row.state],
        shown_name(reader, row.name, row.handle, row.competitor_id) if row.competitor_id else "",
        row.handle, row.team, DIVISIONS.get(row.division, row.division), row.words.cause, row.reason, row.since,
        row.opened_at, row.data_from, row.words.step, row.owner, row.snoozed_until, row.resolved_at,
    ]
