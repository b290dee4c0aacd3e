"""The buttons that add people to the Game Platform, in the list and on one person's card."""

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from litestar.exceptions import NotFoundException

from app.domain.onboarding_button import ADD, Button, ButtonState
from app.domain.readers import Reader
from app.features import Feature, Flags, read_flags
from app.queries import onboarding
from app.queries.competitors import Row
from app.services import onboarding_requests
from app.services.onboarding_requests import SWITCHED_OFF, Added, NotFound

NOT_FOUND = "There is no such competitor, or it is not yours to see."


async def add(reader: Reader, competitor_ids: Sequence[UUID]) -> Added:
    try:
        return await onboarding_requests.add_to_platform(reader, competitor_ids)
    except NotFound:
        raise NotFoundException(detail=NOT_FOUND) from None


async def read(reader: Reader, rows: Sequence[Row]) -> dict[UUID, Button]:
    """Where adding is switched off, nothing can be pressed and the reason stands beside it."""
    buttons = await onboarding.buttons(reader.sight, [row.competitor_id for row in rows])
    flags = await read_flags()
    return {row.competitor_id: _offered(buttons[row.competitor_id], row, flags) for row in rows}


def _offered(button: Button, row: Row, flags: Flags) -> Button:
    if button.can_be_pressed and not flags.is_on(Feature.ONBOARDING, row.organization_id):
        return replace(button, state=ButtonState.BLOCKED, label=ADD, reason=SWITCHED_OFF)
    return button
