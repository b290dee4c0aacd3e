"""/competitors/season: looked at first, then done at once, and undone."""

import asyncio
import re
from uuid import UUID, uuid4

import httpx
import pytest

from app import database
from tests.cast import Cast, Person, make_cast, make_competitor
from tests.clients import client_for, stranger

PATH = "/competitors/season"


@pytest.fixture
async def cast() -> Cast:
    cast = await make_cast()
    for name, grade, coach in (("Nina Nine", "9", cast.coach_a), ("Max Max", "12", cast.coach_a),
                               ("Una Known", None, cast.coach_a), ("Fay Foreign", "9", cast.coach_b)):
        competitor_id = await make_competitor(coach, name, team_id=cast.team_a if coach is cast.coach_a else None)
        await database.execute("update competitors set grade = $2 where id = $1", competitor_id, grade)
    return cast


async def get(person: Person, path: str = PATH) -> httpx.Response:
    async with await client_for(person) as client:
        return await client.get(path)


async def post(person: Person, path: str = PATH, **form: object) -> httpx.Response:
    async with await client_for(person) as client:
        return await client.post(path, data={name: str(value) for name, value in form.items()})


async def id_of(first_name: str) -> UUID:
    return UUID(str(await database.fetchval("select id from competitors where first_name = $1", first_name)))


async def grades() -> dict[str, str]:
    rows = await database.fetch("select first_name, grade from competitors where archived_at is null and grade <> ''")
    return {row["first_name"]: row["grade"] for row in rows}


async def test_the_page_shows_the_usual_step_of_everybody_on_the_roster(cast: Cast) -> None:
    text = (await get(cast.coach_a)).text
    assert "1 moves up, 1 leaves, 1 stays as they are." in text and "no grade to move" in text
    assert "Nina Nine" in text and "to 10" in text and "Fay Foreign" not in text
    assert await grades() == {"Nina": "9", "Max": "12", "Fay": "9"}


async def test_the_check_counts_the_exceptions_and_changes_nothing(cast: Cast) -> None:
    nina = await id_of("Nina")
    form = {"coach": cast.coach_a.id, "teams": "archive", f"step-{nina}": "stay"}
    answer = await post(cast.coach_a, f"{PATH}/check", **form)
    assert answer.status_code == 200 and "0 move up, 1 leaves, 2 stay as they are." in answer.text
    assert "1 team is archived with everybody" in answer.text and f'name="step-{nina}" value="stay"' in answer.text
    assert answer.text.count('name="step-') == 1
    assert await grades() == {"Nina": "9", "Max": "12", "Fay": "9"}


def shown(text: str) -> list[str]:
    return re.findall(r'aria-label="(\S+) [^"]*this year"', text)


async def test_a_large_roster_comes_in_pages_and_what_was_chosen_on_one_is_kept_on_the_others(cast: Cast) -> None:
    await database.execute(
        """insert into competitors (organization_id, coach_id, first_name, last_name, grade, division)
           select $1, $2, 'Kim' || n, 'Zz' || lpad(n::text, 3, '0'), '9', 'high_school'
           from generate_series(1, 220) n""",
        cast.organization_id, cast.coach_a.id,
    )
    last = await id_of("Kim220")
    first_page = (await get(cast.coach_a)).text
    assert len(shown(first_page)) == 100 and "1 to 100 of 223" in first_page
    assert len(shown((await get(cast.coach_a, f"{PATH}?page=3")).text)) == 23
    assert len(shown((await get(cast.coach_a, f"{PATH}?page=999")).text)) == 23
    odd = (await get(cast.coach_a, f"{PATH}?page=x&show=y")).text
    assert "“page”" in odd and "“show”" in odd and len(shown(odd)) == 100
    kim = await id_of("Kim1")
    second = (await post(cast.coach_a, f"{PATH}/check", coach=cast.coach_a.id, go=2, **{f"step-{kim}": "leave"})).text
    assert len(shown(second)) == 100 and f'type="hidden" name="step-{kim}" value="leave"' in second
    assert "101 to 200 of 223" in second and "221 move up" not in second
    checked = (await post(cast.coach_a, f"{PATH}/check", coach=cast.coach_a.id, **{
        f"step-{kim}": "leave", f"step-{last}": "stay"
    })).text
    assert "219 move up, 2 leave, 2 stay" in checked and "The first 200 of 221" in checked
    assert (await grades())["Kim1"] == "9"


async def test_one_step_is_set_for_all_who_are_shown(cast: Cast) -> None:
    answer = await post(cast.coach_a, f"{PATH}/check", coach=cast.coach_a.id, go="all", show="up", all="stay")
    assert answer.status_code == 200 and shown(answer.text) == ["Nina"]
    assert "0 move up, 1 leaves, 2 stay as they are." in answer.text
    back = await post(cast.coach_a, f"{PATH}/check", coach=cast.coach_a.id, go="all", all="usual",
                      **{f"step-{await id_of('Nina')}": "leave"})
    assert "1 moves up, 1 leaves, 1 stays as they are." in back.text
    for odd in ("x", "-1", "9" * 40, "٣"):
        assert (await post(cast.coach_a, f"{PATH}/check", coach=cast.coach_a.id, go=odd, page=odd)).status_code == 200


async def test_a_second_click_leads_to_the_same_turn(cast: Cast) -> None:
    checked = await post(cast.coach_a, f"{PATH}/check", coach=cast.coach_a.id)
    key = re.search(r'name="key" value="([^"]+)"', checked.text)
    assert key
    answers = await asyncio.gather(*(post(cast.coach_a, coach=cast.coach_a.id, key=key[1]) for _ in range(3)))
    assert [answer.status_code for answer in answers] == [303] * 3
    assert await grades() == {"Nina": "10", "Fay": "9"}
    foreign = await post(cast.coach_b, coach=cast.coach_b.id, key=key[1])
    assert foreign.status_code == 422 and (await grades())["Fay"] == "9"


async def test_a_season_is_turned_and_undone(cast: Cast) -> None:
    answer = await post(cast.coach_a, coach=cast.coach_a.id)
    assert (answer.status_code, answer.headers["location"]) == (303, f"{PATH}?coach={cast.coach_a.id}&done=turned")
    assert await grades() == {"Nina": "10", "Fay": "9"}
    text = (await get(cast.coach_a, answer.headers["location"])).text
    assert "The season is turned." in text and "Seasons so far" in text
    again = await post(cast.coach_a, coach=cast.coach_a.id)
    assert again.status_code == 422 and "closed for this roster already" in again.text
    change_id = await database.fetchval("select id from season_changes")
    assert (await post(cast.coach_b, f"{PATH}/undo", change=change_id)).status_code == 404
    await database.execute("update competitors set grade = '11' where first_name = 'Nina'")
    undone = await post(cast.coach_a, f"{PATH}/undo", change=change_id, coach=cast.coach_a.id)
    assert undone.headers["location"].endswith("&done=partly")
    assert await grades() == {"Nina": "11", "Max": "12", "Fay": "9"}
    assert "but for what was changed since" in (await get(cast.coach_a, undone.headers["location"])).text


async def test_an_admin_chooses_the_roster_and_a_coach_has_one(cast: Cast) -> None:
    choose = (await get(cast.admin)).text
    assert "Choose a coach" in choose and "Ada Alder" in choose
    assert "Fay Foreign" in (await get(cast.admin, f"{PATH}?coach={cast.coach_b.id}")).text
    for nobody in ("x", uuid4(), cast.player.id):
        assert "“coach” is not known." in (await get(cast.admin, f"{PATH}?coach={nobody}")).text
    assert "Fay Foreign" not in (await get(cast.coach_a, f"{PATH}?coach={cast.coach_b.id}")).text


async def test_what_is_not_the_readers_is_not_found(cast: Cast) -> None:
    fay = await id_of("Fay")
    for form in ({"coach": cast.coach_b.id}, {"coach": "x"}, {}, {"coach": cast.coach_a.id, f"step-{fay}": "leave"}):
        assert (await post(cast.coach_a, PATH, **form)).status_code == 404
    assert (await post(cast.coach_a, f"{PATH}/check", coach=cast.coach_b.id)).status_code == 404
    for nothing in ("", "x", uuid4()):
        assert (await post(cast.coach_a, f"{PATH}/undo", change=nothing)).status_code == 404
    assert await grades() == {"Nina": "9", "Max": "12", "Fay": "9"}


async def test_strangers_and_players_are_refused(cast: Cast) -> None:
    async with await client_for(cast.player) as player, stranger() as nobody:
        assert (await player.get(PATH)).status_code == 403 and (await nobody.get(PATH)).status_code == 303
        htmx = await nobody.get(PATH, headers={"HX-Request": "true", "HX-Request-Type": "partial"})
        assert "HX-Redirect" in htmx.headers
        for action in ("", "/check", "/undo"):
            assert (await player.post(f"{PATH}{action}")).status_code == 403
            assert (await nobody.post(f"{PATH}{action}")).status_code == 303


async def test_bad_values_fall_back_to_what_is_usual(cast: Cast) -> None:
    nina = await id_of("Nina")
    form = {"year": "<b>", "teams": "burn", f"step-{nina}": "fly", "step-x": "up"}
    answer = await post(cast.coach_a, f"{PATH}/check", coach=cast.coach_a.id, **form)
    assert answer.status_code == 200 and "1 moves up, 1 leaves" in answer.text and "<b>" not in answer.text


async def test_an_empty_roster_says_how_to_get_one(cast: Cast) -> None:
    await database.execute("update competitors set archived_at = now()")
    assert "Nobody is on this roster." in (await get(cast.coach_a)).text


async def test_the_file_holds_everybody_of_the_page_and_is_written_down(cast: Cast) -> None:
    answer = await get(cast.coach_a, f"{PATH}?format=csv")
    lines = answer.text.lstrip("\ufeff").splitlines()
    assert len(lines) == 4 and "Nina Nine,up,9,10,high_school,high_school,Firewall,no" in lines
    assert await database.fetchval("select count(*) from disclosure_log where purpose = 'season export'") == 3


async def test_names_are_hidden_while_presenting(cast: Cast) -> None:
    async with await client_for(cast.coach_a) as client:
        await database.execute("update sessions set is_presenting = true")
        shown = (await client.get(PATH)).text + (await client.get(f"{PATH}?format=csv")).text + \
            (await client.post(f"{PATH}/check", data={"coach": str(cast.coach_a.id)})).text
    assert "Nina" not in shown and "Max" not in shown and "Competitor" in shown
