"""What reaches the log, from our own code and from libraries."""

import io
import json
import logging
import sys
from collections.abc import Iterator

import httpx
import pytest
import structlog

from app import logs
from app.settings import get_settings


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """Everything logged, as JSON lines; the logging of the tests is back afterwards."""
    root = logging.getLogger()
    handlers, level, defaults = root.handlers[:], root.level, structlog.get_config()
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    logs.configure(get_settings().model_copy(update={"log_format": "json"}))
    yield stream
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.configure(**defaults)


def _lines(stream: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_line_carries_the_run_it_belongs_to(written: io.StringIO) -> None:
    with structlog.contextvars.bound_contextvars(run_id="7"):
        structlog.get_logger("app.x").info("run started", kind="job_cleanup", count=3)
    (line,) = _lines(written)
    assert line | {"timestamp": ""} == {
        "event": "run started", "kind": "job_cleanup", "count": 3, "run_id": "7", "level": "info", "logger": "app.x",
        "timestamp": "",
    }


def test_addresses_secrets_and_line_ends_are_taken_out_wherever_they_stand(written: io.StringIO) -> None:
    structlog.get_logger("app.x").warning(
        "ada@example.org\r\nforged", url="https://x/?token=abc", nested={"to": ["bo@example.org", b"cy@example.org"]}
    )
    logging.getLogger("library").warning("Bearer %s of %s \x1b[31m", "abc", "di@example.org")
    text = written.getvalue()
    assert len(_lines(written)) == 2
    assert not [secret for secret in ("@example", "abc", "\x1b", "\\u001b") if secret in text]


def test_an_exception_is_told_without_the_values_it_met(written: io.StringIO) -> None:
    secret = "Zimmer" + "mann"
    for logger in (structlog.get_logger("app.x"), logging.getLogger("library")):
        try:
            int(secret)
        except ValueError:
            logger.exception("it broke")
    ours, theirs = _lines(written)
    assert ours["error_class"] == theirs["error_class"] == "ValueError"
    assert "test_logs.py" in str(ours["exception"]) and "test_logs.py" in str(theirs["exception"])
    assert secret not in written.getvalue()


async def test_the_addresses_that_are_called_are_not_logged(written: io.StringIO) -> None:
    async with httpx.AsyncClient(transport=httpx.MockTransport(lambda _: httpx.Response(200))) as client:
        await client.get("https://example.org/people/ada")
    assert written.getvalue() == ""


def test_the_level_is_the_settings(written: io.StringIO) -> None:
    structlog.get_logger("app.x").debug("quiet")
    assert written.getvalue() == ""


def test_for_people_a_line_is_plain_text(monkeypatch: pytest.MonkeyPatch, written: io.StringIO) -> None:
    monkeypatch.setattr(sys, "stderr", written)
    logs.configure(get_settings())
    structlog.get_logger("app.x").info("worker\nstarted", slots=4)
    assert "worker\\nstarted" in written.getvalue() and "slots=4" in written.getvalue()
