"""One running sandbox: its world, the platform over it, the faults, and time going by."""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

from litestar import Litestar

from app.sandbox import living
from app.sandbox.faults import Faults
from app.sandbox.platform import Platform
from app.sandbox.world import World

CALLS_KEPT = 200_000
SHORTEST_WAIT_SECONDS = 0.05
MISSED_SECONDS = 6 * 3600


class Sandbox:
    """`speed` 0: nothing happens by itself."""

    def __init__(self, world: World, *, speed: float, clock: Callable[[], float] = time.time) -> None:
        self.world = world
        self.speed = speed
        self.clock = clock
        self.platform = Platform(world, speed=speed, clock=clock)
        self.faults = Faults(world.seed)
        self.calls: deque[dict[str, Any]] = deque(maxlen=CALLS_KEPT)
        self.is_paused = False

    @asynccontextmanager
    async def live(self, _: Litestar) -> AsyncIterator[None]:
        """The league plays on as long as the app runs, and has played on while it did not."""
        if self.speed and self.clock() - self.world.last_at > MISSED_SECONDS:
            self.world.catch_up(self.clock())
        task = asyncio.create_task(self._play())
        yield
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        self.world.journal.close()

    async def _play(self) -> None:
        if not self.speed:
            return
        seconds_per_step = living.SECONDS_PER_STEP / self.speed
        wait = max(seconds_per_step, SHORTEST_WAIT_SECONDS)
        while True:
            await asyncio.sleep(wait)
            for _ in range(0 if self.is_paused else round(wait / seconds_per_step)):
                living.step(self.world, self.clock())
