"""Theme and row height: chosen in the header, there from the first byte of the next page."""

import httpx
import pytest

from app import database
from tests.cast import make_cast
from tests.clients import client_for, stranger


async def choose(client: httpx.AsyncClient, **form: str) -> httpx.Response:
    return await client.post("/appearance", data=form)


async def test_the_theme_of_a_signed_in_reader_goes_with_the_person() -> None:
    cast = await make_cast()
    async with await client_for(cast.admin) as client:
        answer = await choose(client, theme="dark", next="/admin/components?a=1")
        assert (answer.status_code, answer.headers["location"]) == (303, "/admin/components?a=1")
    async with await client_for(cast.admin) as elsewhere:
        assert '<html lang="en" data-theme="dark"' in (await elsewhere.get("/admin/components")).text
    assert await database.fetchval("select theme from users where id = $1", cast.admin.id) == "dark"


async def test_a_stranger_keeps_it_in_a_cookie() -> None:
    async with stranger() as client:
        page = await client.get("/login")
        token = page.text.split('name="_csrf_token" value="')[1].split('"')[0]
        assert (await choose(client, theme="light", _csrf_token=token)).status_code == 303
        assert 'data-theme="light"' in (await client.get("/login")).text


async def test_row_height_is_remembered() -> None:
    cast = await make_cast()
    async with await client_for(cast.admin) as client:
        await choose(client, density="compact")
        assert 'data-density="compact"' in (await client.get("/admin/components")).text
        await choose(client, density="normal")
        assert 'data-density="compact"' not in (await client.get("/admin/components")).text


async def test_a_script_gets_no_page_back() -> None:
    cast = await make_cast()
    async with await client_for(cast.admin) as client:
        answer = await client.post("/appearance", data={"theme": "dark"}, headers={"HX-Request": "true"})
        assert (answer.status_code, answer.content) == (204, b"")


@pytest.mark.parametrize("form", [{"theme": "pink"}, {"density": "'; drop"}, {"theme": "dark", "density": "x"}])
async def test_an_unknown_choice_changes_nothing(form: dict[str, str]) -> None:
    cast = await make_cast()
    async with await client_for(cast.admin) as client:
        answer = await choose(client, **form)
        assert answer.status_code == 422 and "choose" in answer.text and "set-cookie" not in answer.headers
    assert await database.fetchval("select theme from users where id = $1", cast.admin.id) == "system"


@pytest.mark.parametrize("address", ["https://evil.example/", "//evil.example", "/\\evil.example"])
async def test_it_never_leads_to_another_site(address: str) -> None:
    cast = await make_cast()
    async with await client_for(cast.admin) as client:
        assert (await choose(client, theme="dark", next=address)).headers["location"] == "/"


async def test_it_wants_the_forms_own_token() -> None:
    cast = await make_cast()
    async with await client_for(cast.admin) as client:
        del client.headers["x-csrftoken"]
        assert (await choose(client, theme="dark")).status_code == 403
