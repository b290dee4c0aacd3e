"""What an admin sets for one organization."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

from app import database
from app.domain import organization_limits
from app.domain.readers import Reader
from app.domain.sync_tiers import MODERATE_SCORE
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
PROMISES = frozenset(limit.name for limit in organization_limits.PROMISES)
SHAPES_ONBOARDING = frozenset({"onboarding_status", "automatic_onboarding"})

LOOK_SOONER = """
    with promised as (
        select s.competitor_id, coalesce(s.last_attempt_at, now()) + make_interval(mins => case
            when s.active_until > now() then $2::int when c.game_platform_activity_score >= $5 then $3::int
            else $4::int end) as due_at
        from game_platform_sync_state s join competitors c on c.id = s.competitor_id
        where c.organization_id = $1 and c.metactf_user_status = 'approved'
        order by s.competitor_id for no key update of s
    )
    update game_platform_sync_state s set due_at = p.due_at from promised p
    where s.competitor_id = p.competitor_id and s.due_at > p.due_at
"""


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
    active_look_minutes: int | None = 30
    moderate_look_minutes: int | None = 120
    idle_look_minutes: int | None = 480
    syncs_per_hour: int | None = 10
    sync_pause_minutes: int | None = 5
    additions_at_once: int | None = 200
    password_mails_per_hour: int | None = 20
    exports_per_hour: int | None = 600


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
    errors |= organization_limits.errors_of(after)
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
    names = sorted(changed)
    assignments = ", ".join(f"{name} = ${number}" for number, name in enumerate(names, start=2))
    await database.execute(
        f"update organizations set {assignments} where id = $1",  # noqa: S608
        organization_id, *(after[name] for name in names),
    )
    await audit.record(
        "organization.settings_changed", actor=reader, subject_type="organization", subject_id=organization_id,
        before={name: before[name] for name in sorted(changed)}, after={name: after[name] for name in sorted(changed)},
        organization_id=organization_id,
    )
    if changed & SHAPES_STANDINGS:
        await standings.mark_stale(organization_id)
    if changed & PROMISES:
        await _look_sooner(organization_id, after)


async def _look_sooner(organization_id: UUID, after: dict[str, Any]) -> None:
    """A tighter promise holds from now on, also for who was looked at under the old one. A looser one begins with the
    next look."""
    await database.execute(
        LOOK_SOONER, organization_id, after["active_look_minutes"], after["moderate_look_minutes"],
        after["idle_look_minutes"], MODERATE_SCORE,
    )
