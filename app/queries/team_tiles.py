"""A page of teams with what each has done lately and what it covers, as tiles or as a matrix."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

from app.domain.coverage import Cell, all_categories
from app.domain.paging import Cursor
from app.domain.team_list import View
from app.queries import team_matrix, team_numbers, teams
from app.queries.scopes import Frame
from app.queries.team_matrix import Matrix, Row
from app.queries.team_numbers import Age, Numbers, Span
from app.queries.teams import PAGE_SIZE, Team

EXPORT_SIZE = 200


@dataclass(frozen=True, slots=True)
class Tile:
    team: Team
    numbers: Numbers
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Page:
    tiles: tuple[Tile, ...]
    categories: tuple[str, ...]
    age: Age
    previous: Cursor | None
    next: Cursor | None

    @property
    def matrix(self) -> Matrix:
        rows = (
            Row(tile.team.team_id, tile.team.name, tile.team.division, tile.numbers.members, tile.cells)
            for tile in self.tiles
        )
        return Matrix(self.categories, tuple(rows), len(self.tiles), self.age.as_of, self.age.is_late, self.age.promise)


async def get_page(view: View, frame: Frame, *, size: int = PAGE_SIZE) -> Page:
    """Three queries, however many teams and people there are."""
    found = await teams.get_page(view, frame, size=size)
    team_ids = [team.team_id for team in found.rows]
    numbers = await team_numbers.of_teams(team_ids, span_of(frame))
    cells = await team_matrix.cells(team_ids)
    categories = all_categories(category for of_team in cells.values() for category in of_team)
    tiles = tuple(
        Tile(team, numbers[team.team_id], team_matrix.in_order(categories, cells.get(team.team_id, {})))
        for team in found.rows
    )
    return Page(tiles, categories, team_numbers.age(list(numbers.values()), span_of(frame)), found.previous, found.next)


async def walk(view: View, frame: Frame) -> AsyncIterator[Page]:
    """Every team of the view, page after page."""
    following: Cursor | None = None
    while True:
        page = await get_page(replace(view, cursor=following), frame, size=EXPORT_SIZE)
        yield page
        following = page.next
        if following is None:
            return


def span_of(frame: Frame) -> Span:
    return Span(frame.window, frame.previous, frame.now, frame.zone.key, frame.fresh_for)
