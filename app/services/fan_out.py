"""The same work for many, a few at a time."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


async def each(
    items: Iterable[Item], work: Callable[[Item], Awaitable[Result]], *, concurrency: int | asyncio.Semaphore
) -> list[Result]:
    """Results in the order of the items. The first exception ends the others and is raised as it is.

    A semaphore is one that several such works share.
    """
    gate = asyncio.Semaphore(concurrency) if isinstance(concurrency, int) else concurrency

    async def one(item: Item) -> Result:
        async with gate:
            return await work(item)

    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one(item)) for item in items]
    except BaseExceptionGroup as failures:
        raise _first(failures) from None
    return [task.result() for task in tasks]


def _first(failure: BaseException) -> BaseException:
    while isinstance(failure, BaseExceptionGroup):
        failure = failure.exceptions[0]
    return failure
