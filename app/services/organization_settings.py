"""What an admin sets for one organization."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

from app import database
from app.domain.readers import Reader
from app.security import audit
from app.services import onboarding_requests, organizations, preferences, second_factor, standings
from app.services.organizations import OrganizationError
from app.services.second_factor import SecondFactorError
from app.tables.accounts import OnboardingStatus

ONBOARDING_WORDS = {
    OnboardingStatus.COMPLIANCE: "once release and agreement are signed",
    OnboardingStatus.PROFILE: "before the papers are in",
}
SHAPES_STANDINGS = frozenset({"time_zone", "school_year_starts_month"})
SHAPES_ONBOARDING = frozenset({"onboarding_status", "automatic_onboarding"})


class NotFound(Exception):
    """There is no such organization, or the reader is not its admin."""


class BadSettings(Exception):
    """`errors` has a message for each field that cannot be taken."""

    def __init__(self, errors: Mapping[str, str]) -> None:
        super().__init__(", ".join(f"{field}: {message}" for field, message in errors.items()))
        self.errors = dict(errors)


@dataclass(frozen=True, slots=True)
class OrganizationSettings:
    """Named as the columns are; None where no answer was given."""

    name: str
    time_zone: str
    school_year_starts_month: int | None
    second_factor_required: bool | None
    onboarding_status: str
    automatic_onboarding: bool | None


async def save(reader: Reader, organization_id: UUID, wanted: OrganizationSettings) -> None:
    """All of it or nothing. Raises NotFound or BadSettings."""
    if not reader.is_admin or organization_id not in reader.organization_ids:
        raise NotFound
    async with database.transaction():
        before = await _locked(organization_id)
        after = await _checked(organization_id, before, wanted)
        changed = {name for name in after if after[name] != before[name]}
        await _require_second_factor(reader, organization_id, after["second_factor_required"])
        await _store(reader, organization_id, before, after, changed - {"second_factor_required"})
    await _follow(changed)


async def _follow(changed: set[str]) -> None:
    """What depends on the settings follows at once."""
    if changed & SHAPES_STANDINGS:
        await standings.refresh_stale()
    if changed & SHAPES_ONBOARDING:
        await onboarding_requests.follow_change()


async def _locked(organization_id: UUID) -> dict[str, Any]:
    columns = ", ".join(OrganizationSettings.__dataclass_fields__)
    row = await database.fetchrow(
        f"select {columns} from organizations where id = $1 for no key update", organization_id  # noqa: S608
    )
    if row is None:
        raise NotFound
    return dict(row)


async def _checked(organization_id: UUID, before: dict[str, Any], wanted: OrganizationSettings) -> dict[str, Any]:
    """What is to be stored. A zone that was set otherwise may stay though it is not offered."""
    errors: dict[str, str] = {}
    after = asdict(wanted)
    try:
        after["name"] = organizations.clean_name(wanted.name)
        if await _is_taken(organization_id, after["name"]):
            errors["name"] = "Another organization has this name."
    except OrganizationError as error:
        errors["name"] = str(error)
    if wanted.time_zone not in (before["time_zone"], *preferences.time_zones()):
        errors["time_zone"] = "Choose a time zone from the list."
    if wanted.school_year_starts_month not in range(1, 13):
        errors["school_year_starts_month"] = "Choose a month."
    if wanted.onboarding_status not in set(OnboardingStatus):
        errors["onboarding_status"] = "Choose when competitors may be added."
    switches = ("second_factor_required", "automatic_onboarding")
    errors |= {name: "Choose one of the two." for name in switches if after[name] is None}
    if errors:
        raise BadSettings(errors)
    return after


async def _is_taken(organization_id: UUID, name: str) -> bool:
    """Names are given one at a time, so that of two who want the same one the second is told."""
    await database.execute("select pg_advisory_xact_lock(hashtextextended('organizations.name', 0))")
    found = await database.fetchval("select 1 from organizations where name = $2 and id <> $1", organization_id, name)
    return found is not None


async def _require_second_factor(reader: Reader, organization_id: UUID, required: bool) -> None:
    try:
        await second_factor.change_requirement(organization_id, required, actor=reader)
    except SecondFactorError as error:
        raise BadSettings({"second_factor_required": str(error)}) from error


async def _store(
    reader: Reader, organization_id: UUID, before: dict[str, Any], after: dict[str, Any], changed: set[str]
) -> None:
    if not changed:
        return
    await database.execute(
        """update organizations set name = $2, time_zone = $3, school_year_starts_month = $4, onboarding_status = $5,
               automatic_onboarding = $6
           where id = $1""",
        organization_id, after["name"], after["time_zone"], after["school_year_starts_month"],
        after["onboarding_status"], after["automatic_onboarding"],
    )
    await audit.record(
        "organization.settings_changed", actor=reader, subject_type="organization", subject_id=organization_id,
        before={name: before[name] for name in sorted(changed)}, after={name: after[name] for name in sorted(changed)},
        organization_id=organization_id,
    )
    if changed & SHAPES_STANDINGS:
        await standings.mark_stale(organization_id)
