"""The practice hours as a page, as CSV and as a workbook; and the lengths of Flash CTFs, which admins set."""

import csv
import io
import re
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import httpx
import openpyxl
import pytest

from app import database
from tests.cast import Cast, Person, make_cast, make_competitor
from tests.clients import client_for, stranger
from tests.queries.test_practice_hours import play, practise

PAGE = "/reports/practice-hours"
EVENTS = f"{PAGE}/events"
PARTIAL = {"hx-request": "true", "hx-request-type": "partial"}
EVERYBODY = {"=Nil Nobody", "Ada Prime", "Aron Zero"}


@pytest.fixture
async def cast() -> Cast:
    """Two of coach A's with time, one without; one of coach B's."""
    cast = await make_cast()
    ada = await make_competitor(cast.coach_a, "Ada Prime", team_id=cast.team_a)
    await practise(ada, 0, 20)
    await practise(ada, 300, category="Forensics")
    await play(ada, "October Flash")
    await practise(await make_competitor(cast.coach_a, "Aron Zero", division="college"), 0)
    await make_competitor(cast.coach_a, "=Nil Nobody")
    await practise(await make_competitor(cast.coach_b, "Bea Foreign", team_id=cast.team_b), 0)
    return cast


async def get(person: Person, path: str, headers: dict[str, str] | None = None) -> httpx.Response:
    async with await client_for(person) as client:
        return await client.get(path, headers=headers)


async def set_length(person: Person, **form: object) -> httpx.Response:
    async with await client_for(person) as client:
        return await client.post(EVENTS, data=form)


def cells(text: str) -> dict[str, list[str]]:
    """The table of the page: by name, what stands in the cells after it."""
    body = text.partition("<tbody>")[2].partition("</tbody>")[0]
    found = {}
    for row in re.findall(r"(?s)<tr>(.*?)</tr>", body):
        parts = re.findall(r"(?s)<t[hd][^>]*>(.*?)</t[hd]>", row)
        name, *others = (" ".join(re.sub(r"<[^>]+>", " ", part).split()) for part in parts)
        found[name] = others
    return found


async def test_a_coach_sees_their_own_students_zeros_included(cast: Cast) -> None:
    text = (await get(cast.coach_a, PAGE)).text
    assert cells(text) == {
        "=Nil Nobody": ["–", "no team", "0.00", "0", "0.00", "0", "0.00", "0", "0"],
        "Ada Prime": ["–", "Firewall", "2.75", "2", "0.75", "1", "2.00", "0.50", "0.25"],
        "Aron Zero": ["–", "no team", "0.25", "1", "0.25", "0", "0.00", "0.25", "0"],
    }
    assert "<strong>3.0 hours</strong> of 3 students" in text and "School year 2026–27" in text
    assert "Bea" not in text and "Backdoor" not in text


async def test_an_admin_sees_everybody_and_their_coaches(cast: Cast) -> None:
    text = (await get(cast.admin, PAGE)).text
    assert cells(text)["Bea Foreign"][1:3] == ["Backdoor", "Ben Birch"] and len(cells(text)) == 4


async def test_players_and_strangers_are_refused(cast: Cast) -> None:
    async with await client_for(cast.player) as player, stranger() as nobody:
        for path in (PAGE, f"{PAGE}?format=xlsx", EVENTS):
            assert (await player.get(path)).status_code == 403
            assert (await nobody.get(path)).status_code == 303
        assert (await nobody.get(PAGE, headers=PARTIAL)).headers["hx-redirect"].startswith("/login")
    assert (await get(cast.coach_a, EVENTS)).status_code == 403


@pytest.mark.parametrize(("query", "names"), [
    ("division=college", {"Aron Zero"}), ("q=prime", {"Ada Prime"}), ("period=autumn-2025", EVERYBODY),
    ("period=spring-2026&q=ada", {"Ada Prime"}), ("q=nothing-like-it", set()),
])
async def test_filters_stand_in_the_address(cast: Cast, query: str, names: set[str]) -> None:
    text = (await get(cast.coach_a, f"{PAGE}?{query}")).text
    found = cells(text)
    assert set(found) == names
    if "period" in query:
        assert found and all(row[2] == "0.00" for row in found.values())


@pytest.mark.parametrize("query", [
    "period=winter", "division=x", "team=x", "cursor=x", "format=pdf", "coach=x", "q=" + "a" * 101,
    "team=00000000-0000-4000-8000-000000000001", "organization=00000000-0000-4000-8000-000000000001",
])
async def test_a_bad_value_shows_the_default_and_a_notice(cast: Cast, query: str) -> None:
    response = await get(cast.coach_a, f"{PAGE}?{query}")
    assert response.status_code == 200 and f"“{query.split('=')[0]}”" in response.text


async def test_somebody_elses_team_is_as_unknown_as_none(cast: Cast) -> None:
    text = (await get(cast.coach_a, f"{PAGE}?team={cast.team_b}")).text
    assert "“team” is not known" in text and "Backdoor" not in text


async def test_the_fragment_is_the_report_alone(cast: Cast) -> None:
    response = await get(cast.coach_a, f"{PAGE}?q=ada", PARTIAL)
    assert "<html" not in response.text and set(cells(response.text)) == {"Ada Prime"}


async def test_an_empty_roster_says_how_to_fill_it(cast: Cast) -> None:
    await database.execute("delete from competitors")
    assert "No students yet." in (await get(cast.coach_a, PAGE)).text


async def test_old_data_is_called_late(cast: Cast) -> None:
    assert "Nobody of these has been read" in (await get(cast.coach_a, PAGE)).text
    await database.execute("update game_platform_sync_state set last_success_at = now() - interval '9 hours'")
    assert "Late:" in (await get(cast.coach_a, PAGE)).text


async def test_csv_has_the_rows_of_the_page_and_who_took_it_is_written_down(cast: Cast) -> None:
    page = cells((await get(cast.coach_a, f"{PAGE}?period=all")).text)
    response = await get(cast.coach_a, f"{PAGE}?period=all&format=csv")
    assert response.headers["content-disposition"] == 'attachment; filename="practice-hours-all.csv"'
    rows = list(csv.DictReader(io.StringIO(response.text.removeprefix("\ufeff"))))
    told = {
        row["name"].lstrip("'"): [row[name] for name in (
            "total_hours", "sessions", "practice_hours", "flash_ctfs", "flash_ctf_hours", "Cryptography", "Forensics"
        )] for row in rows
    }
    assert {name: list(map(float, row)) for name, row in told.items()} == {
        name: list(map(float, row[2:])) for name, row in page.items()
    }
    assert rows[0]["name"] == "'=Nil Nobody"
    disclosed = await database.fetch("select purpose, user_id from disclosure_log")
    assert [tuple(row) for row in disclosed] == [("practice hours export", cast.coach_a.id)] * 3


async def test_the_workbook_stands_on_its_own(cast: Cast) -> None:
    await database.execute("update organizations set time_zone = 'America/Chicago'")
    await database.execute("insert into practice_event_windows (organization_id, name, minutes) "
                           "values ($1, 'October Flash', 210)", cast.organization_id)
    response = await get(cast.coach_a, f"{PAGE}?format=xlsx")
    book = openpyxl.load_workbook(io.BytesIO(response.content))
    assert book.sheetnames == ["Summary", "Detail", "Data", "Methodology"]
    about = {row[0]: row[1] for row in book["Summary"].iter_rows(values_only=True, max_row=10)}
    assert about["Students"] == 3 and about["Total hours"] == 4.5
    assert about["Days"] == "1 Aug 2026 to 31 Jul 2027 (America/Chicago)"
    summary = table(book["Summary"], first_row=12)
    assert [(row["name"], row["total_hours"], row["Cryptography"]) for row in summary] == [
        ("=Nil Nobody", 0, 0), ("Ada Prime", 4.25, 0.5), ("Aron Zero", 0.25, 0.25)
    ]
    detail = table(book["Detail"])
    assert [(row["name"], row["category"], row["hours"]) for row in detail] == [
        ("=Nil Nobody", "none", 0), ("Ada Prime", "Cryptography", 0.5), ("Ada Prime", "Forensics", 0.25),
        ("Ada Prime", "Flash CTF", 3.5), ("Aron Zero", "Cryptography", 0.25),
    ]
    data = table(book["Data"])
    assert sum(row["minutes"] for row in data) == 4.5 * 60
    assert f"{data[0]['first_solve_or_start']:%Y-%m-%d %H:%M}" == "2026-10-05 07:00"
    method = " ".join(str(cell) for row in book["Methodology"].iter_rows(values_only=True) for cell in row)
    assert "A lone solve: 15 minutes" in method and "210 minutes, set by an admin" in method
    assert await database.fetchval("select count(*) from disclosure_log") == 3


def table(sheet: Any, first_row: int = 1) -> list[dict[str, Any]]:
    columns, *rows = sheet.iter_rows(values_only=True, min_row=first_row)
    return [dict(zip(columns, row, strict=True)) for row in rows]


async def test_who_presents_shows_handles_in_the_files_too(cast: Cast) -> None:
    await database.execute("update competitors set metactf_username = 'zero_day' where first_name = 'Ada'")
    async with await client_for(cast.coach_a) as client:
        await database.execute("update sessions set is_presenting = true")
        for path in (PAGE, f"{PAGE}?format=csv"):
            text = (await client.get(path)).text
            assert "zero_day" in text and not re.search("Prime|Aron|=Nil", text)


async def test_an_admin_sets_and_takes_back_the_length_of_a_named_event(cast: Cast) -> None:
    organization_id = str(cast.organization_id)
    answer = await set_length(cast.admin, organization=organization_id, name="October Flash", minutes="210")
    assert (answer.status_code, answer.headers["location"]) == (
        303, f"{EVENTS}?organization={organization_id}&done=saved"
    )
    text = (await get(cast.admin, answer.headers["location"])).text
    assert 'value="210"' in text and "The length is saved." in text
    assert cells((await get(cast.coach_a, PAGE)).text)["Ada Prime"][6] == "3.50"
    await set_length(cast.admin, organization=organization_id, name="october flash", minutes="")
    assert cells((await get(cast.coach_a, PAGE)).text)["Ada Prime"][6] == "2.00"
    audited = await database.fetch("select after->>'minutes' as minutes from audit_log order by id")
    assert [row["minutes"] for row in audited] == ["210", "120"]
    assert await database.fetchval("select count(*) from activity_events where kind = 'practice_window_set'") == 2
    await set_length(cast.admin, organization=organization_id, name="October Flash", minutes="")
    assert await database.fetchval("select count(*) from audit_log") == 2


@pytest.mark.parametrize(("form", "message"), [
    ({"name": "", "minutes": "5"}, "event&#39;s name"), ({"name": "x", "minutes": "0"}, "whole minutes"),
    ({"name": "x", "minutes": "1.5"}, "whole minutes"), ({"name": "x", "minutes": "-5"}, "whole minutes"),
    ({"name": "x", "minutes": "99999"}, "whole minutes"), ({"name": "x", "minutes": "٣"}, "whole minutes"),
])
async def test_a_length_that_is_none_is_refused_at_its_field(cast: Cast, form: dict[str, str], message: str) -> None:
    answer = await set_length(cast.admin, organization=str(cast.organization_id), **form)
    assert answer.status_code == 422 and message in answer.text
    assert await database.fetchval("select count(*) from practice_event_windows") == 0


async def test_lengths_of_no_organization_are_not_to_be_found(cast: Cast) -> None:
    for organization in (str(uuid4()), "x", ""):
        assert (await set_length(cast.admin, organization=organization, name="a", minutes="5")).status_code == 404
    assert (await set_length(cast.coach_a, organization=str(cast.organization_id))).status_code == 403
    assert await database.fetchval("select count(*) from practice_event_windows") == 0


async def test_the_page_costs_the_same_few_queries_however_many_rows(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    statements: list[str] = []
    for name in ("fetch", "fetchrow", "fetchval"):
        real = getattr(database, name)

        async def counted(sql: str, *arguments: object, real: Any = real) -> object:
            statements.append(sql)
            return await real(sql, *arguments)

        monkeypatch.setattr(database, name, counted)

    async def count() -> int:
        statements.clear()
        assert (await get(cast.coach_a, PAGE)).status_code == 200
        return len(statements)

    few = await count()
    for number in range(20):
        await practise(await make_competitor(cast.coach_a, f"Nina Number{number}"), 0, at=datetime.now(UTC))
    assert await count() == few <= 8


async def test_very_many_are_added_up_when_the_page_is_there(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.controllers.practice_hours.SUMMED_AT_ONCE", 2)
    text = (await get(cast.coach_a, PAGE)).text
    assert "3.0 hours" not in text and "<tfoot>" not in text
    assert cells(text)["Ada Prime"] == ["–", "Firewall", "2.75", "2", "0.75", "1", "2.00", "0.50", "0.25"]
    link = re.search(r'<p id="sum" hx-get="([^"]+)".*?<a href="\1">Add up the hours of all 3 students</a>', text)
    assert link
    assert "<strong>3.0 hours</strong> of 3 students" in (await get(cast.coach_a, link[1], PARTIAL)).text
