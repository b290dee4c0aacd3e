"""The Game Platform's operations, one method each. Every method raises VendorError and nothing else."""

from dataclasses import asdict

from app.integrations.errors import ErrorKind, VendorError
from app.integrations.game_platform.schemas import (
    FlashCtfProgress,
    NewTeam,
    NewUser,
    OdlFeed,
    OdlScores,
    PlatformTeam,
    PlatformUser,
    TeamAssignment,
    TeamAssignments,
)
from app.integrations.http import VendorHttp
from app.integrations.records import Model, read

VENDOR = "game_platform"


def forbidden(message: str) -> ErrorKind:
    """A 403 is about one person who is not approved yet, unless it is about our token."""
    return ErrorKind.NOT_FOUND if "not found or not approved" in message.lower() else ErrorKind.UNAUTHORIZED


class GamePlatformClient:
    """A user who is not there and one who is not approved yet are both `not_found`; the latter with status 403."""

    def __init__(self, http: VendorHttp) -> None:
        self._http = http

    async def index(self) -> object:
        return await self._http.get("/", kind="index")

    async def get_user(self, syned_user_id: str) -> PlatformUser:
        body = await self._http.get("/users", kind="get_user", params={"syned_user_id": syned_user_id})
        return read(PlatformUser, body)

    async def create_user(self, user: NewUser) -> PlatformUser:
        """After an ambiguous failure, `get_user` tells whether the account was made."""
        private = (user.first_name, user.last_name, user.email, user.preferred_username or "")
        body = await self._http.post("/users", kind="create_user", body=_filled(user), private=private)
        return _read_new(PlatformUser, body)

    async def send_password_mail(self, syned_user_id: str) -> None:
        """No part of the documented contract: 404 and 405 mean that the platform does not offer it."""
        body = {"syned_user_id": syned_user_id}
        await self._http.post("/auth/send_password_reset_email", kind="send_password_mail", body=body)

    async def create_team(self, team: NewTeam) -> PlatformTeam:
        return _read_new(PlatformTeam, await self._http.post("/teams", kind="create_team", body=_filled(team)))

    async def delete_team(self, syned_team_id: str) -> None:
        """The platform refuses while the team has members. After an ambiguous failure, read before writing again."""
        body = {"syned_team_id": syned_team_id}
        await self._http.post("/teams/delete", kind="delete_team", body=body)

    async def assign_team(self, *, syned_team_id: str, syned_user_id: str) -> TeamAssignment:
        """A user is on one team at most: unassign from the old one first."""
        body = {"syned_team_id": syned_team_id, "syned_user_id": syned_user_id}
        answer = await self._http.post("/users/assign_team", kind="assign_team", body=body)
        return read(TeamAssignment, answer)

    async def delete_assignment(self, syned_user_id: str) -> TeamAssignment:
        body = {"syned_user_id": syned_user_id}
        answer = await self._http.post("/users/delete_assignment", kind="delete_assignment", body=body)
        return read(TeamAssignment, answer)

    async def team_assignments(self, syned_team_id: str | None = None) -> TeamAssignments:
        """All assignments, or those of one team."""
        params = {} if syned_team_id is None else {"syned_team_id": syned_team_id}
        body = await self._http.get("/users/get_team_assignments", kind="team_assignments", params=params)
        return read(TeamAssignments, body)

    async def odl_scores(self, syned_user_id: str, after_time_unix: int | None = None) -> OdlScores:
        params = {"syned_user_id": syned_user_id}
        if after_time_unix is not None:
            params["after_time_unix"] = str(after_time_unix)
        return read(OdlScores, await self._http.get("/scores/get_odl_scores", kind="odl_scores", params=params))

    async def odl_feed(self, path: str, after_time_unix: int | None = None) -> OdlFeed:
        """Everybody's practice at once, should the platform ever offer it: a list of what `odl_scores` gives."""
        params = {} if after_time_unix is None else {"after_time_unix": str(after_time_unix)}
        return read(OdlFeed, await self._http.get(path, kind="odl_feed", params=params))

    async def flash_ctf_progress(self, syned_user_id: str) -> FlashCtfProgress:
        params = {"syned_user_id": syned_user_id}
        body = await self._http.get("/scores/get_flash_ctf_progress", kind="flash_ctf_progress", params=params)
        return read(FlashCtfProgress, body)


def _read_new(model: type[Model], body: object) -> Model:
    """It was made, even where the answer cannot be read."""
    try:
        return read(model, body)
    except VendorError as error:
        error.ambiguous = True
        raise


def _filled(new: NewUser | NewTeam) -> dict[str, str]:
    return {name: value for name, value in asdict(new).items() if value is not None}
