"""The teams of the current filter as CSV: what each has done and whom it covers each category with."""

from app.domain import csv_text
from app.domain.coverage import all_categories
from app.domain.leaderboard import DIVISIONS
from app.domain.team_list import View
from app.queries import team_tiles
from app.queries.scopes import Frame
from app.queries.team_tiles import Tile

COLUMNS = (
    "team", "division", "affiliation", "coach", "game_platform", "members", "active_members", "points", "challenges",
    "points_in_window", "points_in_window_before", "first_day", "last_day", "last_active_at", "data_as_of",
)


async def content(view: View, frame: Frame) -> str:
    """All pages. A category's column counts the members who have solved there at medium or above."""
    tiles = [tile async for page in team_tiles.walk(view, frame) for tile in page.tiles]
    categories = all_categories(cell.category for tile in tiles for cell in tile.cells)
    rows = (_cells(tile, frame, categories) for tile in tiles)
    return csv_text.BYTE_ORDER_MARK + csv_text.lines([(*COLUMNS, *categories), *rows])


def _cells(tile: Tile, frame: Frame, categories: tuple[str, ...]) -> tuple[object, ...]:
    team, numbers, window = tile.team, tile.numbers, frame.window
    members = {cell.category: cell.members for cell in tile.cells}
    return (
        team.name, DIVISIONS.get(team.division, team.division), team.affiliation, team.coach, team.sync.word,
        numbers.members, numbers.active, numbers.points, numbers.challenges, numbers.gain, numbers.gain_before,
        window.first_day, window.last_day, numbers.last_active_at, numbers.as_of,
        *(members.get(category, 0) for category in categories),
    )
