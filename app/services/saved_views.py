"""Filtered lists under a name. A watched one tells its owner who enters and who leaves it, each once."""

from collections.abc import Awaitable, Callable, Collection
from uuid import UUID

import asyncpg

from app import database
from app.domain import saved_views
from app.domain.readers import Reader, Sight
from app.domain.saved_views import BadView
from app.security import audit
from app.services import notices
from app.services.job_runs import Claim, keep

MOST_VIEWS = 50

RowsOf = Callable[[str, Sight], Awaitable[Collection[UUID]]]
"""Who stands in the list of this query, as its page shows it to such a reader."""

_WATCHED = """
select v.id, v.query, v.counted_at is not null as is_counted, u.id as user_id, u.role = 'admin' as is_admin,
    array(select a.team_id from team_assistants a where a.user_id = u.id) as assisted_team_ids,
    array(select r.competitor_id from saved_view_rows r where r.saved_view_id = v.id) as known
from saved_views v join users u on u.id = v.user_id
where v.is_watched and u.disabled_at is null and u.role in ('admin', 'coach') order by v.id
"""


class NotFound(Exception):
    """There is no such view, or it is somebody else's."""


async def save(reader: Reader, *, name: str, address: str, is_watched: bool) -> UUID:
    """Raises BadView."""
    where, words = saved_views.parse_address(address), saved_views.parse_name(name)
    if is_watched and not where.can_be_watched:
        raise BadView("is_watched", "Only lists of competitors can be watched.")
    async with database.transaction():
        if await database.fetchval("select count(*) from saved_views where user_id = $1", reader.user_id) >= MOST_VIEWS:
            raise BadView("name", f"There are {MOST_VIEWS} already. Remove one first.")
        view_id = await database.fetchval(
            """insert into saved_views (user_id, name, path, query, is_watched) values ($1, $2, $3, $4, $5)
               on conflict (user_id, name) do nothing returning id""",
            reader.user_id, words, where.path, where.query, is_watched,
        )
        if view_id is None:
            raise BadView("name", "There is a view with this name already.")
        await _remember("saved_view.saved", reader, view_id, {"path": where.path, "is_watched": is_watched})
    return UUID(str(view_id))


async def remove(reader: Reader, view_id: UUID) -> None:
    """With its notices, which speak of nothing any more. Raises NotFound."""
    async with database.transaction():
        if not await database.execute(
            "delete from saved_views where id = $1 and user_id = $2", view_id, reader.user_id
        ):
            raise NotFound
        await _remember("saved_view.removed", reader, view_id, {})


async def watch(reader: Reader, view_id: UUID, *, is_watched: bool) -> None:
    """Begins with who stands in it at the next look. Raises NotFound, or BadView for a list that has no people."""
    async with database.transaction():
        path = await database.fetchval(
            "select path from saved_views where id = $1 and user_id = $2 for update", view_id, reader.user_id
        )
        if path is None:
            raise NotFound
        if is_watched and path != saved_views.WATCHED:
            raise BadView("is_watched", "Only lists of competitors can be watched.")
        changed = await database.execute(
            "update saved_views set is_watched = $2, counted_at = null where id = $1 and is_watched <> $2",
            view_id, is_watched,
        )
        if changed:
            await database.execute("delete from saved_view_rows where saved_view_id = $1", view_id)
            await _remember("saved_view.watched", reader, view_id, {"is_watched": is_watched})


async def look(claim: Claim, rows_of: RowsOf) -> dict[str, int]:
    """Who entered or left each watched view since the last look. The first look tells nobody anything."""
    counts = {"views": 0, "entered": 0, "left": 0}
    for view in await database.fetch(_WATCHED):
        sight = Sight(view["is_admin"], view["user_id"], tuple(view["assisted_team_ids"]))
        now, known = set(await rows_of(view["query"], sight)), set(view["known"])
        counts["views"] += 1
        if now != known or not view["is_counted"]:
            await _store(claim, view, entered=sorted(now - known), left=sorted(known - now))
        if view["is_counted"]:
            counts["entered"], counts["left"] = counts["entered"] + len(now - known), counts["left"] + len(known - now)
    return counts


async def _store(claim: Claim, view: asyncpg.Record, *, entered: list[UUID], left: list[UUID]) -> None:
    async with database.transaction():
        await keep(claim)
        if not await database.execute(
            "update saved_views set counted_at = now() where id = $1 and is_watched and (counted_at is not null) = $2",
            view["id"], view["is_counted"],
        ):
            return
        await database.execute(
            "insert into saved_view_rows (saved_view_id, competitor_id) select $1, id from unnest($2::uuid[]) as id",
            view["id"], entered,
        )
        await database.execute(
            "delete from saved_view_rows where saved_view_id = $1 and competitor_id = any($2::uuid[])",
            view["id"], left,
        )
        if view["is_counted"]:
            await notices.tell_of_rows(view["id"], entered, notices.ENTERED, claim.run_id)
            await notices.tell_of_rows(view["id"], left, notices.LEFT, claim.run_id)


async def _remember(action: str, reader: Reader, view_id: UUID, facts: dict[str, object]) -> None:
    await audit.record(action, actor=reader, subject_type="saved_view", subject_id=view_id, after=facts)
