"""A small load generator: so many kept-alive connections, each asking again as soon as it is answered."""

import asyncio
import statistics
import time
from dataclasses import dataclass, field

CONNECTIONS = 8
PAUSE_SECONDS = 0.01

Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass(frozen=True, slots=True)
class Target:
    """One request, ready to be sent."""

    name: str
    port: int
    path: str
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def request(self) -> bytes:
        lines = [f"GET {self.path} HTTP/1.1", f"Host: 127.0.0.1:{self.port}", "Accept: text/html"]
        return "\r\n".join((*lines, *(f"{name}: {value}" for name, value in self.headers.items()), "", "")).encode()


@dataclass(frozen=True, slots=True)
class Measure:
    per_second: float
    p50_ms: float
    p99_ms: float
    body_bytes: int


def median(measures: list[Measure]) -> Measure:
    return Measure(
        statistics.median(one.per_second for one in measures), statistics.median(one.p50_ms for one in measures),
        statistics.median(one.p99_ms for one in measures), measures[0].body_bytes,
    )


async def measure(target: Target, seconds: float) -> Measure:
    connections = [await _open(target) for _ in range(CONNECTIONS)]
    started = time.perf_counter()
    runs = await asyncio.gather(*(_keep_asking(target, *each, started + seconds) for each in connections))
    elapsed = time.perf_counter() - started
    latencies = sorted(latency for run, _ in runs for latency in run)
    at_99 = latencies[min(len(latencies) - 1, int(len(latencies) * 0.99))]
    return Measure(len(latencies) / elapsed, statistics.median(latencies) * 1000, at_99 * 1000, runs[0][1])


async def _open(target: Target) -> Connection:
    """One after the other: of many at once, whichever process wakes first takes all, and the other one idles."""
    connection = await asyncio.open_connection("127.0.0.1", target.port)
    await asyncio.sleep(PAUSE_SECONDS)
    return connection


async def _keep_asking(
    target: Target, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, until: float
) -> tuple[list[float], int]:
    request, size = target.request, 0
    latencies: list[float] = []
    while (begun := time.perf_counter()) < until or not latencies:
        writer.write(request)
        status, size = await _answer(reader)
        if status != 200:
            raise SystemExit(f"{target.path} answered {status}")
        latencies.append(time.perf_counter() - begun)
    writer.close()
    return latencies, size


async def _answer(reader: asyncio.StreamReader) -> tuple[int, int]:
    head = await reader.readuntil(b"\r\n\r\n")
    status = int(head[9:12])
    lowered = head.lower()
    if b"transfer-encoding: chunked" in lowered:
        return status, await _chunks(reader)
    at = lowered.find(b"content-length:")
    size = int(lowered[at + 15 : lowered.index(b"\r\n", at)]) if at >= 0 else 0
    await reader.readexactly(size)
    return status, size


async def _chunks(reader: asyncio.StreamReader) -> int:
    total = 0
    while size := int(await reader.readline(), 16):
        await reader.readexactly(size + 2)
        total += size
    await reader.readexactly(2)
    return total
