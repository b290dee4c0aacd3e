"""What is switched on. `*_ENABLED=false` always wins, then the organization's flag, the flag for all, the default.

Flags are read from the database each time: a switch takes effect everywhere at the next question.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from app import database
from app.settings import Settings, get_settings


class Feature(StrEnum):
    """A finer feature is named `vendor.feature` and needs its vendor's feature on too."""

    GAME_PLATFORM = "game_platform"
    ONBOARDING = "game_platform.onboarding"
    ROSTER_SYNC = "game_platform.roster_sync"
    SCORE_INGESTION = "game_platform.score_ingestion"
    PASSWORD_HELP = "game_platform.password_help"  # noqa: S105 (the name of a feature)
    BATCH_SYNC = "game_platform.batch_sync"
    PRIORITIZATION = "game_platform.prioritization"
    """The last two say how scores are read, not whether."""

    @property
    def vendor(self) -> "Feature":
        return Feature(self.value.partition(".")[0])


class FeatureOff(Exception):
    """The feature is switched off; the text says which one and where to switch it on."""

    def __init__(self, feature: Feature) -> None:
        super().__init__(f"{feature} is off. An admin switches it on with: flags set {feature} on")
        self.feature = feature


@dataclass(frozen=True, slots=True)
class Flags:
    """The rows of feature_flags that one question needs."""

    everywhere: Mapping[str, bool]
    by_organization: Mapping[UUID, Mapping[str, bool]]

    def is_on(self, feature: Feature, organization_id: UUID | None = None) -> bool:
        return all(self.is_switched_on(part, organization_id) for part in {feature, feature.vendor})

    def is_switched_on(self, feature: Feature, organization_id: UUID | None = None) -> bool:
        """This switch alone, whatever its vendor's says."""
        if is_killed(feature):
            return False
        own = self.by_organization.get(organization_id, {}) if organization_id else {}
        return own.get(feature, self.everywhere.get(feature, is_on_by_default(feature)))


async def read_flags() -> Flags:
    """All switches that were ever set, in one query; there are few."""
    everywhere: dict[str, bool] = {}
    by_organization: dict[UUID, dict[str, bool]] = {}
    for row in await database.fetch("select name, organization_id, enabled from feature_flags"):
        owner = row["organization_id"]
        flags = everywhere if owner is None else by_organization.setdefault(owner, {})
        flags[row["name"]] = row["enabled"]
    return Flags(everywhere, by_organization)


async def is_enabled(feature: Feature, organization_id: UUID | None = None) -> bool:
    """For one organization, or without one for whoever has no flag of their own."""
    return (await read_flags()).is_on(feature, organization_id)


async def is_enabled_anywhere(feature: Feature) -> bool:
    """True where at least one organization has the feature: work over all of them has something to do."""
    flags = await read_flags()
    return flags.is_on(feature) or any(flags.is_on(feature, owner) for owner in flags.by_organization)


async def enabled_organizations(feature: Feature) -> list[UUID]:
    """Every organization that has the feature."""
    flags = await read_flags()
    organizations = await database.fetch("select id from organizations order by id")
    return [row["id"] for row in organizations if flags.is_on(feature, row["id"])]


async def require_feature(feature: Feature, organization_id: UUID | None = None) -> None:
    if not await is_enabled(feature, organization_id):
        raise FeatureOff(feature)


def is_killed(feature: Feature) -> bool:
    """Switched off by the environment, against which no flag helps."""
    return bool(killed_by(feature))


def killed_by(feature: Feature) -> str:
    """The environment variable that switches it off; empty where none does."""
    settings = get_settings()
    killers = (part for part in (feature.vendor, feature) if _variable(part, settings) is False)
    return next((f"{part.replace('.', '_')}_enabled".upper() for part in killers), "")


def is_on_by_default(feature: Feature) -> bool:
    """A finer feature follows its vendor; a vendor is on where the environment says so or configures it. What no
    vendor has promised waits until an admin switches it on."""
    if feature is not feature.vendor:
        return feature is not Feature.PASSWORD_HELP
    settings = get_settings()
    return bool(_variable(feature, settings) or getattr(settings, f"{feature}_configured"))


def _variable(feature: Feature, settings: Settings) -> bool | None:
    """Vendors have one each; of the finer features only some."""
    value: bool | None = getattr(settings, f"{feature.replace('.', '_')}_enabled", None)
    return value
