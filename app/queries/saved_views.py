"""The views that a person keeps, and who stands in a watched one: exactly whom its page shows."""

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import parse_qsl
from uuid import UUID

from app import database
from app.domain import competitor_list
from app.domain.readers import Sight
from app.domain.saved_views import LISTS, WATCHED, Address
from app.queries import competitors
from app.queries.keyset import Arguments


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedView:
    """`rows`: who stood in it at the last look, where it is watched and was looked at."""

    view_id: UUID
    name: str
    path: str
    query: str
    is_watched: bool
    counted_at: datetime | None
    rows: int

    @property
    def url(self) -> str:
        return Address(self.path, self.query).url

    @property
    def list_name(self) -> str:
        return LISTS.get(self.path, self.path)

    @property
    def can_be_watched(self) -> bool:
        return self.path == WATCHED


async def of_reader(user_id: UUID) -> tuple[SavedView, ...]:
    rows = await database.fetch(
        """select v.id as view_id, v.name, v.path, v.query, v.is_watched, v.counted_at,
               (select count(*)::int from saved_view_rows r where r.saved_view_id = v.id) as rows
           from saved_views v where v.user_id = $1 order by lower(v.name), v.id""",
        user_id,
    )
    return tuple(SavedView(**row) for row in rows)


async def rows_of(query: str, sight: Sight) -> frozenset[UUID]:
    view = competitor_list.parse(parse_qsl(query)).view
    arguments = Arguments()
    conditions = " and ".join(competitors.conditions(view, sight, arguments))
    rows = await database.fetch(
        f"select c.id from {competitors.SOURCE} where {conditions}", *arguments.values  # noqa: S608
    )
    return frozenset(row["id"] for row in rows)
