"""Looking for alarms beside whatever else a process does. Workers and web processes do it alike: one row in the
database says whose turn it is, so that it costs the same however many there are."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import structlog

from app.services import alarm_deliveries, alarms

PAUSE_SECONDS = 5.0

log = structlog.get_logger(__name__)


@asynccontextmanager
async def watching() -> AsyncIterator[None]:
    task = asyncio.create_task(watch())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def watch() -> None:
    """For ever; a look that fails (the database restarts) is repeated. Processes that start together look apart."""
    while True:
        await asyncio.sleep(PAUSE_SECONDS * (0.5 + random.random()))  # noqa: S311
        for step in (alarms.look, alarm_deliveries.send_due):
            try:
                await step()
            except Exception as error:
                log.warning("alarms could not be looked at", step=step.__name__, exc_info=error)
