"""Both ends of a wire: answers made by hand, a server that sends exactly the bytes it is told, and what a call told."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from ssl import SSLContext

import httpx

from app.integrations.http import Deadlines, Reservation, VendorError, VendorHttp, make_client

JSON = {"content-type": "application/json"}
QUICK = Deadlines(connect_seconds=1, read_seconds=1, attempt_seconds=1.5, total_seconds=4)
Handler = Callable[[httpx.Request], httpx.Response]
Respond = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@dataclass
class Office:
    """Limiter, breaker and ledger of one process, which remember what they were told."""

    wait_seconds: float = 0.0
    hold_off_seconds: float = 0.0
    closed_off: VendorError | None = None
    kinds: list[str] = field(default_factory=list)
    outcomes: list[tuple[int | None, str]] = field(default_factory=list)
    bytes_received: list[int] = field(default_factory=list)
    failures: list[VendorError] = field(default_factory=list)
    successes: int = 0

    async def reserve(self, kind: str, *, patience_seconds: float) -> Reservation:
        if self.wait_seconds > patience_seconds:
            return Reservation(call_id=None, wait_seconds=self.wait_seconds)
        self.kinds.append(kind)
        return Reservation(call_id=len(self.kinds), wait_seconds=self.wait_seconds)

    async def allow(self) -> float:
        if self.closed_off:
            raise self.closed_off
        return self.hold_off_seconds

    async def failed(self, error: VendorError) -> None:
        self.failures.append(error)

    async def succeeded(self) -> None:
        self.successes += 1

    async def finish(
        self, call_id: int, *, status: int | None, outcome: str, duration_seconds: float, bytes_received: int
    ) -> None:
        self.outcomes.append((status, str(outcome)))
        self.bytes_received.append(bytes_received)


async def _stream(content: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(content), 65_536):
        yield content[start : start + 65_536]


def answer(status: int, body: object = None, **headers: str) -> httpx.Response:
    """`body` as JSON, or as it is where it is bytes; sent piece by piece as a network would."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.Response(status, headers=JSON | named, content=_stream(content))


def envelope(
    handler: Handler, office: Office, *, deadlines: Deadlines = QUICK, max_bytes: int = 1_000_000
) -> VendorHttp:
    client = make_client(
        "https://vendor.example/api", token="a-token", concurrency=4, transport=httpx.MockTransport(handler)
    )
    return VendorHttp(
        client, vendor="example", limiter=office, breaker=office, ledger=office, run_id="run-1",
        deadlines=deadlines, max_bytes=max_bytes,
    )


@asynccontextmanager
async def envelope_to(address: str, office: Office, *, deadlines: Deadlines = QUICK) -> AsyncIterator[VendorHttp]:
    async with make_client(address, token="a-token", concurrency=4, use_proxies=False) as client:
        yield VendorHttp(
            client, vendor="example", limiter=office, breaker=office, ledger=office, deadlines=deadlines
        )


@asynccontextmanager
async def serving(respond: Respond, *, tls: SSLContext | None = None) -> AsyncIterator[str]:
    """The address of a server that leaves every byte of its answer to `respond`."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            await respond(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0, ssl=tls)
    port = server.sockets[0].getsockname()[1]
    try:
        yield f"{'https' if tls else 'http'}://localhost:{port}" if tls else f"http://127.0.0.1:{port}"
    finally:
        server.close()
