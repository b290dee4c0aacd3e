"""How the sync with the Game Platform stands: counts and ids, for admins."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Any

from litestar import get
from litestar.response import Template

from app.controllers import panels
from app.controllers.panels import Panel
from app.domain.job_words import KIND_TITLES, VENDOR_TITLES
from app.queries import organizations, sync_health, vendor_calls
from app.queries.sync_health import Freshness
from app.queries.vendor_calls import MinuteOfCalls
from app.security.policy import admins
from app.settings import Settings
from app.web import AnyRequest, page

PATH = "/admin/sync"
VENDOR = "game_platform"
DONE = {"paused": "It is paused. What is due waits and is not lost.", "resumed": "It goes on."}
LATE_MINUTES = 10
"""Two ticks: a look this much past its promise was not only waiting for its turn."""
SHOWN_BATCHES = 30
SHOWN_BROKEN = 20
SHOWN_PUT_ASIDE = 100
SHOWN_MINUTES = 30


@dataclass(frozen=True, slots=True)
class TierAge:
    """How old the looks of one tier are, beside how old they may become."""

    now: Freshness
    promised_minutes: int

    @property
    def is_late(self) -> bool:
        return (self.now.oldest_minutes or 0) > self.promised_minutes + LATE_MINUTES


@dataclass(frozen=True, slots=True)
class Minute:
    """All kinds together: the limit counts them together."""

    minute: datetime
    kinds: tuple[MinuteOfCalls, ...]

    @property
    def calls(self) -> int:
        return sum(each.calls for each in self.kinds)


@get(PATH, guards=[admins])
async def show(request: AnyRequest) -> Template:
    return await shown(request, done=DONE.get(request.query_params.get("done", ""), ""))


async def shown(
    request: AnyRequest, *, done: str = "", problem: str = "", errors: Mapping[str, str] | None = None,
    entered: Mapping[str, str] | None = None,
) -> Template:
    """The page, also where a form of it was refused; `errors` by field, `entered` as it came."""
    return page(
        request, "sync/index.html", fragment="sync/_panels.html", status_code=422 if problem else 200,
        panels=await panels.render(request, _panels(request.app.state.settings)), done=done, problem=problem,
        errors=errors or {}, entered=entered or {"what": "", "reason": ""}, vendor_titles=VENDOR_TITLES,
        kind_titles=KIND_TITLES,
    )


def _panels(settings: Settings) -> list[Panel]:
    return [
        Panel("broken", "What is broken", "sync/_broken.html", _broken),
        Panel("freshness", "Freshness by tier", "sync/_freshness.html", lambda: _freshness(settings)),
        Panel("batches", "The latest batches", "sync/_batches.html", _batches),
        Panel("put_aside", "What is put aside", "sync/_put_aside.html", _put_aside),
        Panel("calls", "Calls per minute", "sync/_calls.html", lambda: _calls(settings)),
        Panel("advice", "Advice", "sync/_advice.html", _advice),
    ]


async def _broken() -> dict[str, Any]:
    return {"broken": await sync_health.recent_batches(limit=SHOWN_BROKEN, broken_only=True)}


async def _freshness(settings: Settings) -> dict[str, Any]:
    tightest, loosest = await organizations.get_promises()
    ages = zip(await sync_health.freshness(), settings.game_platform_look_minutes, loosest, strict=True)
    return {
        "tiers": [TierAge(now, min(installation, promised)) for now, installation, promised in ages],
        "promises_differ": tightest != loosest,
    }


async def _batches() -> dict[str, Any]:
    return {"batches": await sync_health.recent_batches(limit=SHOWN_BATCHES)}


async def _put_aside() -> dict[str, Any]:
    return {"put_aside": await sync_health.put_aside(limit=SHOWN_PUT_ASIDE), "most": SHOWN_PUT_ASIDE}


async def _calls(settings: Settings) -> dict[str, Any]:
    since = datetime.now(UTC) - timedelta(minutes=SHOWN_MINUTES)
    states = await vendor_calls.breaker_states()
    return {
        "minutes": _by_minute(await vendor_calls.calls_per_minute(since=since, vendor=VENDOR)),
        "limit": settings.game_platform_max_requests_per_minute, "shown_minutes": SHOWN_MINUTES,
        "breaker": next((state for state in states if state.vendor == VENDOR), None),
    }


def _by_minute(rows: Sequence[MinuteOfCalls]) -> list[Minute]:
    return [Minute(minute, tuple(kinds)) for minute, kinds in groupby(rows, key=lambda row: row.minute)]


async def _advice() -> dict[str, Any]:
    return {"advice": await sync_health.tuning_advice()}
