"""One envelope around every vendor call: deadlines, retries within a budget, limiter, breaker, ledger, error kinds.

It knows HTTP and no vendor. What must be shared between processes (limiter, breaker, ledger) is handed in.
"""

import asyncio
import functools
import logging
import ssl
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Protocol

import httpx

from app.integrations.bodies import is_page, parse_json, read_body
from app.integrations.errors import ErrorKind, VendorError
from app.integrations.failures import NEVER_SENT, kind_of, may_have_happened, redirected, unreachable, words_in
from app.integrations.retries import MAX_ATTEMPTS, RetryBudget, backoff, retry_after

__all__ = [
    "Breaker", "Deadlines", "ErrorKind", "Ledger", "Limiter", "Reservation", "VendorError", "VendorHttp", "make_client",
]

MAX_BYTES = 20_000_000
THREAD_BYTES = 500_000
LOG = logging.getLogger(__name__)
logging.getLogger("httpx").setLevel(logging.WARNING)  # it logs whole addresses, query values included

ANSWERS = frozenset({"ok", ErrorKind.NOT_FOUND})
"""Not there is an answer like any other: we look before we create."""
VENDOR_IS_UP = frozenset({ErrorKind.NOT_FOUND, ErrorKind.INVALID, ErrorKind.BAD_SHAPE})


@dataclass(frozen=True, slots=True)
class Reservation:
    """A place in the queue of one vendor token; without `call_id` the wait was longer than the caller's patience."""

    call_id: int | None
    wait_seconds: float


class Limiter(Protocol):
    async def reserve(self, kind: str, *, patience_seconds: float) -> Reservation: ...


class Breaker(Protocol):
    async def allow(self) -> float:
        """Seconds until a call may leave; 0 when all is well. Raises VendorError while the vendor is left alone."""

    async def failed(self, error: VendorError) -> None: ...

    async def succeeded(self) -> None: ...


class Ledger(Protocol):
    async def finish(
        self, call_id: int, *, status: int | None, outcome: str, duration_seconds: float, bytes_received: int
    ) -> None: ...


@dataclass(frozen=True, slots=True)
class Deadlines:
    """`attempt` and `total` also end a body that trickles for ever, which no read timeout does."""

    connect_seconds: float = 5.0
    read_seconds: float = 15.0
    attempt_seconds: float = 30.0
    total_seconds: float = 60.0


@dataclass(frozen=True, slots=True)
class _Call:
    method: str
    path: str
    kind: str
    params: Mapping[str, str]
    body: Mapping[str, object] | None
    idempotent: bool
    private: tuple[str, ...]


@dataclass(slots=True)
class _Exchange:
    """What is known of one attempt, also when it broke off."""

    started: float = field(default_factory=time.monotonic)
    status: int | None = None
    bytes_received: int = 0


def make_client(
    base_url: str, *, token: str, concurrency: int, use_proxies: bool = True,
    transport: httpx.AsyncBaseTransport | None = None,
) -> httpx.AsyncClient:
    """Follows no redirect, and asks only for the compression whose size can be bounded while unpacking."""
    return httpx.AsyncClient(
        base_url=base_url, follow_redirects=False, trust_env=use_proxies, transport=transport, verify=_authorities(),
        headers={"authorization": f"Bearer {token}", "accept": "application/json", "accept-encoding": "gzip"},
        limits=httpx.Limits(max_connections=concurrency, max_keepalive_connections=concurrency),
    )


@functools.cache
def _authorities() -> ssl.SSLContext:
    """Whom to trust, read once: each reading takes longer than a call, and half a megabyte for a long while."""
    return httpx.create_ssl_context()


class VendorHttp:
    def __init__(
        self, client: httpx.AsyncClient, *, vendor: str, limiter: Limiter, breaker: Breaker, ledger: Ledger,
        run_id: object = None, deadlines: Deadlines | None = None, max_bytes: int = MAX_BYTES,
        forbidden: Callable[[str], ErrorKind] = lambda message: ErrorKind.UNAUTHORIZED,
    ) -> None:
        """`forbidden` says what a 403 with these words means at this vendor."""
        self._client = client
        self._vendor = vendor
        self._limiter = limiter
        self._breaker = breaker
        self._ledger = ledger
        self._run_id = run_id
        self._deadlines = deadlines or Deadlines()
        self._max_bytes = max_bytes
        self._forbidden = forbidden
        self._secrets = tuple(client.headers.get("authorization", "").split()[1:])
        self._budget = RetryBudget()

    async def get(self, path: str, *, kind: str, params: Mapping[str, str] | None = None) -> object:
        """The parsed JSON body, None where it is empty. Raises VendorError."""
        return await self._request(_Call("GET", path, kind, params or {}, None, idempotent=True, private=()))

    async def post(
        self, path: str, *, kind: str, body: Mapping[str, object], idempotent: bool = False,
        private: Collection[str] = (),
    ) -> object:
        """`idempotent`: asking twice does no more than asking once. `private`: values that no message may repeat."""
        return await self._request(_Call("POST", path, kind, {}, body, idempotent, tuple(private)))

    async def _request(self, call: _Call) -> object:
        deadline = time.monotonic() + self._deadlines.total_seconds
        self._budget.earn()
        attempt = 1
        while True:
            call_id, waited_seconds = await self._wait_for_turn(call.kind, deadline)
            deadline += waited_seconds  # our own queue takes nothing from the time the vendor has to answer
            try:
                return await self._attempt(call, call_id, attempt, deadline)
            except VendorError as error:
                pause = backoff(attempt) if error.retry_after_seconds is None else error.retry_after_seconds
                if not self._may_retry(error, attempt, pause, deadline):
                    raise
            await asyncio.sleep(pause)
            attempt += 1

    def _may_retry(self, error: VendorError, attempt: int, pause: float, deadline: float) -> bool:
        return (
            error.kind in (ErrorKind.RATE_LIMITED, ErrorKind.UNAVAILABLE)
            and not (error.ambiguous or error.permanent)
            and attempt < MAX_ATTEMPTS
            and time.monotonic() + pause < deadline
            and self._budget.spend()
        )

    async def _wait_for_turn(self, kind: str, deadline: float) -> tuple[int, float]:
        pause = await self._breaker.allow()
        if time.monotonic() + pause > deadline:
            raise VendorError(ErrorKind.RATE_LIMITED, "asked us to wait", retry_after_seconds=pause)
        await asyncio.sleep(pause)
        turn = await self._limiter.reserve(kind, patience_seconds=deadline - time.monotonic())
        if turn.call_id is None:
            message = "too many calls wait for their turn within our limit of calls per minute"
            raise VendorError(ErrorKind.RATE_LIMITED, message, retry_after_seconds=turn.wait_seconds)
        await asyncio.sleep(turn.wait_seconds)
        return turn.call_id, turn.wait_seconds

    async def _attempt(self, call: _Call, call_id: int, attempt: int, deadline: float) -> object:
        exchange = _Exchange()
        try:
            body = await self._exchange(call, exchange, deadline)
        except VendorError as error:
            if error.kind is ErrorKind.RATE_LIMITED and error.retry_after_seconds is None:
                error.retry_after_seconds = 1 + backoff(attempt)
            await self._finish(call, call_id, exchange, error.kind)
            await self._tell_breaker(error, exchange)
            raise
        await self._finish(call, call_id, exchange, "ok")
        await self._breaker.succeeded()
        return body

    async def _tell_breaker(self, error: VendorError, exchange: _Exchange) -> None:
        if error.kind not in VENDOR_IS_UP:
            await self._breaker.failed(error)
        elif exchange.status is not None:
            await self._breaker.succeeded()

    async def _finish(self, call: _Call, call_id: int, exchange: _Exchange, outcome: str) -> None:
        duration = time.monotonic() - exchange.started
        LOG.log(
            logging.INFO if outcome in ANSWERS else logging.WARNING, "%s %s %s: %s %s in %d ms, run %s",
            self._vendor, call.method, call.path, exchange.status or "-", outcome, duration * 1000, self._run_id or "-",
        )
        await self._ledger.finish(
            call_id, status=exchange.status, outcome=outcome, duration_seconds=duration,
            bytes_received=exchange.bytes_received,
        )

    async def _exchange(self, call: _Call, exchange: _Exchange, deadline: float) -> object:
        """One attempt; whatever breaks on the way becomes a VendorError."""
        seconds = min(self._deadlines.attempt_seconds, max(deadline - time.monotonic(), 0.001))
        try:
            async with asyncio.timeout(seconds):
                return await self._send(call, exchange)
        except TimeoutError:
            raise _broken(f"did not finish its answer within {seconds:.3g} seconds", call, exchange) from None
        except NEVER_SENT as error:
            raise unreachable(error) from None
        except (httpx.InvalidURL, httpx.LocalProtocolError, UnicodeError):
            raise VendorError(ErrorKind.INVALID, "the request holds characters that cannot be sent") from None
        except httpx.TimeoutException:
            raise _broken(f"sent nothing for {self._deadlines.read_seconds:.3g} seconds", call, exchange) from None
        except httpx.HTTPError as error:
            raise _broken(f"broke off its answer ({type(error).__name__})", call, exchange) from None

    async def _send(self, call: _Call, exchange: _Exchange) -> object:
        limits = self._deadlines
        async with self._client.stream(
            call.method, call.path, params=call.params or None, json=call.body,
            timeout=httpx.Timeout(limits.read_seconds, connect=limits.connect_seconds),
        ) as response:
            exchange.status = response.status_code
            try:
                return await self._judge(call, response)
            except VendorError as error:
                error.status = response.status_code
                error.ambiguous = not call.idempotent and may_have_happened(response.status_code)
                raise
            finally:
                exchange.bytes_received = response.num_bytes_downloaded

    async def _judge(self, call: _Call, response: httpx.Response) -> object:
        """The body of a success; anything else raises."""
        if 300 <= response.status_code < 400:
            raise redirected(response)
        raw = await read_body(response, max_bytes=self._max_bytes)
        if not response.is_success:
            raise self._refused(call, response, raw)
        content_type = response.headers.get("content-type", "")
        if len(raw) < THREAD_BYTES:
            return parse_json(raw, content_type)
        return await asyncio.to_thread(parse_json, raw, content_type)

    def _refused(self, call: _Call, response: httpx.Response, raw: bytes) -> VendorError:
        status = response.status_code
        words = words_in(raw, (*call.private, *self._secrets))
        kind = self._forbidden(words) if status == 403 else kind_of(status)
        if status in (403, 404) and is_page(raw):
            kind, words = ErrorKind.UNAVAILABLE, f"answered {status} with a web page instead of data"
        wait = retry_after(response.headers.get("retry-after"), now=datetime.now(UTC)) if status in (429, 503) else None
        return VendorError(kind, words or f"answered {status} without a reason", retry_after_seconds=wait)


def _broken(message: str, call: _Call, exchange: _Exchange) -> VendorError:
    return VendorError(ErrorKind.UNAVAILABLE, message, status=exchange.status, ambiguous=not call.idempotent)
