"""What can go wrong at a vendor, in six kinds that a caller can act on."""

from enum import StrEnum


class ErrorKind(StrEnum):
    RATE_LIMITED = "rate_limited"
    UNAVAILABLE = "unavailable"
    UNAUTHORIZED = "unauthorized"
    NOT_FOUND = "not_found"
    INVALID = "invalid"
    BAD_SHAPE = "bad_shape"


class VendorError(Exception):
    """A call that did not succeed. `message` is the vendor's own words where it had any, without personal data.

    `ambiguous`: the vendor may have done what was asked, so read there before writing again.
    `permanent`: the same call again would only fail again.
    """

    def __init__(
        self, kind: ErrorKind, message: str, *,
        status: int | None = None, retry_after_seconds: float | None = None,
        ambiguous: bool = False, permanent: bool = False,
    ) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.status = status
        self.retry_after_seconds = retry_after_seconds
        self.ambiguous = ambiguous
        self.permanent = permanent
