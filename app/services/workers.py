"""Which worker processes are alive: each says so every few seconds."""

from uuid import UUID

from app import database


async def hear(worker_id: UUID, name: str) -> None:
    await database.execute(
        """insert into workers (id, name) values ($1, $2)
           on conflict (id) do update set last_heard_at = clock_timestamp()""",
        worker_id, name,
    )


async def leave(worker_id: UUID) -> None:
    await database.execute("delete from workers where id = $1", worker_id)
