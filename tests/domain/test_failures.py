"""An exception as it may be kept."""

from app.domain.failures import describe
from app.queue import BadPayload


def _failure_of(error: Exception) -> tuple[str, str, str]:
    try:
        raise error
    except Exception as caught:
        failure = describe(caught)
    return failure.error_class, failure.text, failure.traceback or ""


def test_our_own_exceptions_keep_their_words_without_addresses() -> None:
    error_class, text, trace = _failure_of(BadPayload("email", "ada@example.org\nis taken"))
    assert (error_class, text) == ("BadPayload", "email: [redacted]\\nis taken")
    assert "tests/domain/test_failures.py" in trace and not trace.startswith("/")


def test_foreign_exceptions_keep_only_their_kind() -> None:
    assert _failure_of(KeyError("Zimmermann"))[:2] == ("KeyError", "KeyError")


def test_what_led_to_a_failure_is_named_without_its_values() -> None:
    secret = "Zimmer" + "mann"
    try:
        try:
            int(secret)
        except ValueError as error:
            raise LookupError(secret) from error
    except LookupError as error:
        failure = describe(error)
    assert failure.traceback and failure.traceback.index("LookupError") < failure.traceback.index("ValueError")
    assert secret not in failure.traceback


def test_endless_texts_are_cut() -> None:
    assert len(_failure_of(BadPayload("x", "y" * 10_000))[1]) == 1_000
