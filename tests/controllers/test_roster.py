"""/competitors/{id}/edit: the form, what is refused at which field, and what the platform cannot follow."""

import re
from uuid import UUID, uuid4

import httpx
import pytest

from app import database
from tests.cast import Cast, Person, make_cast, make_competitor
from tests.clients import client_for, stranger


@pytest.fixture
async def cast() -> Cast:
    return await make_cast()


@pytest.fixture
async def ada(cast: Cast) -> UUID:
    return await make_competitor(cast.coach_a, "Ada Prime", team_id=cast.team_a)


async def get(person: Person, path: str) -> httpx.Response:
    async with await client_for(person) as client:
        return await client.get(path)


async def form_of(person: Person, competitor_id: UUID) -> dict[str, str]:
    """What the form would send as it stands."""
    text = (await get(person, f"/competitors/{competitor_id}/edit")).text
    fields = dict(re.findall(r'id="field-\w+" name="(\w+)" value="([^"]*)"', text))
    fields |= dict(re.findall(r'<input type="checkbox" name="(\w+)" value="(yes)" checked', text))
    seen, division = re.search(r'name="seen" value="([^"]+)"', text), re.search(r'value="(\w+)" selected', text)
    assert seen and division
    return {**fields, "seen": seen[1], "division": division[1]}


async def save(person: Person, competitor_id: UUID, **changes: str) -> httpx.Response:
    form = {**await form_of(person, competitor_id), **changes}
    async with await client_for(person) as client:
        return await client.post(f"/competitors/{competitor_id}/edit", data=form)


async def value_of(column: str) -> object:
    return await database.fetchval(f"select {column} from competitors where first_name <> 'Bea'")


async def test_a_change_is_saved_and_said(cast: Cast, ada: UUID) -> None:
    answer = await save(cast.coach_a, ada, grade="11", school_id=" S 7 ")
    assert (answer.status_code, answer.headers["location"]) == (303, f"/competitors/{ada}/edit?done=saved")
    assert [await value_of(name) for name in ("grade", "school_id", "release_signed")] == ["11", "S 7", True]
    text = (await get(cast.coach_a, answer.headers["location"])).text
    assert "The changes are saved." in text and "Set by hand: no import changes it." in text
    unchanged = await save(cast.coach_a, ada)
    assert unchanged.headers["location"].endswith("?done=unchanged")


async def test_an_unticked_paper_is_taken_back(cast: Cast, ada: UUID) -> None:
    form = await form_of(cast.coach_a, ada)
    del form["release_signed"]
    async with await client_for(cast.coach_a) as client:
        assert (await client.post(f"/competitors/{ada}/edit", data=form)).status_code == 303
    assert (await value_of("release_signed"), await value_of("status")) == (False, "profile")


async def test_the_reader_is_told_what_the_platform_cannot_follow(cast: Cast, ada: UUID) -> None:
    answer = await save(cast.coach_a, ada, email="new@example.org")
    text = (await get(cast.coach_a, answer.headers["location"])).text
    assert "saved here" in text and "Ask the platform to change it there too" in text
    answer = await save(cast.coach_a, ada, first_name="Ida")
    assert "keeps the name" in (await get(cast.coach_a, answer.headers["location"])).text
    await database.execute("update competitors set game_platform_id = null, metactf_user_status = null")
    assert (await save(cast.coach_a, ada, email="other@example.org")).headers["location"].endswith("?done=saved")


async def test_bad_values_are_said_at_their_fields_and_kept(cast: Cast, ada: UUID) -> None:
    answer = await save(cast.coach_a, ada, email="no address", last_name="", grade="12")
    assert answer.status_code == 422
    assert 'aria-describedby="error-email"' in answer.text and 'value="no address"' in answer.text
    assert "This is required." in answer.text and 'value="12"' in answer.text
    refused = await save(cast.coach_a, ada, division="college")
    assert refused.status_code == 422 and "The team Firewall plays in another division." in refused.text
    assert await value_of("division") == "high_school"


async def test_two_at_once_see_what_differs_and_the_second_decides(cast: Cast, ada: UUID) -> None:
    form = await form_of(cast.coach_a, ada)
    await save(cast.admin, ada, grade="9")
    async with await client_for(cast.coach_a) as client:
        answer = await client.post(f"/competitors/{ada}/edit", data={**form, "grade": "10"})
        assert answer.status_code == 422 and "meanwhile" in answer.text
        assert "<del>9</del>" in answer.text and "<ins>10</ins>" in answer.text
        seen = re.search(r'name="seen" value="([^"]+)"', answer.text)
        assert seen
        again = await client.post(f"/competitors/{ada}/edit", data={**form, "grade": "10", "seen": seen[1]})
    assert again.status_code == 303 and await value_of("grade") == "10"


async def test_an_admin_does_not_see_the_mail_and_does_not_lose_it(cast: Cast, ada: UUID) -> None:
    mail = str(await value_of("email"))
    text = (await get(cast.admin, f"/competitors/{ada}/edit")).text
    assert mail not in text and "their coach sees it" in text
    await save(cast.admin, ada, grade="8")
    assert (await value_of("email"), await value_of("grade")) == (mail, "8")
    await save(cast.admin, ada, email="given@example.org")
    assert await value_of("email") == "given@example.org"


async def test_nothing_is_assigned_that_the_form_does_not_have(cast: Cast, ada: UUID) -> None:
    await save(cast.coach_a, ada, status="pending", coach_id=str(cast.coach_b.id), game_platform_id="x", grade="7")
    assert (await value_of("coach_id"), await value_of("grade")) == (cast.coach_a.id, "7")
    assert await value_of("game_platform_id") != "x" and await value_of("status") == "complete"


async def test_foreign_people_are_not_found(cast: Cast, ada: UUID) -> None:
    bea = await make_competitor(cast.coach_b, "Bea Secret")
    for competitor_id in (bea, uuid4()):
        assert (await get(cast.coach_a, f"/competitors/{competitor_id}/edit")).status_code == 404
        async with await client_for(cast.coach_a) as client:
            assert (await client.post(f"/competitors/{competitor_id}/edit", data={"grade": "1"})).status_code == 404


async def test_an_archived_competitor_is_only_brought_back(cast: Cast, ada: UUID) -> None:
    await database.execute("update competitors set archived_at = now() where id = $1", ada)
    text = (await get(cast.coach_a, f"/competitors/{ada}/edit")).text
    assert "This competitor is archived." in text and 'name="seen"' not in text


async def test_nobody_edits_while_presenting(cast: Cast, ada: UUID) -> None:
    form = await form_of(cast.coach_a, ada)
    async with await client_for(cast.coach_a) as client:
        await client.post("/presenting", data={"present": "on", "next": "/"})
        answer = await client.post(f"/competitors/{ada}/edit", data={**form, "grade": "9"})
        assert answer.status_code == 422 and "Prime" not in answer.text and "@example.org" not in answer.text
    assert await value_of("grade") is None


async def test_strangers_players_and_forms_without_a_token_are_refused(cast: Cast, ada: UUID) -> None:
    path = f"/competitors/{ada}/edit"
    async with await client_for(cast.player) as player, stranger() as nobody, await client_for(cast.coach_a) as coach:
        del coach.headers["x-csrftoken"]
        assert (await player.get(path)).status_code == (await player.post(path)).status_code == 403
        assert (await nobody.get(path)).status_code == (await nobody.post(path)).status_code == 303
        assert (await coach.post(path, data={"grade": "1"})).status_code == 403
