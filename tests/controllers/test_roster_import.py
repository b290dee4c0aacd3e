"""/competitors/import: looked at first, then all of it or nothing."""

import asyncio
import re
from uuid import uuid4

import httpx
import pytest

from app import database
from app.domain.roster_file import MAX_BYTES, ORDER
from tests.cast import Cast, Person, make_cast, make_competitor
from tests.clients import client_for, stranger

PATH = "/competitors/import"
HEADER = "first_name,last_name,email,grade,division,team,affiliation"
NEW = f"{HEADER}\nCleo,Cherry,cleo@example.org,9,high_school,Sandbox,North High\n"


@pytest.fixture
async def cast() -> Cast:
    return await make_cast()


async def uploaded(person: Person, content: bytes | str, **form: str) -> httpx.Response:
    async with await client_for(person) as client:
        content = content.encode() if isinstance(content, str) else content
        return await client.post(PATH, data=form, files={"file": ("autumn.csv", content, "text/csv")})


async def checked(person: Person, content: bytes | str, **form: str) -> tuple[str, str]:
    """The page of the check: its address and its text."""
    answer = await uploaded(person, content, **form)
    assert answer.status_code == 303, answer.text
    url = answer.headers["location"]
    return url, (await get(person, url)).text


async def get(person: Person, path: str) -> httpx.Response:
    async with await client_for(person) as client:
        return await client.get(path)


async def imported(person: Person, url: str) -> httpx.Response:
    async with await client_for(person) as client:
        return await client.post(url)


async def people() -> set[str]:
    rows = await database.fetch("select first_name || ' ' || last_name as name from competitors")
    return {row["name"] for row in rows}


def fact(text: str, name: str) -> str:
    found = re.search(rf"<dt>{name}</dt><dd>([^<]*)</dd>", text)
    assert found, name
    return found[1]


async def test_a_file_is_checked_then_imported_and_then_gone(cast: Cast) -> None:
    url, text = await checked(cast.coach_a, NEW)
    assert (fact(text, "New competitors"), fact(text, "New teams"), fact(text, "Problems")) == ("1", "1", "0")
    assert "Cleo Cherry" in text and "Import 1 row<" in text
    assert await people() == set()
    answer = await imported(cast.coach_a, url)
    assert (answer.status_code, answer.headers["location"]) == (303, url)
    assert await people() == {"Cleo Cherry"}
    done = (await get(cast.coach_a, url)).text
    assert "autumn.csv is imported." in done and fact(done, "New competitors") == "1"
    row = await database.fetchrow("select content, imported_at from roster_uploads")
    assert row and row["content"] is None and row["imported_at"]
    audited = await database.fetchrow("select actor_id, action from audit_log")
    assert audited and tuple(audited) == (cast.coach_a.id, "roster.imported")


async def test_a_second_click_imports_nothing_more(cast: Cast) -> None:
    url, _ = await checked(cast.coach_a, NEW)
    await imported(cast.coach_a, url)
    assert (await imported(cast.coach_a, url)).status_code == 303
    assert await database.fetchval("select count(*) from audit_log") == 1


async def test_of_clicks_at_one_moment_the_result_of_the_first_is_shown(cast: Cast) -> None:
    url, _ = await checked(cast.coach_a, NEW)
    await asyncio.gather(*(imported(cast.coach_a, url) for _ in range(4)))
    assert fact((await get(cast.coach_a, url)).text, "New competitors") == "1"
    assert await database.fetchval("select count(*) from audit_log") == 1


async def test_the_same_file_again_has_nothing_to_do(cast: Cast) -> None:
    url, _ = await checked(cast.coach_a, NEW)
    await imported(cast.coach_a, url)
    _, text = await checked(cast.coach_a, NEW)
    assert "Nothing to do" in text and fact(text, "Unchanged") == "1" and ">Import " not in text


async def test_bad_rows_are_named_and_nothing_of_the_file_is_taken(cast: Cast) -> None:
    url, text = await checked(cast.coach_a, f"{NEW}Dan,,nobody,9,nursery,,\n")
    assert fact(text, "Problems") == "3" and "Cannot be imported" in text and ">Import " not in text
    assert "This is not an e-mail address." in text and text.count('<th scope="row" class="number">3</th>') == 3
    assert (await imported(cast.coach_a, url)).status_code == 422
    assert await people() == set()
    file = await get(cast.coach_a, f"{url}?format=csv")
    assert file.headers["content-type"].startswith("text/csv")
    assert file.text.splitlines()[0] == "\ufeffrow,field,problem" and len(file.text.splitlines()) == 4


async def test_the_check_says_what_would_change_of_whom(cast: Cast) -> None:
    await make_competitor(cast.coach_a, "Cleo Cherry", status="profile")
    await database.execute("update competitors set email = 'cleo@example.org', grade = '8'")
    _, text = await checked(cast.coach_a, NEW)
    assert "Grade: <del>8</del>" in text and "<ins>9</ins>" in text and "<ins>Sandbox</ins>" in text
    assert (fact(text, "Changed"), fact(text, "New competitors")) == ("1", "0")


async def test_somebody_who_looks_known_is_pointed_out(cast: Cast) -> None:
    known = await make_competitor(cast.coach_a, "Cleopatra Cherry")
    await make_competitor(cast.coach_b, "Cleo Cherry")
    _, text = await checked(cast.coach_a, NEW)
    assert "Perhaps known already" in text and f"/competitors/{known}" in text
    assert "one first name begins with the other" in text and text.count("/competitors/") == text.count(f"/{known}") + \
        text.count("/competitors/import")


async def test_a_file_as_excel_on_windows_saves_it_is_read(cast: Cast) -> None:
    url, text = await checked(cast.coach_a, "first_name,last_name,division\r\nZoë,Åberg,college\r\n".encode("cp1252"))
    assert "Zoë Åberg" in text
    await imported(cast.coach_a, url)
    marked = "\ufefffirst_name,last_name,division\nZoë,Åberg,college\n".encode()
    assert fact((await checked(cast.coach_a, marked))[1], "Unchanged") == "1"


async def test_an_admin_names_the_coach(cast: Cast) -> None:
    refused = await uploaded(cast.admin, NEW)
    assert refused.status_code == 422 and "Choose whose roster this is." in refused.text
    for nobody in ("x", str(uuid4()), str(cast.player.id)):
        assert (await uploaded(cast.admin, NEW, coach_id=nobody)).status_code == 422
    url, text = await checked(cast.admin, NEW, coach_id=str(cast.coach_b.id))
    assert fact(text, "Roster of") == "Ben Birch"
    await imported(cast.admin, url)
    assert await database.fetchval("select coach_id from competitors") == cast.coach_b.id


async def test_a_coach_imports_only_into_their_own_roster(cast: Cast) -> None:
    url, _ = await checked(cast.coach_a, NEW, coach_id=str(cast.coach_b.id))
    await imported(cast.coach_a, url)
    assert await database.fetchval("select coach_id from competitors") == cast.coach_a.id


async def test_a_file_is_its_uploaders_alone(cast: Cast) -> None:
    url, _ = await checked(cast.coach_a, NEW)
    for other in (cast.coach_b, cast.admin):
        assert (await get(other, url)).status_code == 404
        assert (await imported(other, url)).status_code == 404
    async with stranger() as nobody:
        assert (await nobody.get(PATH)).status_code == 303 and (await nobody.get(url)).status_code == 303
        htmx = await nobody.get(PATH, headers={"HX-Request": "true", "HX-Request-Type": "partial"})
        assert "HX-Redirect" in htmx.headers
    async with await client_for(cast.player) as player:
        assert (await player.get(PATH)).status_code == 403 and (await player.post(url)).status_code == 403
    assert await people() == set()


@pytest.mark.parametrize("content", [b"", b"  \n"])
async def test_an_empty_file_is_refused_at_the_field(cast: Cast, content: bytes) -> None:
    answer = await uploaded(cast.coach_a, content)
    assert answer.status_code == 422 and 'id="error-file"' in answer.text


async def test_no_file_at_all_is_refused_at_the_field(cast: Cast) -> None:
    async with await client_for(cast.coach_a) as client:
        for data in ({}, {"file": "typed"}):
            answer = await client.post(PATH, data=data)
            assert answer.status_code == 422 and 'id="error-file"' in answer.text


async def test_what_is_no_roster_is_explained(cast: Cast) -> None:
    for content, words in ((b"\xff\xfea\0", "not a text file"), (b"a,b\n", "Unknown column"), (b"PK\x03\0", "UTF-8")):
        _, text = await checked(cast.coach_a, content)
        assert words in text and ">Import " not in text


async def test_a_file_beyond_the_limit_is_refused(cast: Cast) -> None:
    assert (await uploaded(cast.coach_a, b"x" * (MAX_BYTES + 100_000))).status_code == 413
    assert (await uploaded(cast.coach_a, b"x" * (MAX_BYTES + 1))).status_code == 422
    assert await database.fetchval("select count(*) from roster_uploads") == 0


async def test_the_empty_file_names_every_column(cast: Cast) -> None:
    answer = await get(cast.coach_a, f"{PATH}?format=csv")
    assert answer.text.strip().lstrip("\ufeff") == ",".join(ORDER)


async def test_only_the_latest_file_waits(cast: Cast) -> None:
    first, _ = await checked(cast.coach_a, NEW)
    second, _ = await checked(cast.coach_a, NEW)
    assert (await get(cast.coach_a, first)).status_code == 404
    assert (await get(cast.coach_a, second)).status_code == 200


async def test_names_and_mails_are_hidden_while_presenting(cast: Cast) -> None:
    url, _ = await checked(cast.coach_a, NEW)
    async with await client_for(cast.coach_a) as client:
        await database.execute("update sessions set is_presenting = true")
        text = (await client.get(url)).text
    assert "Cleo" not in text and "cleo@example.org" not in text and "Competitor" in text


async def test_what_is_typed_into_a_file_is_never_markup(cast: Cast) -> None:
    _, text = await checked(cast.coach_a, f"{HEADER}\n<b>Bo</b>,{{{{7*7}}}},,,college,,\n")
    assert "<b>Bo" not in text and "&lt;b&gt;Bo" in text and "{{7*7}}" in text
