"""/competitors/coaches: who assists which team, and a roster from one coach to another."""

from uuid import UUID, uuid4

import httpx
import pytest

from app import database
from tests.cast import Cast, Person, make_cast, make_competitor, make_organization, make_user
from tests.clients import client_for, stranger

PATH = "/competitors/coaches"


@pytest.fixture
async def cast() -> Cast:
    cast = await make_cast()
    await make_competitor(cast.coach_a, "Ada Prime", team_id=cast.team_a)
    return cast


async def get(person: Person, path: str = PATH) -> httpx.Response:
    async with await client_for(person) as client:
        return await client.get(path)


async def post(person: Person, path: str, **form: object) -> httpx.Response:
    async with await client_for(person) as client:
        return await client.post(f"{PATH}{path}", data={name: str(value) for name, value in form.items()})


async def assistants() -> set[tuple[UUID, UUID]]:
    return {(row["team_id"], row["user_id"]) for row in await database.fetch("select * from team_assistants")}


async def test_a_coach_adds_an_assistant_who_then_sees_the_team_and_takes_them_off(cast: Cast) -> None:
    assert "Ada Prime" not in (await get(cast.coach_b, "/competitors")).text
    answer = await post(cast.coach_a, "/assistants", team=cast.team_a, coach=cast.coach_b.id)
    assert (answer.status_code, answer.headers["location"]) == (303, f"{PATH}?done=added")
    text = (await get(cast.coach_a, answer.headers["location"])).text
    assert "sees the team" in text and "Take Ben Birch off Firewall" in text
    assert "Ada Prime" in (await get(cast.coach_b, "/competitors")).text
    theirs = (await get(cast.coach_b)).text
    assert "Firewall" in theirs and "Take Ben Birch off" not in theirs
    kinds = [row["kind"] for row in await database.fetch("select kind from activity_events")]
    assert kinds == ["team_assistant_added"]
    await post(cast.coach_a, "/assistants/remove", team=cast.team_a, coach=cast.coach_b.id)
    assert await assistants() == set() and "Firewall" not in (await get(cast.coach_b)).text


async def test_foreign_teams_are_not_there_and_strangers_to_the_organization_do_not_assist(cast: Cast) -> None:
    other = await make_user(await make_organization("Southern League"), "coach", "Sue Spruce")
    for team_id in (cast.team_b, uuid4()):
        assert (await post(cast.coach_a, "/assistants", team=team_id, coach=cast.coach_b.id)).status_code == 404
        assert (await post(cast.coach_a, "/assistants/remove", team=team_id, coach=other.id)).status_code == 404
    for coach_id in (other.id, cast.player.id, uuid4()):
        answer = await post(cast.coach_a, "/assistants", team=cast.team_a, coach=coach_id)
        assert answer.status_code == 422 and "same organization" in answer.text
    assert (await post(cast.coach_a, "/assistants", team="x", coach="")).status_code == 422
    assert (await post(cast.coach_a, "/assistants/remove", team="x", coach="")).status_code == 404
    assert await assistants() == set() and "Sue Spruce" not in (await get(cast.coach_a)).text


async def test_an_admin_looks_and_then_hands_a_roster_over(cast: Cast) -> None:
    query = f"/hand-over?from={cast.coach_a.id}&to={cast.coach_b.id}"
    text = (await get(cast.admin, PATH + query)).text
    assert "Give 1 competitor and 1 team of Ada Alder to Ben Birch?" in text and "cannot give a team" in text
    assert await database.fetchval("select count(*) from competitors where coach_id = $1", cast.coach_a.id) == 1
    answer = await post(cast.admin, "/hand-over", **{"from": cast.coach_a.id, "to": cast.coach_b.id})
    assert answer.headers["location"] == f"{PATH}?done=handed-over"
    assert "Ada Prime" in (await get(cast.coach_b, "/competitors")).text
    assert "Ada Prime" not in (await get(cast.coach_a, "/competitors")).text
    again = await post(cast.admin, "/hand-over", **{"from": cast.coach_a.id, "to": cast.coach_b.id})
    assert again.status_code == 422 and "no competitors and no teams" in again.text


async def test_what_cannot_be_handed_over_is_said(cast: Cast) -> None:
    for query in ("", f"?from={cast.coach_a.id}", f"?from={cast.coach_a.id}&to={cast.coach_a.id}", "?from=x&to=x",
                  f"?from={cast.player.id}&to={cast.coach_b.id}", f"?from={cast.coach_a.id}&to={cast.player.id}"):
        answer = await get(cast.admin, f"{PATH}/hand-over{query}")
        assert answer.status_code == 200 and "Choose two different coaches" in answer.text, query
    assert (await post(cast.admin, "/hand-over", **{"from": "x", "to": "y"})).status_code == 404
    missing = await post(cast.admin, "/hand-over", **{"from": cast.coach_a.id, "to": cast.player.id})
    assert missing.status_code == 404


async def test_only_admins_hand_over_and_only_coaches_come_here(cast: Cast) -> None:
    assert "Hand a whole roster over" not in (await get(cast.coach_a)).text
    assert (await get(cast.coach_a, f"{PATH}/hand-over")).status_code == 403
    answer = await post(cast.coach_a, "/hand-over", **{"from": cast.coach_a.id, "to": cast.coach_b.id})
    assert answer.status_code == 403
    async with await client_for(cast.player) as player, stranger() as nobody, await client_for(cast.coach_a) as coach:
        del coach.headers["x-csrftoken"]
        assert (await player.get(PATH)).status_code == 403 and (await nobody.get(PATH)).status_code == 303
        form = {"team": str(cast.team_a), "coach": str(cast.coach_b.id)}
        assert (await coach.post(f"{PATH}/assistants", data=form)).status_code == 403
    assert await assistants() == set()


async def test_an_empty_page_says_what_would_be_here_and_a_search_finds_teams(cast: Cast) -> None:
    lonely = await make_user(cast.organization_id, "coach", "Lena Lime")
    assert "No teams yet." in (await get(lonely)).text
    assert "Backdoor" not in (await get(cast.admin, f"{PATH}?q=firew")).text
    assert "Backdoor" in (await get(cast.admin, f"{PATH}?q=ben")).text
    assert "No team matches this search." in (await get(cast.admin, f"{PATH}?q=zzz")).text
