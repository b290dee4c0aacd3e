"""An exception as it may be kept: its class, a text without personal data, a traceback without values."""

import hashlib
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from app.domain.redaction import one_line, redact

ROOT = Path(__file__).resolve().parents[2]
TEXT_LIMIT = 1_000
TRACEBACK_LIMIT = 20_000


@dataclass(frozen=True, slots=True)
class Failure:
    error_class: str
    text: str
    traceback: str | None = None


def describe(error: BaseException) -> Failure:
    return Failure(type(error).__name__, _text_of(error)[:TEXT_LIMIT], _traceback_of(error)[-TRACEBACK_LIMIT:])


def signature_of(error: BaseException) -> str:
    """Equal for failures of the same class at the same place of ours."""
    frames = [frame for link in _chain(error) for frame in traceback.extract_tb(link.__traceback__)]
    ours = [frame for frame in frames if frame.filename.startswith(f"{ROOT}/app/")]
    place = (ours or frames)[-1:]
    where = "".join(f"{frame.filename.removeprefix(f'{ROOT}/')}:{frame.name}" for frame in place)
    return hashlib.sha256(f"{type(error).__name__} {where}".encode()).hexdigest()


def _text_of(error: BaseException) -> str:
    """Our own exceptions speak without personal data. Others quote the value they stumbled over: only their kind is
    kept, and of the database's the code and the constraint."""
    if type(error).__module__.startswith("app."):
        return one_line(redact(str(error)))
    facts = [str(getattr(error, name, None) or "") for name in ("sqlstate", "constraint_name")]
    told = " ".join(fact for fact in facts if fact)
    return f"{type(error).__name__} ({told})" if told else type(error).__name__


def _traceback_of(error: BaseException) -> str:
    return "\n".join(
        f"{type(link).__name__}\n{''.join(traceback.format_tb(link.__traceback__))}" for link in _chain(error)
    ).replace(f"{ROOT}/", "")


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The exception and what led to it, newest first."""
    seen: set[int] = set()
    link: BaseException | None = error
    while link is not None and id(link) not in seen:
        seen.add(id(link))
        yield link
        link = link.__cause__ or (None if link.__suppress_context__ else link.__context__)
