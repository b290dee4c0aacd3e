"""/admin/organizations: the list, and the form of each."""

import asyncio
import json
import re
from uuid import uuid4

import httpx
import pytest

from app import database
from tests.alerting import make_player
from tests.cast import Cast, make_cast, make_organization
from tests.clients import client_for
from tests.league import ago, refresh, solve

PAGE = "/admin/organizations"
FORM = {
    "name": "Northern League", "time_zone": "UTC", "school_year_starts_month": "8", "second_factor_required": "no",
    "onboarding_status": "compliance", "automatic_onboarding": "yes", "active_look_minutes": "30",
    "moderate_look_minutes": "120", "idle_look_minutes": "480", "syncs_per_hour": "10", "sync_pause_minutes": "5",
    "additions_at_once": "200", "password_mails_per_hour": "20", "exports_per_hour": "600",
}


@pytest.fixture
async def cast() -> Cast:
    return await make_cast()


async def save(cast: Cast, **changes: str) -> httpx.Response:
    async with await client_for(cast.admin) as browser:
        return await browser.post(f"{PAGE}/{cast.organization_id}", data=FORM | changes)


async def stored(cast: Cast) -> dict[str, object]:
    row = await database.fetchrow("select * from organizations where id = $1", cast.organization_id)
    assert row is not None
    return dict(row)


async def test_the_list_shows_every_organization_with_its_settings(cast: Cast) -> None:
    await make_organization("Southern League")
    async with await client_for(cast.admin) as browser:
        answer = await browser.get(PAGE)
    assert answer.status_code == 200 and "no-store" in answer.headers["cache-control"]
    assert answer.text.index("Northern League") < answer.text.index("Southern League")
    assert "August" in answer.text and "by itself, once release and agreement are signed" in answer.text
    assert f'href="{PAGE}" aria-current="page"' in answer.text


async def test_only_admins_find_the_way_there(cast: Cast) -> None:
    async with await client_for(cast.coach_a) as browser:
        settings = await browser.get("/settings")
        assert settings.status_code == 200 and PAGE not in settings.text
        for path in (PAGE, f"{PAGE}/{cast.organization_id}"):
            assert (await browser.get(path)).status_code == 403
        assert (await browser.post(f"{PAGE}/{cast.organization_id}", data=FORM)).status_code == 403


async def test_what_is_saved_is_shown(cast: Cast) -> None:
    answer = await save(
        cast, name="  Far   North ", time_zone="America/Chicago", school_year_starts_month="9",
        onboarding_status="profile", automatic_onboarding="no",
    )
    assert answer.headers["location"] == f"{PAGE}/{cast.organization_id}?done=saved"
    async with await client_for(cast.admin) as browser:
        page = (await browser.get(answer.headers["location"])).text
    assert "The settings are saved." in page and 'value="Far North"' in page
    for value in ("America/Chicago", "9", "profile"):
        assert f'<option value="{value}" selected>' in page
    row = await stored(cast)
    assert (row["name"], row["onboarding_status"], row["automatic_onboarding"]) == ("Far North", "profile", False)


@pytest.mark.parametrize(("changes", "field"), [
    ({"name": ""}, "name"),
    ({"name": "x" * 121}, "name"),
    ({"name": "Southern League"}, "name"),
    ({"time_zone": "Mars/Olympus"}, "time_zone"),
    ({"school_year_starts_month": "13"}, "school_year_starts_month"),
    ({"school_year_starts_month": "٣"}, "school_year_starts_month"),
    ({"onboarding_status": "pending"}, "onboarding_status"),
    ({"automatic_onboarding": ""}, "automatic_onboarding"),
    ({"second_factor_required": "maybe"}, "second_factor_required"),
    ({"second_factor_required": "yes"}, "second_factor_required"),
    ({"active_look_minutes": "31"}, "active_look_minutes"),
    ({"active_look_minutes": "4"}, "active_look_minutes"),
    ({"active_look_minutes": "30", "moderate_look_minutes": "20"}, "moderate_look_minutes"),
    ({"moderate_look_minutes": "121"}, "moderate_look_minutes"),
    ({"idle_look_minutes": "481"}, "idle_look_minutes"),
    ({"idle_look_minutes": "-1"}, "idle_look_minutes"),
    ({"syncs_per_hour": "0"}, "syncs_per_hour"),
    ({"syncs_per_hour": "٣"}, "syncs_per_hour"),
    ({"sync_pause_minutes": "1e1"}, "sync_pause_minutes"),
    ({"additions_at_once": "201"}, "additions_at_once"),
    ({"password_mails_per_hour": "9" * 30}, "password_mails_per_hour"),
    ({"exports_per_hour": ""}, "exports_per_hour"),
])
async def test_a_value_that_cannot_be_taken_is_named_at_its_field_and_nothing_changes(
    cast: Cast, changes: dict[str, str], field: str
) -> None:
    await make_organization("Southern League")
    before = await stored(cast)
    answer = await save(cast, **{"time_zone": "Asia/Tokyo", **changes})
    assert answer.status_code == 422 and f'aria-describedby="error-{field}"' in answer.text
    assert await stored(cast) == before
    assert await database.fetchval("select count(*) from audit_log") == 0
    if field not in ("time_zone", "name"):
        assert '<option value="Asia/Tokyo" selected>' in answer.text


async def test_promises_and_limits_are_kept_and_audited(cast: Cast) -> None:
    wanted = {
        "active_look_minutes": "10", "moderate_look_minutes": "60", "idle_look_minutes": "240", "syncs_per_hour": "3",
    }
    assert (await save(cast, **wanted)).status_code == 303
    row = await stored(cast)
    assert {name: row[name] for name in wanted} == {name: int(value) for name, value in wanted.items()}
    after = await database.fetchval("select after from audit_log where action = 'organization.settings_changed'")
    assert json.loads(after) == {name: int(value) for name, value in wanted.items()}


async def test_a_promise_shows_wherever_a_number_is_late(cast: Cast) -> None:
    ada = await make_player(cast.coach_a, "Ada Away", team_id=cast.team_a, looked_hours=3)
    await solve(ada, 100, ago(days=1))
    await refresh(cast.organization_id)
    paths = ("/leaderboard", "/teams", f"/teams/{cast.team_a}", "/timeline", "/reports/practice-hours",
             f"/competitors/{ada}", "/", "/teams/plan", f"/compare?competitor={ada}&competitor={ada}")
    async with await client_for(cast.coach_a) as coach:
        for path in paths:
            assert "Late:" not in (await coach.get(path)).text, path
        assert (await save(cast, moderate_look_minutes="60", idle_look_minutes="120")).status_code == 303
        for path in paths[:-1]:
            assert "promised every 2 hours" in (await coach.get(path)).text, path


async def test_two_admins_who_save_at_once_leave_one_or_the_others_settings(cast: Cast) -> None:
    wanted = ({"idle_look_minutes": "200", "syncs_per_hour": "2"}, {"idle_look_minutes": "300", "syncs_per_hour": "3"})
    answers = await asyncio.gather(*(save(cast, **each) for each in wanted))
    assert [answer.status_code for answer in answers] == [303, 303]
    row = await stored(cast)
    assert (row["idle_look_minutes"], row["syncs_per_hour"]) in ((200, 2), (300, 3))
    assert await database.fetchval("select count(*) from audit_log where action = 'organization.settings_changed'") == 2


async def test_what_was_typed_stands_in_its_field_again(cast: Cast) -> None:
    answer = await save(cast, idle_look_minutes="9999", exports_per_hour="many")
    assert 'value="9999"' in answer.text and 'value="many"' in answer.text
    assert "Enter a whole number from 5 to 480." in answer.text


async def test_an_unknown_organization_is_not_found(cast: Cast) -> None:
    async with await client_for(cast.admin) as browser:
        assert (await browser.get(f"{PAGE}/{uuid4()}")).status_code == 404
        assert (await browser.post(f"{PAGE}/{uuid4()}", data=FORM)).status_code == 404


async def test_a_form_without_its_token_changes_nothing(cast: Cast) -> None:
    async with await client_for(cast.admin) as browser:
        del browser.headers["x-csrftoken"]
        answer = await browser.post(f"{PAGE}/{cast.organization_id}", data=FORM | {"name": "Taken over"})
    assert answer.status_code == 403 and (await stored(cast))["name"] == "Northern League"


async def test_a_name_is_text_and_never_markup(cast: Cast) -> None:
    await save(cast, name="<script>alert(1)</script>{{7*7}}")
    async with await client_for(cast.admin) as browser:
        for path in (PAGE, f"{PAGE}/{cast.organization_id}"):
            page = (await browser.get(path)).text
            assert "<script>alert" not in page and "{{7*7}}" in page


async def test_an_admin_puts_a_break_into_the_calendar_and_takes_it_out(cast: Cast) -> None:
    address = f"{PAGE}/{cast.organization_id}"
    winter = {"break_name": "Winter", "first_day": "2026-12-21", "last_day": "2027-01-03"}
    async with await client_for(cast.admin) as browser:
        added = await browser.post(f"{address}/breaks", data=winter)
        assert added.headers["location"].endswith("?done=added#calendar")
        text = (await browser.get(address)).text
        assert "Winter" in text and "2027-01-03" in text
        removal = re.search(rf'action="({address}/breaks/[^"]+/remove)"', text)
        assert removal
        assert (await browser.post(removal[1])).status_code == 303
        assert (await browser.post(removal[1])).status_code == 404
        assert "No breaks yet" in (await browser.get(address)).text


@pytest.mark.parametrize(("changes", "field"), [
    ({"break_name": " "}, "break_name"), ({"first_day": "soon"}, "first_day"), ({"last_day": "2026-01-01"}, "last_day"),
])
async def test_a_break_that_cannot_be_is_named_at_its_field(cast: Cast, changes: dict[str, str], field: str) -> None:
    form = {"break_name": "Winter", "first_day": "2026-12-21", "last_day": "2027-01-03", **changes}
    async with await client_for(cast.admin) as browser:
        answer = await browser.post(f"{PAGE}/{cast.organization_id}/breaks", data=form)
    assert answer.status_code == 422 and f'aria-describedby="error-{field}"' in answer.text


async def test_a_coach_has_no_say_in_the_calendar(cast: Cast) -> None:
    async with await client_for(cast.coach_a) as browser:
        answer = await browser.post(f"{PAGE}/{cast.organization_id}/breaks", data={"break_name": "Mine"})
    assert answer.status_code == 403
