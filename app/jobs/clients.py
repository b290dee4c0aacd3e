"""The vendors' clients as jobs use them: settings, shared limiter, breaker and ledger put together."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit
from uuid import UUID

import httpx

from app.integrations.errors import ErrorKind, VendorError
from app.integrations.game_platform.client import VENDOR, GamePlatformClient, forbidden
from app.integrations.http import VendorHttp, make_client
from app.services.vendor_calls import VendorBreaker, VendorLedger, VendorLimiter
from app.settings import Settings, is_loopback


@asynccontextmanager
async def open_game_platform(
    settings: Settings, *, run_id: UUID | None, transport: httpx.AsyncBaseTransport | None = None
) -> AsyncIterator[GamePlatformClient]:
    """A client whose calls carry the run's id. `transport` stands in for the network in tests."""
    token = (settings.game_platform_api_token or "").strip()
    if not token:
        raise VendorError(ErrorKind.UNAUTHORIZED, "GAME_PLATFORM_API_TOKEN is not set", permanent=True)
    base_url = settings.game_platform_base_url
    limiter = VendorLimiter(
        vendor=VENDOR, token=token, per_minute=settings.game_platform_max_requests_per_minute, run_id=run_id
    )
    async with make_client(
        base_url, token=token, concurrency=settings.game_platform_concurrency, transport=transport,
        use_proxies=not is_loopback(urlsplit(base_url).hostname or ""),
    ) as client:
        yield GamePlatformClient(VendorHttp(
            client, vendor=VENDOR, run_id=run_id, limiter=limiter, breaker=VendorBreaker(vendor=VENDOR),
            ledger=VendorLedger(), forbidden=forbidden,
        ))
