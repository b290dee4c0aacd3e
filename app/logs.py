"""Logging: one structured line per event, with the run or request it belongs to, without personal data or secrets."""

import logging
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

from app.domain.failures import describe
from app.domain.redaction import one_line, redact
from app.settings import Settings

QUIET = ("httpx", "httpcore", "saq", "psycopg.pool", "asyncio", "hpack")

Event = MutableMapping[str, Any]


def configure(settings: Settings) -> None:
    """Sends structlog's and the standard library's records through the same steps to standard error."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        make_safe,
        describe_exception,
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.stdlib.PositionalArgumentsFormatter(),
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, _renderer(settings.log_format)],
        )
    )
    logging.basicConfig(handlers=[handler], level=settings.log_level, force=True)
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)


def _renderer(log_format: str) -> Any:
    if log_format == "json":
        return structlog.processors.JSONRenderer()
    return structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())


def describe_exception(logger: object, method: str, event: Event) -> Event:
    """An exception becomes its class, its safe text and a traceback without values."""
    error = event.pop("exc_info", None)
    if error is True:
        error = sys.exc_info()
    if isinstance(error, tuple):
        error = error[1]
    if isinstance(error, BaseException):
        failure = describe(error)
        event.update(error_class=failure.error_class, error=failure.text, exception=failure.traceback)
    return event


def make_safe(logger: object, method: str, event: Event) -> Event:
    for key, value in event.items():
        if key != "exc_info" and not key.startswith("_"):
            event[key] = _safe(value)
    return event


def _safe(value: Any) -> Any:
    if isinstance(value, str):
        return one_line(redact(value))
    if isinstance(value, dict):
        return {_safe(key): _safe(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_safe(item) for item in value]
    if value is None or isinstance(value, bool | int | float):
        return value
    return one_line(redact(str(value)))
