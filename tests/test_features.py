"""What is on: the environment's kill switch, the organization's flag, everybody's flag, the default; in this order."""

import pytest

from app import database
from app.features import (
    Feature,
    FeatureOff,
    enabled_organizations,
    is_enabled,
    is_enabled_anywhere,
    require_feature,
)
from app.services.flags import UnknownFlag, list_flags, set_flag
from tests.cast import make_organization


@pytest.fixture
def configured(settings_changed: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    settings_changed.setenv("GAME_PLATFORM_API_TOKEN", "a-token")
    return settings_changed


async def _set(name: str, enabled: bool, organization_id: object = None) -> None:
    await set_flag(name, enabled, organization_id=organization_id, actor=None, actor_label="test")  # type: ignore[arg-type]


async def test_a_vendor_that_is_not_configured_is_off(settings_changed: pytest.MonkeyPatch) -> None:
    assert not await is_enabled(Feature.GAME_PLATFORM)
    assert not await is_enabled(Feature.SCORE_INGESTION)


@pytest.mark.parametrize("variable", ["GAME_PLATFORM_API_TOKEN", "GAME_PLATFORM_BASE_URL"])
async def test_a_configured_vendor_is_on_with_all_it_has(
    settings_changed: pytest.MonkeyPatch, variable: str
) -> None:
    settings_changed.setenv(variable, "http://127.0.0.1:9/x")
    on = {feature for feature in Feature if await is_enabled(feature)}
    assert on == set(Feature) - {Feature.PASSWORD_HELP}  # which the vendor has not promised


async def test_enabled_in_the_environment_is_on_without_an_address(settings_changed: pytest.MonkeyPatch) -> None:
    settings_changed.setenv("GAME_PLATFORM_ENABLED", "true")
    assert await is_enabled(Feature.ONBOARDING)


async def test_the_kill_switch_wins_over_every_flag(configured: pytest.MonkeyPatch) -> None:
    configured.setenv("GAME_PLATFORM_ENABLED", "false")
    organization = await make_organization()
    await _set("game_platform", True)
    await _set("game_platform.onboarding", True, organization)
    assert not await is_enabled(Feature.ONBOARDING, organization)
    assert not await is_enabled_anywhere(Feature.ONBOARDING)


async def test_a_flag_for_all_overrides_the_default_and_an_organizations_flag_that(
    configured: pytest.MonkeyPatch,
) -> None:
    one, other = await make_organization("One"), await make_organization("Other")
    await _set("game_platform.onboarding", False)
    assert not await is_enabled(Feature.ONBOARDING, one)
    assert not await is_enabled_anywhere(Feature.ONBOARDING)
    await _set("game_platform.onboarding", True, one)
    assert await is_enabled(Feature.ONBOARDING, one)
    assert not await is_enabled(Feature.ONBOARDING, other)
    assert not await is_enabled(Feature.ONBOARDING)
    assert await is_enabled_anywhere(Feature.ONBOARDING)
    assert await enabled_organizations(Feature.ONBOARDING) == [one]


async def test_a_finer_feature_needs_its_vendor(configured: pytest.MonkeyPatch) -> None:
    await _set("game_platform.onboarding", True)
    await _set("game_platform", False)
    assert not await is_enabled(Feature.ONBOARDING)
    with pytest.raises(FeatureOff, match=r"game_platform\.onboarding is off"):
        await require_feature(Feature.ONBOARDING)


async def test_setting_a_flag_twice_keeps_one_row_and_two_audit_rows(configured: pytest.MonkeyPatch) -> None:
    await _set("game_platform", False)
    await _set("game_platform", True)
    assert await database.fetchval("select array_agg(enabled) from feature_flags") == [True]
    rows = await database.fetch("select actor, action, subject_id, before, after from audit_log order by id")
    assert [tuple(row) for row in rows] == [
        ("test", "flag.set", "game_platform", '{"enabled": null}', '{"enabled": false}'),
        ("test", "flag.set", "game_platform", '{"enabled": false}', '{"enabled": true}'),
    ]


async def test_a_flag_that_cannot_be_audited_is_not_set(configured: pytest.MonkeyPatch) -> None:
    await database.execute("alter table audit_log add constraint refuses check (action <> 'flag.set')")
    try:
        with pytest.raises(Exception, match="refuses"):
            await _set("game_platform", False)
    finally:
        await database.execute("alter table audit_log drop constraint refuses")
    assert await database.fetchval("select count(*) from feature_flags") == 0


async def test_an_unknown_flag_is_refused_with_the_names(configured: pytest.MonkeyPatch) -> None:
    with pytest.raises(UnknownFlag, match=r"no flag 'game'. Flags are: game_platform, game_platform\.onboarding"):
        await _set("game", True)


async def test_the_list_says_what_is_on_and_why(configured: pytest.MonkeyPatch) -> None:
    organization = await make_organization("One")
    await _set("game_platform.roster_sync", False)
    await _set("game_platform.roster_sync", True, organization)
    flags = {flag.name: flag for flag in await list_flags()}
    assert list(flags) == list(Feature)
    roster_sync = flags["game_platform.roster_sync"]
    assert (roster_sync.is_on, roster_sync.everywhere, roster_sync.default) == (False, False, True)
    assert [(flag.organization, flag.enabled) for flag in roster_sync.organizations] == [("One", True)]
    assert flags["game_platform"].is_on and flags["game_platform"].everywhere is None
