"""/metrics for Prometheus and what speaks like it: to an admin, or to whoever presents METRICS_TOKEN."""

import hmac
import os
from collections.abc import Iterator, Sequence

from litestar import get
from litestar.exceptions import NotAuthorizedException, PermissionDeniedException
from litestar.response import Response
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from app.domain.alarm_rules import Cause
from app.features import Feature
from app.queries import metrics
from app.queries.metrics import Count, Metrics
from app.request_log import REGISTRY
from app.security import throttling
from app.security.connections import client_address
from app.security.policy import bearer
from app.settings import Settings
from app.web import AnyRequest, reader_of

WRONG_TOKENS = throttling.Rule("metrics", window_seconds=600, per_account=50, per_address=50, free=50)
VENDORS = tuple(sorted({feature.vendor.value for feature in Feature}))


@get("/metrics", guards=[bearer])
async def show(request: AnyRequest) -> Response[bytes]:
    await _require_right(request)
    registry = CollectorRegistry()
    registry.register(_Numbers(await metrics.read(VENDORS)))
    body = generate_latest(registry) + generate_latest(_requests())
    return Response(body, media_type=CONTENT_TYPE_LATEST, headers={"Cache-Control": "no-store"})


def _requests() -> CollectorRegistry:
    """Of this process; of all of this host where they share a folder."""
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return REGISTRY
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return registry


async def _require_right(request: AnyRequest) -> None:
    settings: Settings = request.app.state.settings
    header = request.headers.get("authorization", "")
    if settings.metrics_token and header and _is_known(header, settings.metrics_token):
        return
    reader = reader_of(request)
    if reader and not header:
        if not reader.is_admin or reader.needs_second_factor:
            raise PermissionDeniedException(detail="Only admins see the metrics.")
        return
    if header:
        await throttling.admit(WRONG_TOKENS, account="metrics", address=client_address(request))
    raise NotAuthorizedException(
        detail="The Authorization header should be Bearer and METRICS_TOKEN.", headers={"WWW-Authenticate": "Bearer"}
    )


def _is_known(header: str, token: str) -> bool:
    """In constant time."""
    scheme, _space, presented = header.partition(" ")
    is_same = hmac.compare_digest(presented.strip().encode("utf-8", "replace"), token.encode())
    return is_same and scheme.lower() == "bearer"


class _Numbers(Collector):
    """From the database: the same from every process, so that collectors take one of them (max), not their sum."""

    def __init__(self, read: Metrics) -> None:
        self._read = read

    def collect(self) -> Iterator[GaugeMetricFamily]:
        read = self._read
        yield _gauge("runs_ended_last_hour", "Runs of the last hour that ended.", read.runs_ended, "kind", "state")
        yield _gauge("runs_active", "Runs that wait or run.", read.runs_active, "kind", "state")
        yield _gauge("vendor_calls_last_5_minutes", "Calls to vendors.", read.vendor_calls, "vendor", "outcome")
        yield _gauge("vendor_breaker_open", "1 where a vendor is left alone.", read.breakers_open, "vendor")
        yield _gauge("alarms_open", "Open alarms by cause.", _all_causes(read.alarms_open), "cause")
        yield _gauge("outbox_rows", "Changes that wait or are parked.", _all_states(read.outbox), "state")
        yield from self._freshness()
        for name, words, value in (
            ("queue_due", "Runs that are due and not started.", read.due),
            ("queue_oldest_due_seconds", "How long the oldest of them is due.", read.oldest_due_seconds),
            ("schedules_overdue", "Schedules whose time passed.", read.schedules_overdue),
            ("workers_alive", "Workers heard within 60 seconds.", read.workers_alive),
            ("alarms_looked_at_seconds", "Since somebody looked for alarms; -1 for never.", read.looked_seconds_ago),
            ("database_bytes", "Size on disk.", read.database_bytes),
        ):
            yield GaugeMetricFamily(f"sideline_{name}", words, value=value)

    def _freshness(self) -> Iterator[GaugeMetricFamily]:
        tiers = self._read.freshness
        yield _gauge("people", "People looked at, by tier.", [Count((t.tier,), t.people) for t in tiers], "tier")
        oldest = GaugeMetricFamily(
            "sideline_freshness_oldest_seconds", "Age of the oldest look, by tier.", labels=["tier"]
        )
        for tier in tiers:
            oldest.add_metric([tier.tier], (tier.oldest_minutes or 0) * 60)
        yield oldest


def _gauge(name: str, words: str, counts: Sequence[Count], *labels: str) -> GaugeMetricFamily:
    family = GaugeMetricFamily(f"sideline_{name}", words, labels=labels)
    for each in counts:
        family.add_metric(each.labels, each.count)
    return family


def _all_causes(counts: Sequence[Count]) -> list[Count]:
    """A cause without an alarm is 0, not missing."""
    known = {each.labels[0]: each.count for each in counts}
    return [Count((cause.value,), known.get(cause.value, 0)) for cause in Cause]


def _all_states(counts: Sequence[Count]) -> list[Count]:
    known = {each.labels[0]: each.count for each in counts}
    return [Count((state,), known.get(state, 0)) for state in ("waiting", "parked")]
