"""/admin/flags: every switch with its reason, and setting it for all or for one organization."""

import asyncio
import re
from uuid import uuid4

import httpx
import pytest

from app import database
from app.domain.flag_words import DOES, TITLES
from app.features import Feature, is_enabled
from app.services.flags import set_flag
from app.settings import get_settings
from tests.cast import Cast, Person, make_cast, make_organization, make_user
from tests.clients import client_for, stranger

PAGE = "/admin/flags"
SCORES = Feature.SCORE_INGESTION


@pytest.fixture
async def cast() -> Cast:
    return await make_cast()


async def show(person: Person) -> str:
    async with await client_for(person) as browser:
        answer = await browser.get(PAGE)
    assert answer.status_code == 200 and "no-store" in answer.headers["cache-control"]
    return answer.text


async def choose(person: Person, to: str, *, flag: str = SCORES, seen: str = "unset", organization: object = "all",
                 ) -> httpx.Response:
    async with await client_for(person) as browser:
        return await browser.post(
            PAGE, data={"flag": flag, "to": to, "seen": seen, "organization": str(organization)}
        )


def part(text: str, feature: str) -> str:
    """The section of one switch, without tags."""
    section = text.split(f'id="{feature}"', 1)[1].split("</section>", 1)[0]
    return " ".join(re.sub(r"<[^>]+>", " ", section).split())


async def rows() -> int:
    return int(await database.fetchval("select count(*) from feature_flags"))


async def audited(action: str) -> int:
    return int(await database.fetchval("select count(*) from audit_log where action = $1", action))


def test_every_switch_has_a_title_and_says_what_it_does() -> None:
    assert set(TITLES) == set(DOES) == set(Feature)


async def test_every_switch_stands_with_its_state_and_reason(cast: Cast) -> None:
    await set_flag(Feature.GAME_PLATFORM, True, actor=None, actor_label="cli")
    text = await show(cast.admin)
    assert f'href="{PAGE}" aria-current="page"' in text
    for feature in Feature:
        assert TITLES[feature] in part(text, feature)
    assert "Set on for all" in part(text, Feature.GAME_PLATFORM)
    assert "on the command line" in part(text, Feature.GAME_PLATFORM)
    assert "Nobody has set it: on is the default." in part(text, SCORES)
    assert "Nobody has set it: off is the default." in part(text, Feature.PASSWORD_HELP)


async def test_only_admins_see_and_set_switches(cast: Cast) -> None:
    for person in (cast.coach_a, cast.player):
        async with await client_for(person) as browser:
            assert (await browser.get(PAGE)).status_code == 403
        assert (await choose(person, "off")).status_code == 403
    async with stranger() as nobody:
        assert (await nobody.get(PAGE)).status_code in (302, 303)
        assert "hx-redirect" in (await nobody.get(PAGE, headers={"HX-Request": "true"})).headers
    assert await rows() == 0


async def test_setting_one_for_all_holds_at_once_and_is_audited_with_who(cast: Cast) -> None:
    await set_flag(Feature.GAME_PLATFORM, True, actor=None)
    assert await is_enabled(SCORES)
    answer = await choose(cast.admin, "off")
    assert answer.status_code == 303 and answer.headers["location"] == f"{PAGE}?done=off#{SCORES}"
    assert not await is_enabled(SCORES)
    assert "by Alma Admin" in part(await show(cast.admin), SCORES)
    row = await database.fetchrow("select * from audit_log where subject_id = $1", SCORES)
    assert row is not None and row["actor_id"] == cast.admin.id and row["action"] == "flag.set"


async def test_the_setting_for_all_is_taken_back(cast: Cast) -> None:
    await choose(cast.admin, "off")
    assert (await choose(cast.admin, "unset", seen="off")).status_code == 303
    assert await rows() == 0 and await audited("flag.removed") == 1
    assert (await choose(cast.admin, "unset", seen="off")).status_code == 303
    assert await audited("flag.removed") == 1


async def test_an_organization_gets_and_loses_its_own_value(cast: Cast) -> None:
    await set_flag(Feature.GAME_PLATFORM, True, actor=None)
    other = await make_organization("Southern League")
    assert (await choose(cast.admin, "off", organization=other)).status_code == 303
    assert not await is_enabled(SCORES, other) and await is_enabled(SCORES, cast.organization_id)
    assert "Southern League Set off" in part(await show(cast.admin), SCORES)
    assert await database.fetchval("select organization_id from audit_log where subject_id = $1", SCORES) == other
    assert (await choose(cast.admin, "unset", seen="off", organization=other)).status_code == 303
    assert await is_enabled(SCORES, other)


async def test_a_finer_switch_says_that_its_vendor_is_off(cast: Cast) -> None:
    await set_flag(Feature.GAME_PLATFORM, False, actor=None)
    text = await show(cast.admin)
    assert "Off all the same, because Game Platform is off." in part(text, SCORES)
    assert "Off all the same" not in part(text, Feature.GAME_PLATFORM)


async def test_a_killed_switch_has_no_button_and_names_its_variable(
    cast: Cast, settings_changed: pytest.MonkeyPatch
) -> None:
    settings_changed.setenv("GAME_PLATFORM_ENABLED", "false")
    get_settings.cache_clear()
    text = await show(cast.admin)
    for feature in Feature:
        shown = part(text, feature)
        assert "GAME_PLATFORM_ENABLED=false in the environment" in shown and "Switch o" not in shown
    answer = await choose(cast.admin, "on")
    assert answer.status_code == 422 and "GAME_PLATFORM_ENABLED=false" in answer.text
    assert await rows() == 0


@pytest.mark.parametrize("bad", [
    {"flag": "shoes"}, {"flag": "\0"}, {"to": "maybe"}, {"seen": ""}, {"organization": "shoes"}, {"organization": ""},
    {"organization": str(uuid4())},
])
async def test_bad_values_are_refused_in_words(cast: Cast, bad: dict[str, str]) -> None:
    answer = await choose(cast.admin, **({"to": "off"} | bad))
    assert answer.status_code == 422 and "Nothing was changed." in answer.text and "choose" in answer.text.lower()
    assert await rows() == 0 and await audited("flag.set") == 0


async def test_choosing_twice_changes_once(cast: Cast) -> None:
    for _ in range(2):
        assert (await choose(cast.admin, "off")).status_code == 303
    assert await rows() == 1 and await audited("flag.set") == 1


async def test_whoever_chose_on_an_old_page_is_told(cast: Cast) -> None:
    await choose(cast.admin, "off")
    await choose(cast.admin, "on", seen="off")
    answer = await choose(cast.admin, "off")
    assert answer.status_code == 409 and "Somebody else has changed this switch" in answer.text
    assert await database.fetchval("select enabled from feature_flags") is True


async def test_of_two_admins_at_once_one_wins_and_the_other_is_told(cast: Cast) -> None:
    other = await make_user(cast.organization_id, "admin", "Otto Other")
    answers = await asyncio.gather(choose(cast.admin, "off"), choose(other, "on"))
    assert sorted(answer.status_code for answer in answers) == [303, 409]
    assert await rows() == 1 and await audited("flag.set") == 1


async def test_names_stay_hidden_while_presenting(cast: Cast) -> None:
    await choose(cast.admin, "off")
    async with await client_for(cast.admin) as browser:
        await browser.post("/presenting", data={"present": "on"})
        text = (await browser.get(PAGE)).text
    assert "Set off for all" in part(text, SCORES) and "Alma Admin" not in part(text, SCORES)
