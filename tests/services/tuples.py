"""What was written to which table, from the server's own statistics: the proof that a cycle wrote nothing."""

import asyncio

from app import database


async def tuples_written() -> dict[str, int]:
    """Rows inserted, updated or deleted so far, per table, by everybody on this database."""
    await _settle()
    rows = await database.fetch(
        "select relname, n_tup_ins + n_tup_upd + n_tup_del as written from pg_stat_user_tables order by relname"
    )
    return {row["relname"]: row["written"] for row in rows}


def written_between(before: dict[str, int], after: dict[str, int]) -> dict[str, int]:
    return {table: after[table] - before.get(table, 0) for table in after if after[table] != before.get(table, 0)}


async def _settle() -> None:
    """Every backend reports at the end of its transaction, but at most once a second unless it is told to."""
    pool = database.DB.pool
    assert pool is not None
    borrowed = [await pool.acquire() for _ in range(pool.get_size())]
    try:
        for connection in borrowed:
            await connection.execute("select pg_stat_force_next_flush()")
            await connection.execute("select 1")
        await asyncio.sleep(0.05)
    finally:
        for connection in borrowed:
            await pool.release(connection)
