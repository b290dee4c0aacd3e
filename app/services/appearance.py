"""The theme switch of the page header: one column, and nothing where it already says so."""

from app import database
from app.domain.readers import Reader
from app.tables.accounts import Theme


async def choose_theme(reader: Reader, theme: Theme) -> None:
    await database.execute(
        "update users set theme = $2 where id = $1 and theme <> $2", reader.user_id, theme.value
    )
