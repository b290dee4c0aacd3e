"""The page of all components: for admins, with every example rendered and its source beside it."""

import html

import pytest

from app import database
from app.controllers.components import EXAMPLES
from app.web import TEMPLATES
from tests.cast import make_cast
from tests.clients import client_for


async def test_it_shows_every_example_and_the_lines_that_make_it() -> None:
    cast = await make_cast()
    async with await client_for(cast.admin) as client:
        answer = await client.get("/admin/components")
    assert answer.status_code == 200
    for example in EXAMPLES:
        assert f'id="example-{example.name}"' in answer.text
        assert html.escape(example.source.splitlines()[0], quote=False).replace('"', "&#34;") in answer.text


def test_every_example_file_is_on_the_page() -> None:
    files = {path.stem for path in (TEMPLATES / "components" / "examples").glob("*.html")}
    assert files == {example.name for example in EXAMPLES}


def test_every_component_file_is_used_by_an_example() -> None:
    used = " ".join(example.source for example in EXAMPLES)
    for path in (TEMPLATES / "components").glob("*.html"):
        assert f'"components/{path.name}"' in used, path.name


@pytest.mark.parametrize("who", ["coach_a", "player"])
async def test_it_is_for_admins(who: str) -> None:
    cast = await make_cast()
    async with await client_for(getattr(cast, who)) as client:
        assert (await client.get("/admin/components")).status_code == 403


async def test_a_name_is_shown_as_text_whatever_it_holds() -> None:
    cast = await make_cast()
    await database.execute(
        "update users set display_name = $2 where id = $1", cast.admin.id, '"><script>alert(1)</script>{{ 7*7 }}'
    )
    async with await client_for(cast.admin) as client:
        text = (await client.get("/admin/components")).text
    assert "<script>alert" not in text and "{{ 7*7 }}" in text
