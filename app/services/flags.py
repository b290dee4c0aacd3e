"""The switches that an admin sets at run time, for everybody or for one organization."""

from dataclasses import dataclass
from uuid import UUID

from app import database
from app.domain.readers import Reader
from app.features import Feature, is_killed, is_on_by_default, killed_by, read_flags
from app.security import audit
from app.services import schedules


class UnknownFlag(Exception):
    def __init__(self, name: str) -> None:
        super().__init__(f"There is no flag {name!r}. Flags are: {', '.join(Feature)}")


class UnknownOrganization(Exception):
    def __init__(self) -> None:
        super().__init__("There is no such organization; choose one of the list.")


class Killed(Exception):
    """The environment switches it off, so that nothing set here would count."""

    def __init__(self, variable: str) -> None:
        super().__init__(f"{variable}=false in the environment switches this off. Nothing that is set here changes it.")


class ChangedMeanwhile(Exception):
    def __init__(self) -> None:
        super().__init__("Somebody else has changed this switch meanwhile. See how it stands now, then choose again.")


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
        before = await _lock(name, organization_id)
        await _store(name, organization_id, enabled, actor)
        await audit.record(
            "flag.set", actor=actor, actor_label=actor_label, subject_type="flag", subject_id=name,
            before={"enabled": before}, after={"enabled": enabled}, organization_id=organization_id,
        )
    await _follow(name)


async def choose(
    actor: Reader, name: str, wanted: bool | None, *, seen: bool | None, organization_id: UUID | None = None
) -> None:
    """Sets or, with None, removes a value as somebody chose who had `seen` the one before. Raises UnknownFlag,
    UnknownOrganization, Killed and ChangedMeanwhile."""
    if name not in set(Feature):
        raise UnknownFlag(name)
    if variable := killed_by(Feature(name)):
        raise Killed(variable)
    async with database.transaction():
        await _require_organization(organization_id)
        before = await _lock(name, organization_id)
        if before == wanted:
            return
        if before != seen:
            raise ChangedMeanwhile
        await _put(actor, name, organization_id, before, wanted)
    await _follow(name)


async def _put(
    actor: Reader, name: str, organization_id: UUID | None, before: bool | None, wanted: bool | None
) -> None:
    if wanted is None:
        await database.execute(
            "delete from feature_flags where name = $1 and organization_id is not distinct from $2",
            name, organization_id,
        )
    else:
        await _store(name, organization_id, wanted, actor)
    await audit.record(
        "flag.removed" if wanted is None else "flag.set", actor=actor, subject_type="flag", subject_id=name,
        before={"enabled": before}, after={"enabled": wanted}, organization_id=organization_id,
    )


async def _lock(name: str, organization_id: UUID | None) -> bool | None:
    """What is set now. Changes of one switch go one after the other, also while it has no row to lock."""
    await database.execute("select pg_advisory_xact_lock(hashtextextended('flag ' || $1::text, 0))", name)
    enabled: bool | None = await database.fetchval(
        "select enabled from feature_flags where name = $1 and organization_id is not distinct from $2",
        name, organization_id,
    )
    return enabled


async def _store(name: str, organization_id: UUID | None, enabled: bool, actor: Reader | None) -> None:
    await database.execute(
        """insert into feature_flags (name, organization_id, enabled, changed_by) values ($1, $2, $3, $4)
           on conflict (name, organization_id)
           do update set enabled = excluded.enabled, changed_by = excluded.changed_by, changed_at = now()""",
        name, organization_id, enabled, actor.user_id if actor else None,
    )


async def _require_organization(organization_id: UUID | None) -> None:
    """Stays until the transaction ends."""
    if organization_id and not await database.fetchval(
        "select true from organizations where id = $1 for key share", organization_id
    ):
        raise UnknownOrganization


async def _follow(name: str) -> None:
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
