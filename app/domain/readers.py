"""Who is reading, and what they may see. Every query about competitors or teams starts from a `Sight`."""

from dataclasses import dataclass
from uuid import UUID

from app.domain.pauses import Pause


@dataclass(frozen=True, slots=True)
class Sight:
    """What one reader may see: everybody (admins), or a coach's own rows and those of the teams they assist."""

    sees_everyone: bool = False
    coach_id: UUID | None = None
    assisted_team_ids: tuple[UUID, ...] = ()

    def condition(self, coach: str, team: str, next_parameter: int) -> tuple[str, list[object]]:
        """SQL over a coach column and a team column, numbered from `next_parameter`, and its arguments."""
        if self.sees_everyone:
            return "true", []
        if not self.assisted_team_ids:
            return f"{coach} = ${next_parameter}", [self.coach_id]
        return (
            f"({coach} = ${next_parameter} or {team} = any(${next_parameter + 1}::uuid[]))",
            [self.coach_id, list(self.assisted_team_ids)],
        )


@dataclass(frozen=True, slots=True)
class Reader:
    """A signed-in person, as every page needs them. `organization_ids` come in order of joining.

    `unread`: how many notifications wait, counted up to one more than a header says in digits. `pauses`: the work that
    waits and that they should know of. `alarms`: how many are open; nobody but admins needs to know.
    """

    user_id: UUID
    session_id: UUID
    role: str
    name: str
    time_zone: str
    theme: str
    organization_ids: tuple[UUID, ...]
    sight: Sight
    needs_second_factor: bool = False
    is_presenting: bool = False
    unread: int = 0
    pauses: tuple[Pause, ...] = ()
    alarms: int = 0

    @property
    def is_admin(self) -> bool:
        return self.role == "admin"

    @property
    def is_coach(self) -> bool:
        return self.role == "coach"
