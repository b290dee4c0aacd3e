"""The planner as a page: a draft in the address, coverage before and after, the calls, and applying exactly those."""

import html
import re
from uuid import UUID, uuid4

import httpx
import pytest

from app import database
from app.services import flags
from tests.cast import Cast, Person, make_cast, make_competitor, make_team
from tests.clients import client_for, stranger
from tests.league import refresh, solve
from tests.queries.test_practice_hours import NOON

PAGE = "/teams/plan"


@pytest.fixture
async def cast() -> Cast:
    """Coach A has two teams and three people of rank 1, 2 and 3; the best is the only one who does Cryptography."""
    cast = await make_cast()
    await make_team(cast.coach_a, "Kernel Panic")
    ada = await make_competitor(cast.coach_a, "Ada Prime", team_id=cast.team_a)
    aron = await make_competitor(cast.coach_a, "Aron Zero", team_id=cast.team_a)
    await make_competitor(cast.coach_a, "Cleo Cherry")
    await make_competitor(cast.coach_b, "Bea Foreign", team_id=cast.team_b)
    await solve(ada, 500, NOON)
    await solve(aron, 300, NOON, category="Forensics")
    await refresh(cast.organization_id)
    return cast


async def get(person: Person, path: str) -> httpx.Response:
    async with await client_for(person) as client:
        return await client.get(path)


async def post(person: Person, path: str, data: dict[str, str]) -> httpx.Response:
    async with await client_for(person) as client:
        return await client.post(path, data=data)


async def id_of(name: str) -> UUID:
    return UUID(str(await database.fetchval(
        "select id from competitors where first_name || ' ' || last_name = $1", name
    )))


async def team_named(name: str) -> UUID:
    return UUID(str(await database.fetchval("select id from teams where name = $1", name)))


def calls_in(text: str) -> list[str]:
    return re.findall(r"<li>([^<]+)</li>", text.partition('<ol class="calls">')[2].partition("</ol>")[0])


def coverage_in(text: str) -> dict[str, list[str]]:
    """By team and "now" or "planned": the cells' titles."""
    body = text.partition('id="planned-coverage"')[2].partition("</table>")[0].partition("<tbody>")[2]
    found = {}
    for row in re.findall(r"(?s)<tr.*?</tr>", body):
        name = " ".join(re.sub(r"<[^>]+>", " ", row.partition("</th>")[0]).split())
        found[name] = [html.unescape(title) for title in re.findall(r'<td class="coverage[^>]*title="([^"]+)"', row)]
    return found


def form_of(text: str, part: str) -> tuple[str, dict[str, str]]:
    """The address and the fields of the form whose action holds this, as a browser would send them unchanged."""
    form = next(form for form in re.findall(r"(?s)<form[^>]*method=\"post\".*?</form>", text)
                if part in form.partition(">")[0])
    fields = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', form))
    for name, options in re.findall(r'(?s)<select name="([^"]+)".*?>(.*?)</select>', form):
        chosen = re.search(r'value="([^"]+)" selected', options)
        assert chosen
        fields[name] = chosen[1]
    return html.unescape(form.partition('action="')[2].partition('"')[0]), fields


async def drafted(person: Person, changes: dict[str, str]) -> str:
    """The address of the draft after choosing other teams by name in the form."""
    action, fields = form_of((await get(person, PAGE)).text, 'action="/teams/plan?')
    for name, team in changes.items():
        fields[f"to-{await id_of(name)}"] = str(await team_named(team)) if team else "none"
    answer = await post(person, action, fields)
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


async def test_at_first_the_teams_are_as_they_are(cast: Cast) -> None:
    text = (await get(cast.coach_a, PAGE)).text
    assert all(name in text for name in ("Ada Prime", "Aron Zero", "Cleo Cherry", "Firewall", "Kernel Panic"))
    assert "Bea" not in text and "Backdoor" not in text and "Apply:" not in text
    cells = coverage_in(text)
    assert set(cells) == {"Firewall", "Kernel Panic"}
    assert "Cryptography: only Ada Prime" in cells["Firewall"] and "OSINT: nobody" in cells["Kernel Panic"]


async def test_a_change_by_hand_stands_in_the_address_and_changes_exactly_their_categories(cast: Cast) -> None:
    url = await drafted(cast.coach_a, {"Ada Prime": "Kernel Panic"})
    assert url.endswith(f"&changes={(await id_of('Ada Prime')).hex}.{(await team_named('Kernel Panic')).hex}#coverage")
    cells = coverage_in((await get(cast.coach_a, url)).text)
    lost = set(cells["Firewall now"]) - set(cells["Firewall planned"])
    won = set(cells["Kernel Panic planned"]) - set(cells["Kernel Panic now"])
    assert lost == won == {"Cryptography: only Ada Prime"}


async def test_the_calls_are_listed_before_anything_is_applied(cast: Cast) -> None:
    await database.execute("update teams set game_platform_id = id::text, game_platform_synced_at = now()")
    await database.execute("update team_memberships set game_platform_synced_at = now()")
    text = (await get(cast.coach_a, await drafted(cast.coach_a, {
        "Ada Prime": "Kernel Panic", "Aron Zero": "", "Cleo Cherry": "Firewall"
    }))).text
    assert calls_in(text) == [
        "Take Ada Prime off Firewall", "Put Ada Prime on Kernel Panic", "Take Aron Zero off Firewall",
        "Put Cleo Cherry on Firewall",
    ]
    assert "Apply: 3 moves, 4 calls" in text
    assert await database.fetchval("select count(*) from outbox") == 0


async def test_applying_moves_them_and_shows_the_teams_as_they_are_then(cast: Cast) -> None:
    url = await drafted(cast.coach_a, {"Ada Prime": "Kernel Panic", "Aron Zero": ""})
    answer = await post(cast.coach_a, *form_of((await get(cast.coach_a, url)).text, "/teams/plan/apply"))
    assert answer.status_code == 303 and answer.headers["location"].endswith("&done=2")
    text = (await get(cast.coach_a, answer.headers["location"])).text
    assert "2 competitors are on the planned teams." in text and "Apply:" not in text
    found = await database.fetch("select competitor_id, team_id from team_memberships join competitors c "
                                 "on c.id = competitor_id where c.coach_id = $1", cast.coach_a.id)
    assert [tuple(row) for row in found] == [(await id_of("Ada Prime"), await team_named("Kernel Panic"))]


async def test_what_is_not_as_it_was_shown_is_not_applied(cast: Cast) -> None:
    url = await drafted(cast.coach_a, {"Ada Prime": "Kernel Panic"})
    action, fields = form_of((await get(cast.coach_a, url)).text, "/teams/plan/apply")
    await database.execute("update team_memberships set game_platform_synced_at = now()")
    await database.execute("update teams set game_platform_id = id::text, game_platform_synced_at = now()")
    answer = await post(cast.coach_a, action, fields)
    assert answer.status_code == 422 and "Look at it again" in answer.text
    assert calls_in(answer.text) == ["Take Ada Prime off Firewall", "Put Ada Prime on Kernel Panic"]
    assert await database.fetchval("select count(*) from outbox") == 0
    assert (await post(cast.coach_a, action, {})).status_code == 422
    assert (await post(cast.coach_a, *form_of(answer.text, "/teams/plan/apply"))).status_code == 303


async def test_a_second_click_on_apply_changes_nothing_more(cast: Cast) -> None:
    url = await drafted(cast.coach_a, {"Ada Prime": "Kernel Panic"})
    action, fields = form_of((await get(cast.coach_a, url)).text, "/teams/plan/apply")
    assert [(await post(cast.coach_a, action, fields)).status_code for _ in range(2)] == [303, 422]
    assert await database.fetchval("select count(*) from audit_log where action = 'member.added'") == 1


@pytest.mark.parametrize(("mode", "size", "firewall", "panic"), [
    ("winning", "", {"Ada Prime", "Aron Zero"}, {"Cleo Cherry"}), ("winning", "1", {"Ada Prime"}, {"Aron Zero"}),
    ("growth", "", {"Ada Prime"}, {"Aron Zero", "Cleo Cherry"}),
])
async def test_a_suggestion_is_a_plan_like_any_other(
    cast: Cast, mode: str, size: str, firewall: set[str], panic: set[str]
) -> None:
    text = (await get(cast.coach_a, f"{PAGE}?mode={mode}&size={size}")).text
    _, fields = form_of(text, 'action="/teams/plan?')
    for team, names in (("Firewall", firewall), ("Kernel Panic", panic)):
        wanted = str(await team_named(team))
        assert {name for name in ("Ada Prime", "Aron Zero", "Cleo Cherry")
                if fields[f"to-{await id_of(name)}"] == wanted} == names


async def test_an_admin_plans_for_any_group(cast: Cast) -> None:
    text = (await get(cast.admin, f"{PAGE}?group={cast.coach_b.id}.high_school")).text
    assert "Bea Foreign" in text and "Ada Prime" not in text
    assert "Ada Alder, High school, 2 teams" in text and "Ben Birch, High school, 1 team" in text


async def test_somebody_elses_group_team_and_people_are_not_to_be_found(cast: Cast) -> None:
    foreign = f"{PAGE}?group={cast.coach_b.id}.high_school"
    text = (await get(cast.coach_a, foreign)).text
    assert "“group” is not known" in text and "Bea" not in text
    own = f"{PAGE}?group={cast.coach_a.id}.high_school"
    ada, bea = await id_of("Ada Prime"), await id_of("Bea Foreign")
    for path, form in (
        (foreign, {f"to-{bea}": "none"}), (own, {f"to-{bea}": "none"}), (own, {f"to-{ada}": str(cast.team_b)}),
        (own, {f"to-{uuid4()}": "none"}), (own, {"to-x": "none"}), (own, {f"to-{ada}": "x"}), (PAGE, {}),
        (f"{PAGE}/apply?group={cast.coach_b.id}.high_school", {"shown": "x"}),
    ):
        assert (await post(cast.coach_a, path, form)).status_code == 404, (path, form)
    text = (await get(cast.coach_a, f"{own}&changes={bea.hex}.none")).text
    assert "“changes” names somebody or a team that is not here any more." in text and "Apply:" not in text


async def test_players_and_strangers_are_refused(cast: Cast) -> None:
    async with await client_for(cast.player) as player, stranger() as nobody:
        assert (await player.get(PAGE)).status_code == 403 and (await nobody.get(PAGE)).status_code == 303
        for path in (PAGE, f"{PAGE}/apply"):
            assert (await player.post(path)).status_code == 403 and (await nobody.post(path)).status_code == 303


async def test_a_form_without_its_token_changes_nothing(cast: Cast) -> None:
    async with await client_for(cast.coach_a) as client:
        del client.headers["x-csrftoken"]
        for path in (PAGE, f"{PAGE}/apply"):
            assert (await client.post(f"{path}?group={cast.coach_a.id}.high_school")).status_code == 403


@pytest.mark.parametrize("query", ["group=x", "mode=x", "size=0", "changes=x", "organization=x"])
async def test_a_bad_value_shows_the_default_and_a_notice(cast: Cast, query: str) -> None:
    response = await get(cast.coach_a, f"{PAGE}?{query}")
    assert response.status_code == 200 and f"“{query.split('=')[0]}”" in response.text


async def test_without_teams_the_page_says_how_to_begin(cast: Cast) -> None:
    await database.execute("update teams set archived_at = now()")
    assert "No teams to plan with yet." in (await get(cast.coach_a, PAGE)).text


async def test_without_people_it_says_who_would_be_here(cast: Cast) -> None:
    await database.execute("delete from competitors")
    assert "Nobody to plan with." in (await get(cast.coach_a, PAGE)).text


async def test_where_nothing_is_sent_the_page_says_so(cast: Cast) -> None:
    await flags.set_flag("game_platform.roster_sync", False, organization_id=None, actor=None, actor_label="test")
    url = await drafted(cast.coach_a, {"Ada Prime": "Kernel Panic"})
    assert "Sending rosters to the Game Platform is switched off" in (await get(cast.coach_a, url)).text


async def test_who_presents_shows_handles(cast: Cast) -> None:
    url = await drafted(cast.coach_a, {"Ada Prime": "Kernel Panic"})
    async with await client_for(cast.coach_a) as client:
        await database.execute("update sessions set is_presenting = true")
        assert not re.search("Ada Prime|Aron Zero|Cleo", (await client.get(url)).text)


async def test_the_page_costs_the_same_few_queries_however_many_people(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    statements: list[str] = []
    for name in ("fetch", "fetchrow", "fetchval"):
        real = getattr(database, name)

        async def counted(sql: str, *arguments: object, real: object = real) -> object:
            statements.append(sql)
            return await real(sql, *arguments)  # type: ignore[operator]

        monkeypatch.setattr(database, name, counted)

    async def count() -> int:
        statements.clear()
        assert (await get(cast.coach_a, f"{PAGE}?mode=growth")).status_code == 200
        return len(statements)

    few = await count()
    for number in range(20):
        await make_competitor(cast.coach_a, f"Nina Number{number}")
    assert await count() == few <= 9
