"""Pausing and resuming from the page of the sync."""

import pytest

from app import database
from app.domain.pauses import Scope
from app.services import pauses
from tests.cast import Cast, Person, make_cast
from tests.clients import client_for, stranger

PAGE = "/admin/sync"


@pytest.fixture
async def cast() -> Cast:
    return await make_cast()


async def post(person: Person, path: str, **form: str) -> tuple[int, str, str]:
    async with await client_for(person) as browser:
        answer = await browser.post(f"{PAGE}/pauses{path}", data=form)
    return answer.status_code, answer.headers.get("location", ""), answer.text


@pytest.mark.parametrize(
    ("what", "scope", "name"),
    [("all", Scope.ALL, ""), ("vendor:game_platform", Scope.VENDOR, "game_platform"),
     ("kind:job_cleanup", Scope.KIND, "job_cleanup")],
)
async def test_what_an_admin_pauses_is_shown_and_can_be_resumed(
    cast: Cast, what: str, scope: Scope, name: str
) -> None:
    assert await post(cast.admin, "", what=what, reason="moving house") == (303, f"{PAGE}?done=paused#pauses", "")
    paused = (await pauses.read_pauses())[0]
    assert (paused.scope, paused.name, paused.reason) == (scope, name, "moving house")
    async with await client_for(cast.admin) as browser:
        text = (await browser.get(PAGE)).text
    assert f'name="what" value="{what}"' in text and "moving house" in text
    assert (await post(cast.admin, "/end", what=what))[:2] == (303, f"{PAGE}?done=resumed#pauses")
    assert await pauses.read_pauses() == ()


async def test_an_automatic_stop_is_resumed_here_too(cast: Cast) -> None:
    await pauses.pause(Scope.KIND, "job_cleanup", reason="failed 5 times", actor=None, is_automatic=True)
    assert (await post(cast.admin, "/end", what="kind:job_cleanup"))[0] == 422
    assert (await post(cast.admin, "/end", what="kind:job_cleanup", automatic="yes"))[0] == 303
    assert await pauses.read_pauses() == ()


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"what": "all", "reason": " "}, "Say why"), ({"what": "kind:odd", "reason": "x"}, "Choose what to pause"),
        ({}, "Say why"),
    ],
)
async def test_a_form_that_cannot_be_used_changes_nothing_and_names_the_field(
    cast: Cast, form: dict[str, str], words: str
) -> None:
    status, _, text = await post(cast.admin, "", **form)
    assert status == 422 and words in text and 'aria-invalid="true"' in text
    assert await pauses.read_pauses() == ()


async def test_the_second_admin_is_told(cast: Cast) -> None:
    assert (await post(cast.admin, "", what="all", reason="first"))[0] == 303
    status, _, text = await post(cast.admin, "", what="all", reason="second")
    assert status == 422 and "paused already" in text
    assert (await post(cast.admin, "/end", what="all"))[0] == 303
    status, _, text = await post(cast.admin, "/end", what="all")
    assert status == 422 and "resumed it already" in text


async def test_only_admins_pause_and_resume(cast: Cast) -> None:
    assert (await post(cast.coach_a, "", what="all", reason="x"))[0] == 403
    await pauses.pause(Scope.ALL, reason="maintenance", actor=None)
    assert (await post(cast.coach_a, "/end", what="all"))[0] == 403
    async with stranger() as browser:
        assert (await browser.post(f"{PAGE}/pauses/end", data={"what": "all"})).status_code in (303, 403)
    assert await database.fetchval("select count(*) from pauses") == 1
