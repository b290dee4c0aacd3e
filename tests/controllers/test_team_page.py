"""/teams/{id}: the breakdown, the drawer, the brief, and the quick actions with their limits."""



import httpx
import pytest

from app import database
from app.services.flags import set_flag
from tests.cast import Cast, Person, make_cast, make_competitor, make_team
from tests.clients import client_for, stranger
from tests.controllers.test_teams import get, members, post, stored
from tests.league import ago, solve

PARTIAL = {"HX-Request": "true", "HX-Request-Type": "partial"}
ACTIONS = ("sync", "restore")


@pytest.fixture
async def cast() -> Cast:
    return await make_cast()


async def switch_on(*names: str) -> None:
    for name in ("game_platform", *names):
        await set_flag(name, True, organization_id=None, actor=None, actor_label="test")


async def runs() -> list[object]:
    return [row["id"] for row in await database.fetch("select id from job_runs where kind = 'game_platform_sync'")]


async def present(person: Person, path: str) -> httpx.Response:
    async with await client_for(person) as client:
        await database.execute("update sessions set is_presenting = true where user_id = $1", person.id)
        return await client.get(path)


async def test_the_numbers_of_the_window_stand_with_each_member_and_for_the_team(cast: Cast) -> None:
    ada = await make_competitor(cast.coach_a, "Ada Prime", team_id=cast.team_a)
    await solve(ada, 300, ago(days=1))
    await solve(ada, 1070, ago(days=40))
    text = (await get(cast.coach_a, f"/teams/{cast.team_a}?window=7")).text
    row = text[text.index('<table id="members">'):].split("<tbody>")[1].split("</tr>")[0]
    numbers = [part.split("<")[0] for part in row.split('<td class="number">')[1:]]
    assert numbers == ["2", "1,370", "300"]
    assert "1 of 1 active and 300 points won: 7 days, " in text and "0 in as many days before" in text
    assert "Cryptography: only Ada Prime" in text
    file = await get(cast.coach_a, f"/competitors?team={cast.team_a}&format=csv")
    assert f"/competitors?team={cast.team_a}&amp;format=csv" in text and file.text.count("\n") == 2


async def test_the_drawer_is_the_inside_of_the_page_and_the_address_has_the_whole(cast: Cast) -> None:
    path = f"/teams/{cast.team_a}"
    async with await client_for(cast.coach_a) as client, await client_for(cast.coach_b) as other, stranger() as nobody:
        inside = await client.get(path, headers=PARTIAL)
        assert 'id="drawer-title"' in inside.text and "<html" not in inside.text
        assert "HX-Request-Type" in inside.headers["vary"] and "no-store" in inside.headers["cache-control"]
        whole = await client.get(path, headers={"HX-History-Restore-Request": "true"})
        assert "<html" in whole.text and 'id="drawer-title"' not in whole.text
        assert (await other.get(path, headers=PARTIAL)).status_code == 404
        assert "hx-redirect" in (await nobody.get(path, headers=PARTIAL)).headers


async def test_while_presenting_only_handles_are_shown(cast: Cast) -> None:
    ada = await make_competitor(cast.coach_a, "Ada Prime", team_id=cast.team_a)
    await make_competitor(cast.coach_a, "Free Person")
    await database.execute("update competitors set metactf_username = 'zero_day' where id = $1", ada)
    await solve(ada, 300, ago(days=1))
    for path in ("/teams", "/teams?view=matrix", f"/teams/{cast.team_a}", f"/teams/{cast.team_a}/brief"):
        text = (await present(cast.coach_a, path)).text
        assert "zero_day" in text and "Prime" not in text and "Free" not in text, path


async def test_foreign_teams_have_no_brief_and_no_quick_actions(cast: Cast) -> None:
    bea = await make_competitor(cast.coach_b, "Bea Secret", team_id=cast.team_b)
    path = f"/teams/{cast.team_b}"
    assert (await get(cast.coach_a, f"{path}/brief")).status_code == 404
    for action in (*ACTIONS, f"members/{bea}/move", f"members/{bea}/password-mail"):
        assert (await post(cast.coach_a, f"{path}/{action}", to=str(cast.team_a))).status_code == 404, action
    assert (await post(cast.coach_a, f"/teams/{cast.team_a}/members/{bea}/password-mail")).status_code == 404
    async with await client_for(cast.player) as player, stranger() as nobody:
        for action in ACTIONS:
            assert (await player.post(f"{path}/{action}")).status_code == 403
            assert (await nobody.post(f"{path}/{action}")).status_code == 303
    assert await members(cast.team_b) == {bea} and await runs() == []


async def test_a_member_moves_to_another_team_in_one_step(cast: Cast) -> None:
    second = await make_team(cast.coach_a, "Kernel Panic")
    college = await make_team(cast.coach_a, "Alumni", "college")
    ada = await make_competitor(cast.coach_a, "Ada Prime", team_id=cast.team_a)
    path = f"/teams/{cast.team_a}"
    page = (await get(cast.coach_a, path)).text
    assert "Another team for Ada Prime" in page and "Kernel Panic" in page and "Alumni" not in page
    for to, status in (("", 422), ("x", 422), (str(college), 422), (str(cast.team_b), 404)):
        assert (await post(cast.coach_a, f"{path}/members/{ada}/move", to=to)).status_code == status
    assert await members(cast.team_a) == {ada}
    answer = await post(cast.coach_a, f"{path}/members/{ada}/move", to=str(second))
    assert answer.headers["location"] == f"/teams/{second}?done=moved"
    assert (await members(cast.team_a), await members(second)) == (set(), {ada})
    events = await database.fetch("select kind, team_id from activity_events")
    assert [(event["kind"], event["team_id"]) for event in events] == [("member_added", second)]


async def test_sync_now_runs_once_says_so_and_has_a_limit(cast: Cast) -> None:
    await switch_on()
    await make_competitor(cast.coach_a, "Ada Prime", team_id=cast.team_a)
    await make_competitor(cast.coach_a, "New Comer", team_id=cast.team_a, status="profile")
    path = f"/teams/{cast.team_a}"
    assert "Sync now" in (await get(cast.coach_a, path)).text
    assert (await post(cast.coach_a, f"{path}/sync")).headers["location"] == f"{path}?done=sync"
    assert "Reading since" in (await get(cast.coach_a, path)).text
    again = await post(cast.admin, f"{path}/sync")
    assert again.headers["location"] == f"{path}?done=sync-running" and len(await runs()) == 1
    assert "are being read already" in (await get(cast.coach_a, again.headers["location"])).text
    await database.execute(
        """update job_runs set state = 'succeeded', finished_at = now(), result = '{"new_solves": 3}'"""
    )
    assert "3 new solves" in (await get(cast.coach_a, path)).text
    refused = await post(cast.coach_a, f"{path}/sync")
    assert refused.status_code == 422 and "asked in the last 5 minutes" in refused.text and len(await runs()) == 1
    await database.execute("update job_runs set queued_at = now() - interval '6 minutes'")
    assert (await post(cast.coach_a, f"{path}/sync")).status_code == 303 and len(await runs()) == 2
    assert await database.fetchval("select count(*) from audit_log where action = 'sync.asked'") == 2


async def test_one_person_cannot_ask_for_a_sync_of_everything_all_the_time(cast: Cast) -> None:
    await switch_on()
    await database.execute(
        """insert into job_runs (kind, key, trigger, triggered_by, state)
           select 'game_platform_sync', 'k' || n, 'user', $1, 'succeeded' from generate_series(1, 10) n""",
        cast.coach_a.id,
    )
    await make_competitor(cast.coach_a, "Ada Prime", team_id=cast.team_a)
    refused = await post(cast.coach_a, f"/teams/{cast.team_a}/sync")
    assert refused.status_code == 422 and "many syncs in the last hour" in refused.text
    assert (await post(cast.admin, f"/teams/{cast.team_a}/sync")).status_code == 303


async def test_there_is_nothing_to_sync_without_accounts_or_with_the_switch_off(cast: Cast) -> None:
    path = f"/teams/{cast.team_a}"
    await make_competitor(cast.coach_a, "New Comer", team_id=cast.team_a, status="profile")
    assert "Sync now" not in (await get(cast.coach_a, path)).text
    assert "nothing to read" in (await post(cast.coach_a, f"{path}/sync")).text
    await make_competitor(cast.coach_a, "Ada Prime", team_id=cast.team_a)
    off = await post(cast.coach_a, f"{path}/sync")
    assert off.status_code == 422 and "switched off for this organization" in off.text and await runs() == []


async def test_password_help_stands_with_members_where_it_is_offered(cast: Cast) -> None:
    ada = await make_competitor(cast.coach_a, "Ada Prime", team_id=cast.team_a)
    path = f"/teams/{cast.team_a}"
    ask = f"{path}/members/{ada}/password-mail"
    assert ask not in (await get(cast.coach_a, path)).text
    assert "Password help is switched off" in (await post(cast.coach_a, ask)).text
    await switch_on("game_platform.password_help")
    assert ask in (await get(cast.coach_a, path)).text
    assert (await post(cast.coach_a, ask)).headers["location"] == f"{path}?done=mail"
    assert await database.fetchval("select competitor_id from password_help_requests") == ada
    assert "in the last 15 minutes" in (await post(cast.coach_a, ask)).text


async def test_an_archived_team_comes_back_with_its_members(cast: Cast) -> None:
    ada = await make_competitor(cast.coach_a, "Ada Prime", team_id=cast.team_a)
    path = f"/teams/{cast.team_a}"
    await post(cast.coach_a, f"{path}/archive")
    assert "Bring the team back" in (await get(cast.coach_a, path)).text
    for _ in range(2):
        assert (await post(cast.coach_a, f"{path}/restore")).headers["location"] == f"{path}?done=restored"
    assert (await stored(cast.team_a))["archived_at"] is None and await members(cast.team_a) == {ada}
    for table, column in (("audit_log", "action"), ("activity_events", "kind")):
        words = [row[0] for row in await database.fetch(f"select {column} from {table} order by id")]
        assert [word.replace(".", "_") for word in words] == ["team_archived", "team_restored"]


async def test_a_team_whose_name_was_taken_meanwhile_stays_archived(cast: Cast) -> None:
    path = f"/teams/{cast.team_a}"
    await post(cast.coach_a, f"{path}/archive")
    await make_team(cast.coach_a, "firewall")
    refused = await post(cast.coach_a, f"{path}/restore")
    assert refused.status_code == 422 and "another team with that name" in refused.text
    assert (await stored(cast.team_a))["archived_at"] is not None
    assert await database.fetchval("select count(*) from audit_log where action = 'team.restored'") == 0


async def test_the_brief_has_facts_actions_and_how_old_they_are(cast: Cast) -> None:
    path = f"/teams/{cast.team_a}/brief"
    empty = (await get(cast.coach_a, path)).text
    assert "Nobody is on this team yet." in empty and "Put somebody on the team." in empty
    ada = await make_competitor(cast.coach_a, "Ada Prime", team_id=cast.team_a)
    await make_competitor(cast.coach_a, "Idle Ida", team_id=cast.team_a)
    await make_competitor(cast.coach_a, "New Comer", team_id=cast.team_a, status="profile")
    await solve(ada, 300, ago(days=1))
    await database.execute("update game_platform_sync_state set last_success_at = now() - interval '1 hour'")
    text = (await get(cast.coach_a, path)).text
    assert "1 of 3 took part and won 300 points; 0 in as many days before." in text
    assert "Bring onto the Game Platform: New Comer." in text and "Ask what keeps them: Idle Ida" in text
    assert "only Ada Prime has solved it" in text and "data from" in text


async def test_bad_days_in_the_address_are_named(cast: Cast) -> None:
    for path in (f"/teams/{cast.team_a}", f"/teams/{cast.team_a}/brief"):
        answer = await get(cast.coach_a, f"{path}?window=x&from=never")
        assert answer.status_code == 200 and "“window”" in answer.text and "“from”" in answer.text


