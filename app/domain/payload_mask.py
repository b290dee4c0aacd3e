"""A run's payload as the operators' pages show it: ids, numbers and switches as they are, any other text masked."""

from collections.abc import Mapping

from app.domain.addresses import UUID_TEXT

MASKED = "•••"
SHOWN_IDS = 3


def masked(payload: Mapping[str, object]) -> dict[str, str]:
    return {name: _value(value) for name, value in payload.items()}


def _value(value: object) -> str:
    match value:
        case bool():
            return "yes" if value else "no"
        case int() | float():
            return str(value)
        case str():
            return value if UUID_TEXT.fullmatch(value) else MASKED
        case list():
            rest = len(value) - SHOWN_IDS
            return ", ".join(map(_value, value[:SHOWN_IDS])) + (f" and {rest} more" if rest > 0 else "")
        case None:
            return "none"
    return MASKED
