"""The one door to PostgreSQL: the engine, its pool, transactions, and SQL for what an ORM cannot say well.

`DB` is Piccolo's engine. `open_pool` gives it an address; before that nothing is connected.
Inside `transaction()` every statement of the task, Piccolo's and ours alike, runs on that one connection.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Any, cast

import asyncpg
from piccolo.engine.postgres import PostgresEngine, PostgresTransaction


class Transaction(PostgresTransaction):
    """Piccolo's transaction, which also gives its connection back when COMMIT itself fails."""

    async def get_connection(self) -> Any:
        engine = cast("Engine", self.engine)
        if engine.pool:
            return await engine.pool.acquire(timeout=engine.patience_seconds)
        return await engine.get_new_connection()

    async def __aexit__(
        self,
        exception_type: type[BaseException] | None,
        exception: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool:
        try:
            return bool(await super().__aexit__(exception_type, exception, traceback))
        except BaseException:
            if self.engine.pool:
                await self.engine.pool.release(self.connection)
            self.engine.current_transaction.reset(self.context)
            raise


class Engine(PostgresEngine):
    """Piccolo's engine without its connection at import time, and with transactions that refuse to nest."""

    patience_seconds: float | None = None
    """How long a statement waits for a free connection; a page says soon that the database is busy or away."""

    async def check_version(self) -> None:
        """Importing the tables must not need a server; `sideline check` looks at the version."""

    async def prep_database(self) -> None:
        """No extensions: the embedded server has none to offer."""

    async def _run_in_pool(self, query: str, args: Sequence[Any] | None = None) -> Any:
        pool = cast("asyncpg.Pool", self.pool)
        async with pool.acquire(timeout=self.patience_seconds) as borrowed:
            return await borrowed.fetch(query, *(args or ()))

    def transaction(self, allow_nested: bool = False) -> Transaction:
        return Transaction(engine=self, allow_nested=allow_nested)


DB = Engine(config={})


async def open_pool(
    database_url: str, *, min_size: int = 1, max_size: int = 10, patience_seconds: float | None = None,
    statement_seconds: float = 60, settings_of_session: str = "",
) -> None:
    """`settings_of_session`: SQL that each connection runs once. Behind a pooler a setting may meet another's
    statements, so it may make them faster or slower but never mean something else."""

    async def prepare(connection: asyncpg.Connection) -> None:
        if settings_of_session:
            await connection.execute(settings_of_session)

    DB.config = {"dsn": database_url}
    DB.patience_seconds = patience_seconds
    await DB.start_connection_pool(
        min_size=min_size, max_size=max_size, timeout=10, command_timeout=statement_seconds, reset=_nothing_to_reset,
        init=prepare,
    )


async def _nothing_to_reset(connection: asyncpg.Connection) -> None:
    """Nothing of ours outlives its transaction in a session; an open one asyncpg has rolled back already. The reset
    that asyncpg would send otherwise costs one more way to the server and back for every query."""


async def close_pool() -> None:
    if DB.pool:
        await DB.close_connection_pool()


def transaction() -> Transaction:
    """`async with transaction():` commits at the end, rolls back on an exception. No HTTP call belongs inside."""
    return DB.transaction()


@asynccontextmanager
async def connection() -> AsyncIterator[asyncpg.Connection]:
    """The connection of the running transaction, or one from the pool."""
    current = DB.current_transaction.get()
    if current is not None:
        yield current.connection
        return
    pool = cast("asyncpg.Pool", DB.pool)
    async with pool.acquire(timeout=DB.patience_seconds) as borrowed:
        yield cast("asyncpg.Connection", borrowed)


async def fetch(sql: str, *arguments: Any) -> list[asyncpg.Record]:
    async with connection() as borrowed:
        return await borrowed.fetch(sql, *arguments)


async def fetchrow(sql: str, *arguments: Any) -> asyncpg.Record | None:
    async with connection() as borrowed:
        return await borrowed.fetchrow(sql, *arguments)


async def fetchval(sql: str, *arguments: Any) -> Any:
    async with connection() as borrowed:
        return await borrowed.fetchval(sql, *arguments)


async def execute(sql: str, *arguments: Any) -> int:
    """Runs one statement; answers how many rows it touched."""
    async with connection() as borrowed:
        status = await borrowed.execute(sql, *arguments)
    count = status.rsplit(" ", 1)[-1]
    return int(count) if count.isdigit() else 0


async def execute_script(sql: str) -> None:
    """Several statements in one text, without arguments."""
    async with connection() as borrowed:
        await borrowed.execute(sql)


async def executemany(sql: str, rows: Sequence[Sequence[Any]]) -> None:
    async with connection() as borrowed:
        await borrowed.executemany(sql, rows)
