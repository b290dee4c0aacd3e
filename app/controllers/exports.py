"""Files are limited for everybody who takes them: by the minute of one page, by the hour of all."""

from app.security import throttling
from app.security.connections import client_address
from app.services import organization_limits
from app.web import AnyRequest, asks_for_head, reader_of

FORMATS = frozenset({"csv", "xlsx"})


async def admit(request: AnyRequest) -> None:
    """Runs before every handler, after its policy. Raises TooManyAttempts."""
    reader = reader_of(request)
    if reader is None or request.method != "GET" or request.query_params.get("format") not in FORMATS:
        return
    if asks_for_head(request):
        return
    account, address = str(reader.user_id), client_address(request)
    await throttling.admit(throttling.EXPORT, account=f"{account} {request.url.path}", address=address)
    most = await organization_limits.exports_per_hour(reader.organization_ids)
    await throttling.admit(throttling.exports_in_an_hour(most), account=account, address=address)
