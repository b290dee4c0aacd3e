"""Bodies into models: one bad record of a list is put aside with its reason, the others go on."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, ValidationError

from app.integrations.errors import ErrorKind, VendorError

EARLIEST_UNIX = 1_420_070_400  # 2015-01-01
DAY_SECONDS = 86_400
MAX_NAMED_PROBLEMS = 5
MAX_REJECTED = 1000


@dataclass(frozen=True, slots=True)
class RejectedRecord:
    raw: object
    reason: str


class RepeatsKey(dict[str, Any]):
    """A JSON object that named a key twice: which value was meant is unknown, so no record is made of it."""


class VendorModel(BaseModel):
    """Unknown fields are kept: what a vendor adds tomorrow must not stop us today. `raw` is the object as received."""

    model_config = ConfigDict(extra="allow", frozen=True)

    raw: dict[str, Any] = Field(exclude=True, repr=False)


Model = TypeVar("Model", bound=VendorModel)


def _identifier_to_text(value: object) -> object:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _is_past_second(value: int) -> int:
    if EARLIEST_UNIX <= value <= time.time() + DAY_SECONDS:
        return value
    raise ValueError("is not a time in Unix seconds between 2015 and now")


Identifier = Annotated[str, BeforeValidator(_identifier_to_text), StringConstraints(min_length=1, max_length=200)]
WholeNumber = Annotated[int, Field(strict=True, ge=-(2**31), lt=2**31)]
UnixSecond = Annotated[int, Field(strict=True, ge=-(2**53), le=2**53)]
PastSecond = Annotated[int, Field(strict=True), AfterValidator(_is_past_second)]


def moment(unix_seconds: int | None) -> datetime | None:
    """The time a vendor means; None for 0, null and anything that cannot be one."""
    if unix_seconds is None or not EARLIEST_UNIX <= unix_seconds <= time.time() + DAY_SECONDS:
        return None
    return datetime.fromtimestamp(unix_seconds, UTC)


def read(model: type[Model], body: object) -> Model:
    """The body as this model. Raises VendorError(bad_shape) that names the fields, never their values."""
    try:
        return _build(model, body)
    except ValueError as error:
        raise VendorError(ErrorKind.BAD_SHAPE, f"{model.__name__}: {explain(error)}") from None


def read_each(model: type[Model], items: Sequence[object]) -> tuple[tuple[Model, ...], tuple[RejectedRecord, ...]]:
    """Raises ValueError where so many are bad that it is the list that is."""
    records: list[Model] = []
    rejected: list[RejectedRecord] = []
    for item in items:
        if len(rejected) > MAX_REJECTED:
            raise ValueError(f"more than {MAX_REJECTED} of its records cannot be read")
        try:
            records.append(_build(model, item))
        except ValueError as error:
            rejected.append(RejectedRecord(raw=item, reason=explain(error)))
    return tuple(records), tuple(rejected)


def explain(error: ValueError) -> str:
    """One phrase per problem: the field and what is wrong with it."""
    if not isinstance(error, ValidationError):
        return str(error)
    problems = error.errors(include_url=False, include_context=False, include_input=False)[:MAX_NAMED_PROBLEMS]
    return "; ".join(_phrase(problem["type"], problem["loc"], problem["msg"]) for problem in problems)


def _phrase(kind: str, location: Sequence[int | str], message: str) -> str:
    field = ".".join(str(part) for part in location)
    if kind == "missing":
        return f"{field} is missing"
    return f"{field}: {message.removeprefix('Value error, ')}" if field else message


def _build(model: type[Model], body: object) -> Model:
    if not isinstance(body, dict):
        raise ValueError("is not a JSON object")
    if isinstance(body, RepeatsKey):
        raise ValueError("names a field twice")
    return model.model_validate({**body, "raw": body})
