"""What the Game Platform says and wants to hear. Fields are named as the vendor's; ids become text at this edge."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar, Literal

from pydantic import Field, model_validator

from app.integrations.records import (
    EARLIEST_UNIX,
    Identifier,
    PastSecond,
    RejectedRecord,
    UnixSecond,
    VendorModel,
    WholeNumber,
    moment,
    read_each,
)


class UserStatus(StrEnum):
    USER_CREATED = "user_created"
    PENDING_APPROVAL = "pending_approval"
    APPROVED = "approved"
    DENIED = "denied"


@dataclass(frozen=True, kw_only=True, slots=True)
class NewUser:
    """A person to be made at the platform. The platform insists on a coach's id for a `user`."""

    first_name: str
    last_name: str
    email: str
    role: Literal["coach", "user"]
    syned_user_id: str
    syned_coach_user_id: str | None = None
    syned_school_id: str | None = None
    syned_region_id: str | None = None
    preferred_username: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class NewTeam:
    syned_team_id: str
    syned_coach_user_id: str
    team_name: str
    affiliation: str
    division: str


class PlatformUser(VendorModel):
    syned_user_id: Identifier
    metactf_user_id: Identifier
    metactf_username: str
    metactf_user_status: UserStatus
    last_login_unix_timestamp: UnixSecond | None = None

    @property
    def last_login_at(self) -> datetime | None:
        return moment(self.last_login_unix_timestamp)


class PlatformTeam(VendorModel):
    syned_team_id: Identifier
    metactf_team_id: Identifier
    metactf_coach_id: Identifier
    team_name: str
    division: str
    affiliation: str


class Listing(VendorModel):
    """A body with a list in it; `rejected` holds the records of that list that could not be read."""

    LIST: ClassVar[str]
    RECORD: ClassVar[type[VendorModel]]

    rejected: tuple[RejectedRecord, ...] = Field(default=(), exclude=True, repr=False)

    @model_validator(mode="before")
    @classmethod
    def _put_bad_records_aside(cls, body: object) -> object:
        if not isinstance(body, dict):
            return body
        items = body.get(cls.LIST)
        if not isinstance(items, list):
            return {**body, "rejected": ()}
        records, rejected = read_each(cls.RECORD, items)
        return {**body, cls.LIST: records, "rejected": rejected}


class TeamAssignment(VendorModel):
    syned_user_id: Identifier
    syned_team_id: Identifier | None = None


class TeamAssignments(Listing):
    LIST = "assignments"
    RECORD = TeamAssignment

    assignments: tuple[TeamAssignment, ...]
    total_count: WholeNumber

    @property
    def complete(self) -> bool:
        """Only a list that is known to be whole may drive removals."""
        return not self.rejected and self.total_count == len(self.assignments)


class ChallengeSolve(VendorModel):
    challenge_solve_id: Identifier
    challenge_id: Identifier
    challenge_title: str
    challenge_points: WholeNumber
    challenge_category: str
    timestamp_unix: PastSecond
    challenge_retired: bool
    nist_nice_work_roles: tuple[str, ...]


class OdlScores(Listing):
    """On-demand practice of one user. Totals are lifetime; only the list is cut by `after_time_unix`."""

    LIST = "challenge_solves"
    RECORD = ChallengeSolve

    syned_user_id: Identifier | None = None
    metactf_user_id: Identifier
    total_challenges_solved: WholeNumber
    total_points: WholeNumber
    last_accessed_unix_timestamp: UnixSecond
    category_points: dict[str, WholeNumber]
    challenge_solves: tuple[ChallengeSolve, ...]

    @property
    def last_accessed_at(self) -> datetime | None:
        return moment(self.last_accessed_unix_timestamp)


class OdlFeed(Listing):
    """On-demand practice of everybody; who is not in it, or cannot be read, is asked for alone."""

    LIST = "scores"
    RECORD = OdlScores

    scores: tuple[OdlScores, ...]


class FlashCtf(Listing):
    LIST = "challenge_solves"
    RECORD = ChallengeSolve

    flash_ctf_name: str = Field(min_length=1)
    flash_ctf_time_start_unix: UnixSecond = Field(ge=EARLIEST_UNIX, lt=2**32)
    challenges_solved: WholeNumber
    challenge_solves: tuple[ChallengeSolve, ...]
    points_earned: WholeNumber
    max_points_possible: WholeNumber
    rank: WholeNumber | None


class FlashCtfProgress(Listing):
    """Every Flash CTF of one user, always the full history."""

    LIST = "flash_ctfs"
    RECORD = FlashCtf

    syned_user_id: Identifier
    flash_ctfs: tuple[FlashCtf, ...]
