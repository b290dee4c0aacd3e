"""The page that changes several competitors and the page with a result for each."""

import re
from uuid import UUID, uuid4

import httpx
import pytest

from app import database
from app.domain.competitor_list import View
from tests.cast import Cast, Person, make_cast, make_competitor
from tests.clients import client_for, stranger


@pytest.fixture
async def cast() -> Cast:
    return await make_cast()


async def get(person: Person, path: str) -> httpx.Response:
    async with await client_for(person) as client:
        return await client.get(path)


async def post(person: Person, path: str, **form: object) -> httpx.Response:
    async with await client_for(person) as client:
        return await client.post(path, data=form)


def change_url(*competitor_ids: UUID) -> str:
    return View().url("/competitors/change") + "?" + "&".join(f"competitor={one}" for one in competitor_ids)


async def test_from_the_list_to_the_question_to_the_result(cast: Cast) -> None:
    ada, aron = await make_competitor(cast.coach_a, "Ada Prime"), await make_competitor(cast.coach_a, "Aron Zero")
    await make_competitor(cast.coach_a, "Alma Apart")
    answer = await post(cast.coach_a, "/competitors/choose?q=a", competitor=[str(ada), str(aron)])
    assert answer.status_code == 303 and "q=a" in answer.headers["location"]
    text = (await get(cast.coach_a, answer.headers["location"])).text
    assert "Change 2 competitors" in text and "Alma Apart" not in text
    assert "Firewall, High school" in text and "Another coach" not in text
    key = re.search(r'name="key" value="([^"]+)"', text)
    assert key
    form = {"competitor": [str(ada), str(aron)], "action": "team", "team": str(cast.team_a), "key": key[1]}
    done = await post(cast.coach_a, "/competitors/change", **form)
    assert done.status_code == 303
    result = (await get(cast.coach_a, done.headers["location"])).text
    assert result.count("</span>Done</span>") == 3 and "Ada Prime" in result and "Aron Zero" in result
    assert await database.fetchval("select count(*) from team_memberships where team_id = $1", cast.team_a) == 2
    assert (await post(cast.coach_a, "/competitors/change", **form)).headers["location"] == done.headers["location"]


async def test_everybody_of_a_filter_is_meant_where_nobody_is_named(cast: Cast) -> None:
    await make_competitor(cast.coach_a, "Ada Prime", status="profile")
    await make_competitor(cast.coach_a, "Aron Zero")
    await make_competitor(cast.coach_b, "Bea Secret", status="profile")
    text = (await get(cast.coach_a, "/competitors/change?status=profile")).text
    assert "Change Ada Prime" in text and "Aron Zero" not in text and "Bea Secret" not in text
    assert "Nobody is chosen." in (await get(cast.coach_a, "/competitors/change?status=pending")).text


async def test_a_filter_that_is_not_understood_is_named_before_everybody_is_changed(cast: Cast) -> None:
    await make_competitor(cast.coach_a, "Ada Prime")
    for filter_ in (f"team={cast.team_b}", "division=kindergarten"):
        text = (await get(cast.coach_a, f"/competitors/change?{filter_}")).text
        assert "Ada Prime" in text and "Part of the address was not understood." in text


async def test_more_than_the_most_are_cut_and_it_is_said(cast: Cast) -> None:
    await database.execute(
        """insert into competitors (organization_id, coach_id, first_name, last_name)
           select $1, $2, 'Extra', 'Person ' || n from generate_series(1, 203) n""",
        cast.organization_id, cast.coach_a.id,
    )
    text = (await get(cast.coach_a, "/competitors/change")).text
    assert "These are the first 200." in text and text.count('name="competitor"') == 200


async def test_a_form_that_names_nothing_is_answered_in_place(cast: Cast) -> None:
    ada = await make_competitor(cast.coach_a, "Ada Prime")
    for form in ({}, {"action": "promote"}, {"action": "team"}, {"action": "team", "team": "x"}):
        answer = await post(cast.coach_a, "/competitors/change", competitor=str(ada), **form)
        assert answer.status_code == 422 and "Nothing was changed." in answer.text, form
    assert (await post(cast.coach_a, "/competitors/choose")).status_code == 422
    assert (await post(cast.coach_a, "/competitors/change", action="archive")).status_code == 422


async def test_foreign_people_teams_and_results_are_not_found(cast: Cast) -> None:
    mine, foreign = await make_competitor(cast.coach_a, "Ada Prime"), await make_competitor(cast.coach_b, "Bea Secret")
    for wanted in ((foreign,), (mine, foreign), (mine, uuid4())):
        assert (await get(cast.coach_a, change_url(*wanted))).status_code == 404
        chosen = list(map(str, wanted))
        answer = await post(cast.coach_a, "/competitors/change", competitor=chosen, action="archive")
        assert answer.status_code == 404
    for form in ({"action": "team", "team": str(cast.team_b)}, {"action": "coach", "coach": str(cast.coach_b.id)}):
        assert (await post(cast.coach_a, "/competitors/change", competitor=str(mine), **form)).status_code == 404
    assert await database.fetchval("select count(*) from competitors where archived_at is not null") == 0
    done = await post(cast.coach_a, "/competitors/change", competitor=str(mine), action="release")
    assert (await get(cast.coach_b, done.headers["location"])).status_code == 404
    assert "Ada Prime" in (await get(cast.admin, done.headers["location"])).text
    assert (await get(cast.coach_a, f"/competitors/changes/{uuid4()}")).status_code == 404


async def test_whom_the_reader_sees_no_more_are_counted_and_not_named(cast: Cast) -> None:
    ada = await make_competitor(cast.coach_a, "Ada Prime")
    done = await post(cast.coach_a, "/competitors/change", competitor=str(ada), action="release")
    await database.execute("update competitors set coach_id = $1", cast.coach_b.id)
    text = (await get(cast.coach_a, done.headers["location"])).text
    assert "1 of them is not yours to see any more." in text and "Ada Prime" not in text


async def test_an_admin_may_choose_another_coach_and_a_refusal_says_why(cast: Cast) -> None:
    ada = await make_competitor(cast.coach_a, "Ada Prime", division="college")
    text = (await get(cast.admin, change_url(ada))).text
    assert "Another coach" in text and "The Game Platform cannot give a team or a competitor to another coach." in text
    refused = await post(cast.admin, "/competitors/change", competitor=str(ada), action="team", team=str(cast.team_a))
    assert "This team is for the division high school." in (await get(cast.admin, refused.headers["location"])).text
    await post(cast.admin, "/competitors/change", competitor=str(ada), action="coach", coach=str(cast.coach_b.id))
    assert await database.fetchval("select coach_id from competitors") == cast.coach_b.id


async def test_archived_people_can_only_be_brought_back(cast: Cast) -> None:
    ada = await make_competitor(cast.coach_a, "Ada Prime")
    await post(cast.coach_a, "/competitors/change", competitor=str(ada), action="archive")
    answer = await post(cast.coach_a, "/competitors/choose?show=archived", competitor=str(ada))
    text = (await get(cast.coach_a, answer.headers["location"])).text
    assert re.findall(r'name="action" value="(\w+)"', text) == ["restore"]
    await post(cast.coach_a, "/competitors/change", competitor=str(ada), action="restore")
    assert await database.fetchval("select archived_at from competitors") is None


async def test_strangers_players_and_forms_without_a_token_are_refused(cast: Cast) -> None:
    ada = await make_competitor(cast.coach_a, "Ada Prime")
    form = {"competitor": str(ada), "action": "archive"}
    async with await client_for(cast.player) as player, stranger() as nobody, await client_for(cast.coach_a) as coach:
        del coach.headers["x-csrftoken"]
        for path in ("/competitors/change", "/competitors/choose"):
            assert (await player.post(path, data=form)).status_code == 403
            assert (await nobody.post(path, data=form)).status_code == 303
            assert (await coach.post(path, data=form)).status_code == 403
        assert (await player.get("/competitors/change")).status_code == 403
    assert await database.fetchval("select archived_at from competitors") is None
