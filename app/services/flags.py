"""The switches that an admin sets at run time, for everybody or for one organization."""

from dataclasses import dataclass
from uuid import UUID

from app import database
from app.domain.readers import Reader
from app.features import Feature, is_killed, is_on_by_default, read_flags
from app.security import audit
from app.services import schedules


class UnknownFlag(Exception):
    def __init__(self, name: str) -> None:
        super().__init__(f"There is no flag {name!r}. Flags are: {', '.join(Feature)}")


@dataclass(frozen=True, slots=True)
class OrganizationFlag:
    organization_id: UUID
    organization: str
    enabled: bool


@dataclass(frozen=True, slots=True)
class Flag:
    """`everywhere` is what was set for all (None: never). `is_on` is what holds where no organization differs."""

    name: str
    is_on: bool
    is_killed: bool
    default: bool
    everywhere: bool | None
    organizations: tuple[OrganizationFlag, ...]


async def set_flag(
    name: str, enabled: bool, *, organization_id: UUID | None = None, actor: Reader | None, actor_label: str = ""
) -> None:
    """Raises UnknownFlag, which lists the names."""
    if name not in set(Feature):
        raise UnknownFlag(name)
    async with database.transaction():
        before = await database.fetchval(
            "select enabled from feature_flags where name = $1 and organization_id is not distinct from $2 for update",
            name, organization_id,
        )
        await database.execute(
            """insert into feature_flags (name, organization_id, enabled, changed_by) values ($1, $2, $3, $4)
               on conflict (name, organization_id)
               do update set enabled = excluded.enabled, changed_by = excluded.changed_by, changed_at = now()""",
            name, organization_id, enabled, actor.user_id if actor else None,
        )
        await audit.record(
            "flag.set", actor=actor, actor_label=actor_label, subject_type="flag", subject_id=name,
            before={"enabled": before}, after={"enabled": enabled}, organization_id=organization_id,
        )
    if name == Feature.PRIORITIZATION:
        await schedules.ensure_built_ins()


async def list_flags() -> tuple[Flag, ...]:
    flags = await read_flags()
    organizations = await database.fetch(
        """select f.name as flag, f.organization_id, o.name as organization, f.enabled
           from feature_flags f join organizations o on o.id = f.organization_id order by o.name"""
    )
    return tuple(
        Flag(
            name=feature,
            is_on=flags.is_on(feature),
            is_killed=is_killed(feature),
            default=is_on_by_default(feature),
            everywhere=flags.everywhere.get(feature),
            organizations=tuple(
                OrganizationFlag(row["organization_id"], row["organization"], row["enabled"])
                for row in organizations if row["flag"] == feature
            ),
        )
        for feature in Feature
    )
