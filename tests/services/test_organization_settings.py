"""What an admin sets for one organization, and what follows from it."""

import asyncio
import json
from dataclasses import replace
from uuid import UUID, uuid4

import pytest

from app import database
from app.domain.readers import Reader, Sight
from app.services import organization_settings
from app.services.organization_settings import BadSettings, NotFound, OrganizationSettings
from tests.cast import Cast, make_cast, make_competitor, make_organization

SETTINGS = OrganizationSettings(
    name="Northern League", time_zone="UTC", school_year_starts_month=8, second_factor_required=False,
    onboarding_status="compliance", automatic_onboarding=True,
)


@pytest.fixture
async def cast() -> Cast:
    return await make_cast()


def admin_of(cast: Cast, *others: UUID) -> Reader:
    return Reader(
        user_id=cast.admin.id, session_id=uuid4(), role="admin", name="Alma Admin", time_zone="UTC", theme="system",
        organization_ids=(cast.organization_id, *others), sight=Sight(sees_everyone=True),
    )


async def save(cast: Cast, **changes: object) -> None:
    await organization_settings.save(
        admin_of(cast), cast.organization_id, replace(SETTINGS, **changes)  # type: ignore[arg-type]
    )


async def test_a_change_is_audited_with_what_it_changed_and_nothing_else(cast: Cast) -> None:
    await save(cast, onboarding_status="profile")
    rows = await database.fetch("select actor_id, action, organization_id, before, after from audit_log")
    assert [(row["actor_id"], row["action"], row["organization_id"]) for row in rows] == [
        (cast.admin.id, "organization.settings_changed", cast.organization_id)
    ]
    assert json.loads(rows[0]["before"]) == {"onboarding_status": "compliance"}
    assert json.loads(rows[0]["after"]) == {"onboarding_status": "profile"}


async def test_saving_the_same_again_writes_nothing(cast: Cast) -> None:
    await save(cast)
    assert await database.fetchval("select count(*) from audit_log") == 0
    assert await database.fetchval("select count(*) from standing_versions") == 0


async def test_who_becomes_ready_by_a_setting_is_added_at_once(
    cast: Cast, settings_changed: pytest.MonkeyPatch
) -> None:
    settings_changed.setenv("GAME_PLATFORM_ENABLED", "true")
    await save(cast, name="Far North")
    assert await database.fetchval("select count(*) from job_runs") == 0
    await save(cast, name="Far North", onboarding_status="profile")
    assert await database.fetchval("select kind from job_runs") == "game_platform_onboarding"


async def test_another_zone_recomputes_the_standings(cast: Cast) -> None:
    await save(cast, time_zone="Asia/Tokyo")
    assert await database.fetchval("select is_stale from standing_versions") is False


async def test_a_tighter_promise_holds_at_once_and_a_looser_one_from_the_next_look(cast: Cast) -> None:
    ada = await make_competitor(cast.coach_a, "Ada Prime")
    await database.execute("update competitors set metactf_user_status = 'approved', game_platform_activity_score = 0")
    await database.execute(
        """update game_platform_sync_state set last_attempt_at = now(), due_at = now() + interval '8 hours'
           where competitor_id = $1""",
        ada,
    )
    await save(cast, idle_look_minutes=240)
    assert await minutes_until_due() == 240
    await save(cast, idle_look_minutes=480)
    assert await minutes_until_due() == 240


async def minutes_until_due() -> int:
    return int(await database.fetchval(
        "select round(extract(epoch from due_at - last_attempt_at) / 60) from game_platform_sync_state"
    ))


async def test_the_second_factor_is_asked_for_by_who_has_one(cast: Cast) -> None:
    with pytest.raises(BadSettings) as refused:
        await save(cast, name="Far North", second_factor_required=True)
    assert list(refused.value.errors) == ["second_factor_required"]
    assert await database.fetchval("select name from organizations") == "Northern League"
    await database.execute("update users set totp_confirmed_at = now() where id = $1", cast.admin.id)
    await save(cast, name="Far North", second_factor_required=True)
    row = await database.fetchrow("select name, second_factor_required from organizations")
    assert row is not None and tuple(row) == ("Far North", True)
    actions = {row["action"] for row in await database.fetch("select action from audit_log")}
    assert actions == {"organization.settings_changed", "organization.second_factor_required"}


async def test_a_coach_or_a_foreign_admin_finds_nothing(cast: Cast) -> None:
    other = await make_organization("Southern League")
    coach = replace(admin_of(cast), role="coach")
    for reader, organization_id in ((coach, cast.organization_id), (admin_of(cast), other), (admin_of(cast), uuid4())):
        with pytest.raises(NotFound):
            await organization_settings.save(reader, organization_id, SETTINGS)


async def test_two_who_want_the_same_name_at_once_do_not_both_get_it(cast: Cast) -> None:
    other = await make_organization("Southern League")
    wanted = replace(SETTINGS, name="The League")
    results = await asyncio.gather(
        *(organization_settings.save(admin_of(cast, other), id_, wanted) for id_ in (cast.organization_id, other)),
        return_exceptions=True,
    )
    assert [type(result) for result in results if result] == [BadSettings]


async def test_a_change_that_cannot_be_audited_is_not_made(cast: Cast) -> None:
    await database.execute("alter table audit_log add constraint refuses check (action not like 'organization.%')")
    try:
        with pytest.raises(Exception, match="refuses"):
            await save(cast, name="Far North")
    finally:
        await database.execute("alter table audit_log drop constraint refuses")
    assert await database.fetchval("select name from organizations") == "Northern League"
