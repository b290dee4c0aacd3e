"""One envelope around every vendor call."""

from collections.abc import Collection, Mapping

from app.integrations.errors import ErrorKind, VendorError

__all__ = ["ErrorKind", "VendorError", "VendorHttp"]


class VendorHttp:
    async def get(self, path: str, *, kind: str, params: Mapping[str, str] | None = None) -> object:
        """The parsed JSON body."""
        raise VendorError(ErrorKind.UNAVAILABLE, "no connection")

    async def post(
        self, path: str, *, kind: str, body: Mapping[str, object], idempotent: bool = False,
        private: Collection[str] = (),
    ) -> object:
        raise VendorError(ErrorKind.UNAVAILABLE, "no connection")
