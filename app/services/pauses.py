"""Pausing everything, a vendor or a kind, and going on. A worker looks before it takes a run; what runs may end."""

from app import database
from app.domain.pauses import Pause, Scope
from app.domain.readers import Reader
from app.security import audit

READ = """
select p.scope, p.name, p.reason, p.paused_at, p.is_automatic,
    coalesce(nullif(u.display_name, ''), nullif(trim(u.first_name || ' ' || u.last_name), ''), u.email, '') as paused_by
from pauses p left join users u on u.id = p.paused_by order by p.paused_at
"""


async def read_pauses() -> tuple[Pause, ...]:
    """Longest first; there are few."""
    rows = await database.fetch(READ)
    return tuple(Pause(**{**row, "scope": Scope(row["scope"])}) for row in map(dict, rows))


async def pause(
    scope: Scope, name: str = "", *, reason: str, actor: Reader | None, actor_label: str = "",
    is_automatic: bool = False,
) -> bool:
    """False where it is paused already: the first reason stays."""
    async with database.transaction():
        paused = await database.execute(
            """insert into pauses (scope, name, reason, paused_by, is_automatic) values ($1, $2, $3, $4, $5)
               on conflict (scope, name, is_automatic) do nothing""",
            scope.value, name, reason, actor.user_id if actor else None, is_automatic,
        )
        if paused:
            await _remember("pause.begin", scope, name, actor, actor_label, after={"reason": reason})
    return bool(paused)


async def resume(
    scope: Scope, name: str = "", *, actor: Reader | None, actor_label: str = "", is_automatic: bool = False
) -> bool:
    """False where nothing was paused."""
    async with database.transaction():
        reason = await database.fetchval(
            "delete from pauses where scope = $1 and name = $2 and is_automatic = $3 returning reason",
            scope.value, name, is_automatic,
        )
        if reason is not None and is_automatic:
            await _count_anew(name)
        if reason is not None:
            await _remember("pause.end", scope, name, actor, actor_label, before={"reason": reason})
    return reason is not None


async def _count_anew(kind: str) -> None:
    """What failed before does not stop it again."""
    await database.execute(
        """insert into failure_resets (kind, counted_from) values ($1, clock_timestamp())
           on conflict (kind) do update set counted_from = excluded.counted_from""",
        kind,
    )


async def _remember(
    action: str, scope: Scope, name: str, actor: Reader | None, actor_label: str, *,
    before: dict[str, str] | None = None, after: dict[str, str] | None = None,
) -> None:
    await audit.record(
        action, actor=actor, actor_label=actor_label, subject_type=scope.value, subject_id=name, before=before,
        after=after,
    )
