"""One person's account at the Game Platform: found before it is made, so that trying again never makes a second."""

from app.integrations.errors import ErrorKind, VendorError
from app.integrations.game_platform.client import GamePlatformClient
from app.integrations.game_platform.schemas import NewUser, PlatformUser

CONFLICT = 409
AWAY = frozenset({ErrorKind.UNAVAILABLE, ErrorKind.RATE_LIMITED, ErrorKind.UNAUTHORIZED})


async def find(client: GamePlatformClient, syned_user_id: str) -> PlatformUser | None:
    try:
        return await client.get_user(syned_user_id)
    except VendorError as error:
        if error.kind is ErrorKind.NOT_FOUND:
            return None
        raise


async def create(client: GamePlatformClient, user: NewUser) -> PlatformUser:
    """When the answer was lost, or says that it exists, the platform is asked whether the account was made."""
    try:
        return await client.create_user(user)
    except VendorError as error:
        if not (error.ambiguous or error.kind is ErrorKind.BAD_SHAPE or error.status == CONFLICT):
            raise
        if made := await find(client, user.syned_user_id):
            return made
        raise
