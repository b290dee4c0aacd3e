"""/teams: the list, a new team, its members, and what the platform cannot do."""

import re
from uuid import UUID, uuid4

import httpx
import pytest

from app import database
from tests.cast import Cast, Person, make_cast, make_competitor, make_team
from tests.clients import client_for, stranger

NEW = {"name": "Kernel Panic", "division": "high_school", "affiliation": "North High"}
CHANGES = ("rename", "edit", "members", "archive", "delete")


@pytest.fixture
async def cast() -> Cast:
    return await make_cast()


async def get(person: Person, path: str) -> httpx.Response:
    async with await client_for(person) as client:
        return await client.get(path)


async def post(person: Person, path: str, **data: str) -> httpx.Response:
    async with await client_for(person) as client:
        return await client.post(path, data=data)


async def stored(team_id: UUID) -> dict[str, object]:
    row = await database.fetchrow("select * from teams where id = $1", team_id)
    return dict(row) if row else {}


async def members(team_id: UUID) -> set[UUID]:
    rows = await database.fetch("select competitor_id from team_memberships where team_id = $1", team_id)
    return {row["competitor_id"] for row in rows}


async def at_the_platform(team_id: UUID) -> None:
    await database.execute(
        """update teams set game_platform_id = id::text, game_platform_synced_at = now(), game_platform_name = name
           where id = $1""",
        team_id,
    )


async def test_a_coach_sees_their_own_teams_and_an_admin_all(cast: Cast) -> None:
    await make_competitor(cast.coach_a, "Ada Prime", team_id=cast.team_a)
    mine = (await get(cast.coach_a, "/teams")).text
    assert "Firewall" in mine and "Backdoor" not in mine and 'aria-current="page">Teams' in mine.replace("\n", "")
    assert '<dd class="members">1</dd>' in mine
    everybody = (await get(cast.admin, "/teams")).text
    assert "Firewall" in everybody and "Backdoor" in everybody and "Ben Birch" in everybody
    assert "Firewall" not in (await get(cast.coach_a, "/teams?q=backdoor")).text


async def test_foreign_teams_are_not_found_for_reading_and_for_every_change(cast: Cast) -> None:
    competitor_id = await make_competitor(cast.coach_b, "Bea Secret", team_id=cast.team_b)
    for team_id in (cast.team_b, uuid4()):
        path = f"/teams/{team_id}"
        for page in (path, f"{path}/archive", f"{path}/delete"):
            assert (await get(cast.coach_a, page)).status_code == 404
        for change in (*CHANGES, f"members/{competitor_id}/remove"):
            answer = await post(
                cast.coach_a, f"{path}/{change}", competitor_id=str(competitor_id), **NEW
            )
            assert answer.status_code == 404, change
    assert (await stored(cast.team_b))["name"] == "Backdoor" and await members(cast.team_b) == {competitor_id}
    assert await database.fetchval("select count(*) from audit_log") == 0


async def test_players_strangers_and_forms_without_a_token_change_nothing(cast: Cast) -> None:
    path = f"/teams/{cast.team_a}"
    async with await client_for(cast.player) as player, stranger() as nobody:
        for page in ("/teams", path, f"{path}/delete"):
            assert (await player.get(page)).status_code == 403
            assert (await nobody.get(page)).status_code == 303
        for change in ("/teams", *(f"{path}/{change}" for change in CHANGES)):
            assert (await player.post(change, data=NEW)).status_code == 403
            assert (await nobody.post(change, data=NEW)).status_code == 303
    async with await client_for(cast.coach_a) as client:
        del client.headers["x-csrftoken"]
        for change in ("/teams", *(f"{path}/{change}" for change in CHANGES)):
            assert (await client.post(change, data=NEW)).status_code == 403
    assert await database.fetchval("select count(*) from teams") == 2


async def test_a_team_is_created_once_however_often_the_form_is_sent(cast: Cast) -> None:
    answer = await post(cast.coach_a, "/teams", **NEW)
    team_id = await database.fetchval("select id from teams where name = 'Kernel Panic'")
    assert (answer.status_code, answer.headers["location"]) == (303, f"/teams/{team_id}?done=created")
    page = (await get(cast.coach_a, answer.headers["location"])).text
    assert "The team is created." in page and "Pending" in page and "North High" in page
    again = await post(cast.coach_a, "/teams", **NEW)
    assert again.status_code == 422 and 'aria-describedby="error-name"' in again.text
    assert await database.fetchval("select count(*) from teams where name = 'Kernel Panic'") == 1


async def test_an_admin_chooses_the_coach(cast: Cast) -> None:
    for coach_id in ("", "x", str(cast.player.id), str(uuid4())):
        answer = await post(cast.admin, "/teams", **NEW, coach_id=coach_id)
        assert answer.status_code == 422 and 'aria-describedby="error-coach_id"' in answer.text
    await post(cast.admin, "/teams", **NEW, coach_id=str(cast.coach_b.id))
    assert await database.fetchval("select coach_id from teams where name = 'Kernel Panic'") == cast.coach_b.id


@pytest.mark.parametrize(("changes", "field"), [
    ({"name": " "}, "name"), ({"name": "x" * 101}, "name"), ({"name": "firewall"}, "name"),
    ({"division": "kindergarten"}, "division"), ({"affiliation": ""}, "affiliation"), ({"name": "a\0b"}, "name"),
])
async def test_a_value_that_cannot_be_taken_is_named_at_its_field(
    cast: Cast, changes: dict[str, str], field: str
) -> None:
    answer = await post(cast.coach_a, "/teams", **NEW | changes)
    assert answer.status_code == 422 and f'aria-describedby="error-{field}"' in answer.text
    assert await database.fetchval("select count(*) from teams") == 2
    if field != "affiliation":
        assert 'value="North High"' in answer.text


async def test_a_coach_cannot_create_a_team_for_another(cast: Cast) -> None:
    await post(cast.coach_a, "/teams", **NEW, coach_id=str(cast.coach_b.id))
    assert await database.fetchval("select coach_id from teams where name = 'Kernel Panic'") == cast.coach_a.id


async def test_members_come_go_and_move(cast: Cast) -> None:
    second = await make_team(cast.coach_a, "Kernel Panic")
    competitor_id = await make_competitor(cast.coach_a, "Ada Prime", team_id=cast.team_a)
    page = (await get(cast.coach_a, f"/teams/{second}")).text
    assert "Ada Prime (leaves Firewall)" in page
    for _ in range(2):
        answer = await post(cast.coach_a, f"/teams/{second}/members", competitor_id=str(competitor_id))
        assert answer.headers["location"] == f"/teams/{second}?done=added"
    assert (await members(second), await members(cast.team_a)) == ({competitor_id}, set())
    assert await database.fetchval("select count(*) from outbox where kind = 'membership'") == 1
    for _ in range(2):
        answer = await post(cast.coach_a, f"/teams/{second}/members/{competitor_id}/remove")
        assert answer.headers["location"] == f"/teams/{second}?done=removed"
    assert await members(second) == set()


async def test_who_does_not_fit_is_refused_in_place(cast: Cast) -> None:
    college = await make_competitor(cast.coach_a, "Cleo College", division="college")
    foreign = await make_competitor(cast.coach_b, "Bea Secret")
    path = f"/teams/{cast.team_a}/members"
    refused = await post(cast.coach_a, path, competitor_id=str(college))
    assert refused.status_code == 422 and "This team is for the division high school." in refused.text
    assert (await post(cast.coach_a, path, competitor_id="")).status_code == 422
    assert (await post(cast.coach_a, path, competitor_id=str(foreign))).status_code == 404
    assert (await post(cast.admin, path, competitor_id=str(foreign))).status_code == 422
    assert await members(cast.team_a) == set()
    assert "Cleo College" not in (await get(cast.coach_a, f"/teams/{cast.team_a}")).text


async def test_every_member_has_a_badge_with_the_reason(cast: Cast) -> None:
    people = {
        name: await make_competitor(cast.coach_a, f"{name} Person", team_id=cast.team_a)
        for name in ("Synced", "Held", "Parked", "Untold")
    }
    await database.execute(
        "update team_memberships set game_platform_synced_at = now() where competitor_id = $1", people["Synced"]
    )
    for name, state, reason in (("Held", "waiting", "No account yet."), ("Parked", "parked", "Refused: <b>full</b>")):
        await database.execute(
            """insert into outbox (organization_id, kind, subject_id, state, reason)
               values ($1, 'membership', $2, $3, $4)""",
            cast.organization_id, people[name], state, reason,
        )
    text = (await get(cast.coach_a, f"/teams/{cast.team_a}")).text
    table = text[text.index('<table id="members">'):]
    rows = {name: table[table.index(f"{name} Person"):].split("</tr>")[0] for name in people}
    assert "●</span>Synced" in rows["Synced"] and "<time" in rows["Synced"]
    assert "◐</span>Pending" in rows["Held"] and "No account yet." in rows["Held"]
    assert "✕</span>Error" in rows["Parked"] and "&lt;b&gt;full" in rows["Parked"]
    assert "◐</span>Pending" in rows["Untold"]


async def test_a_rename_says_that_the_platform_keeps_the_old_name(cast: Cast) -> None:
    path = f"/teams/{cast.team_a}"
    plain = await post(cast.coach_a, f"{path}/rename", name="Blue")
    assert plain.headers["location"] == f"{path}?done=renamed"
    await at_the_platform(cast.team_a)
    answer = await post(cast.coach_a, f"{path}/rename", name="Red")
    text = (await get(cast.coach_a, answer.headers["location"])).text
    assert "The team has its new name here. The Game Platform cannot rename a team" in text
    assert "<dt>Name there</dt><dd>Blue</dd>" in text
    refused = await post(cast.coach_a, f"{path}/rename", name=" ")
    assert refused.status_code == 422 and (await stored(cast.team_a))["name"] == "Red"


async def test_division_and_affiliation_change_until_the_platform_has_the_team(cast: Cast) -> None:
    path = f"/teams/{cast.team_a}"
    saved = await post(cast.coach_a, f"{path}/edit", division="college", affiliation="Uni")
    assert saved.status_code == 303 and (await stored(cast.team_a))["affiliation"] == "Uni"
    await at_the_platform(cast.team_a)
    refused = await post(cast.coach_a, f"{path}/edit", division="high_school", affiliation="Uni")
    assert refused.status_code == 422 and (await stored(cast.team_a))["division"] == "college"
    text = (await get(cast.coach_a, path)).text
    assert f'action="{path}/edit"' not in text and "cannot change a team&#39;s division" in text


async def test_an_archived_team_is_read_and_not_changed(cast: Cast) -> None:
    path = f"/teams/{cast.team_a}"
    assert "Archive Firewall?" in (await get(cast.coach_a, f"{path}/archive")).text
    for _ in range(2):
        assert (await post(cast.coach_a, f"{path}/archive")).headers["location"] == f"{path}?done=archived"
    text = (await get(cast.coach_a, path)).text
    assert "This team is archived." in text and "/rename" not in text and "/members" not in text
    refused = await post(cast.coach_a, f"{path}/rename", name="Blue")
    assert refused.status_code == 422 and "archived and cannot be changed" in refused.text
    assert "Firewall" not in (await get(cast.coach_a, "/teams")).text
    assert "Firewall" in (await get(cast.coach_a, "/teams?show=archived")).text


async def test_deleting_is_refused_with_members_and_asked_before(cast: Cast) -> None:
    competitor_id = await make_competitor(cast.coach_a, "Ada Prime", team_id=cast.team_a)
    path = f"/teams/{cast.team_a}"
    refused = await post(cast.coach_a, f"{path}/delete")
    assert refused.status_code == 422 and "still has members" in refused.text
    await post(cast.coach_a, f"{path}/members/{competitor_id}/remove")
    assert "Delete Firewall?" in (await get(cast.coach_a, f"{path}/delete")).text
    await at_the_platform(cast.team_a)
    answer = await post(cast.coach_a, f"{path}/delete")
    assert answer.headers["location"] == f"{path}?done=deleting"
    text = (await get(cast.coach_a, answer.headers["location"])).text
    assert "This team is being deleted." in text and "/rename" not in text
    assert (await post(cast.coach_a, f"{path}/delete")).status_code == 303
    assert await database.fetchval("select count(*) from outbox where kind = 'team_deletion'") == 1


async def test_a_team_that_the_platform_never_heard_of_is_gone_at_once(cast: Cast) -> None:
    answer = await post(cast.coach_a, f"/teams/{cast.team_a}/delete")
    assert answer.headers["location"] == "/teams?done=deleted" and not await stored(cast.team_a)
    assert "The team is deleted." in (await get(cast.coach_a, "/teams?done=deleted")).text


async def test_bad_values_in_the_address_are_named(cast: Cast) -> None:
    for query in ("show=x", "cursor=x", "cursor=WyJ0ZWFtcyIsZmFsc2UsMCwieCIsInkiXQ", "q=" + "a" * 101):
        response = await get(cast.coach_a, f"/teams?{query}")
        assert response.status_code == 200 and f"“{query.split('=')[0]}”" in response.text


async def test_the_pages_of_a_long_list_hold_every_team_once(cast: Cast) -> None:
    await database.execute(
        """insert into teams (organization_id, coach_id, name, affiliation)
           select $1, $2, 'Team ' || n, 'School' from generate_series(1, 119) n""",
        cast.organization_id, cast.coach_a.id,
    )
    url, seen = "/teams", []
    for _ in range(5):
        text = (await get(cast.coach_a, url)).text
        seen += re.findall(r'<h2><a class="ellipsis" href="/teams/([^"]+)"', text)
        following = re.search(r'id="page-next" href="([^"]+)"', text)
        url = following[1].replace("&amp;", "&") if following else ""
    assert url == "" and len(seen) == len(set(seen)) == 120


async def test_a_page_costs_the_same_few_queries_however_many_members(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    statements: list[str] = []
    for name in ("fetch", "fetchrow", "fetchval"):
        real = getattr(database, name)

        async def counted(sql: str, *arguments: object, real: object = real) -> object:
            statements.append(sql)
            return await real(sql, *arguments)  # type: ignore[operator]

        monkeypatch.setattr(database, name, counted)

    async def count(path: str) -> int:
        statements.clear()
        assert (await get(cast.coach_a, path)).status_code == 200
        return len(statements)

    await make_competitor(cast.coach_a, "Ada Prime", team_id=cast.team_a)
    paths = ("/teams", "/teams?view=matrix", f"/teams/{cast.team_a}", f"/teams/{cast.team_a}/brief")
    few = [await count(path) for path in paths]
    for number in range(20):
        await make_competitor(cast.coach_a, f"Nina Number{number}", team_id=cast.team_a if number % 2 else None)
        await make_team(cast.coach_a, f"Team {number}")
    assert [await count(path) for path in paths] == few
    assert max(few) <= 10


async def test_names_are_text_and_never_markup(cast: Cast) -> None:
    answer = await post(cast.coach_a, "/teams", **NEW | {"name": "<script>alert(1)</script>{{7*7}}"})
    for path in ("/teams", answer.headers["location"]):
        text = (await get(cast.coach_a, path)).text
        assert "<script>alert" not in text and "{{7*7}}" in text
