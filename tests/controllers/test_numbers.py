"""/numbers/…: what a number means, and everybody behind it."""

import csv
import io
import re
from uuid import uuid4

import httpx
import pytest

from app import database
from app.domain.kpis import Kpi
from tests.cast import Cast, Person, make_cast, make_competitor
from tests.clients import client_for, stranger
from tests.league import ago, refresh, solve
from tests.statements import count_statements

PARTIAL = {"HX-Request": "true", "HX-Request-Type": "partial"}


@pytest.fixture
async def cast() -> Cast:
    cast = await make_cast()
    ann = await make_competitor(cast.coach_a, "Ann Own", team_id=cast.team_a)
    al = await make_competitor(cast.coach_a, "Al Steady")
    bea = await make_competitor(cast.coach_b, "Bea Secret", team_id=cast.team_b)
    for person, days in ((ann, 1), (ann, 2), (al, 3), (al, 40), (bea, 3)):
        await solve(person, 100, ago(days=days))
    await refresh(cast.organization_id)
    return cast


async def get(person: Person, path: str, headers: dict[str, str] | None = None) -> httpx.Response:
    async with await client_for(person) as client:
        return await client.get(path, headers=headers)


def rows_of(response: httpx.Response) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(response.content.decode("utf-8-sig"), newline="")))


def names_in(text: str) -> list[str]:
    return re.findall(r'<th scope="row"><a[^>]*>([^<]*)', text)


@pytest.mark.parametrize("kpi", list(Kpi))
@pytest.mark.parametrize("headers", [{}, PARTIAL], ids=["page", "fragment"])
async def test_every_number_is_explained_with_the_readers_own_rows(
    cast: Cast, kpi: str, headers: dict[str, str]
) -> None:
    answer = await get(cast.coach_a, f"/numbers/{kpi}", headers)
    assert answer.status_code == 200
    assert "Bea Secret" not in answer.text and ("<html" in answer.text) == (not headers)
    expected = [] if kpi == Kpi.MONTHLY_CTF else ["Al Steady", "Ann Own"]
    assert sorted(names_in(answer.text)) == expected
    everybody = await get(cast.admin, f"/numbers/{kpi}", headers)
    assert ("Bea Secret" in everybody.text) == bool(expected)


async def test_whoever_adds_most_comes_first_and_the_sum_stands_above(cast: Cast) -> None:
    answer = await get(cast.coach_a, "/numbers/solved")
    assert names_in(answer.text) == ["Ann Own", "Al Steady"]
    assert '<p class="kpi-value">3</p>' in answer.text and "Solves in the window" in answer.text
    assert '<p class="kpi-value">50%</p>' in (await get(cast.coach_a, "/numbers/enrolled")).text


async def test_a_row_names_the_sync_that_brought_it(cast: Cast) -> None:
    run = uuid4()
    await database.execute(
        """insert into activity_events (organization_id, kind, competitor_id, run_id, at)
           select organization_id, 'solves_found', id, $1, now() - interval '1 hour' from competitors
           where first_name = 'Ann'""", run,
    )
    answer = await get(cast.coach_a, "/numbers/solved")
    assert f"Sync run {run}" in answer.text and answer.text.count("Sync run ") == 1


async def test_the_number_says_how_old_it_is(cast: Cast) -> None:
    await database.execute("update game_platform_sync_state set last_success_at = now() - interval '9 hours'")
    late = (await get(cast.coach_a, "/numbers/solved")).text
    assert "Late:" in late and "promised every 8 hours" in late
    assert "Late:" not in (await get(cast.coach_a, "/numbers/registered")).text


async def test_the_file_holds_the_same_rows_and_is_written_down(cast: Cast) -> None:
    answer = await get(cast.coach_a, "/numbers/solved?window=7&format=csv")
    assert [(row["name"], row["part"]) for row in rows_of(answer)] == [("Ann Own", "2"), ("Al Steady", "1")]
    told = await database.fetch("select purpose, recipient from disclosure_log")
    assert [tuple(row) for row in told] == [("Total Challenges Solved export", "Ada Alder")] * 2


async def test_a_projector_and_its_file_show_handles(cast: Cast) -> None:
    await database.execute("update competitors set metactf_username = 'owl' where first_name = 'Ann'")
    async with await client_for(cast.coach_a) as client:
        await client.post("/presenting", data={"present": "on"})
        answers = [await client.get("/numbers/solved"), await client.get("/numbers/solved?format=csv")]
    assert all("owl" in answer.text and "Ann Own" not in answer.text for answer in answers)


async def test_pages_follow_each_other_and_a_cursor_of_other_days_is_refused(cast: Cast) -> None:
    for index in range(60):
        await make_competitor(cast.coach_a, f"Person {index}")
    first = await get(cast.coach_a, "/numbers/registered")
    following = re.search(r'id="page-next" href="([^"]*)"', first.text)
    assert following
    second = await get(cast.coach_a, following[1].replace("&amp;", "&"))
    assert len({*names_in(first.text), *names_in(second.text)}) == 62
    other = await get(cast.coach_a, f"{following[1]}&window=7".replace("&amp;", "&"))
    assert other.status_code == 200 and "belongs to another list" in other.text


async def test_nobody_behind_a_number_is_said(cast: Cast) -> None:
    answer = await get(cast.coach_a, "/numbers/solved?window=custom&from=2001-01-01&to=2001-02-01")
    assert "Nobody counts here." in answer.text and '<p class="kpi-value">0</p>' in answer.text


async def test_only_known_numbers_are_there_and_only_for_coaches(cast: Cast) -> None:
    assert (await get(cast.coach_a, "/numbers/luck")).status_code == 404
    assert (await get(cast.player, "/numbers/solved")).status_code == 403
    async with stranger() as client:
        assert (await client.get("/numbers/solved")).status_code == 303
        assert (await client.get("/numbers/solved", headers=PARTIAL)).headers["hx-redirect"].startswith("/login")


async def test_the_filter_of_another_coach_says_nothing(cast: Cast) -> None:
    answer = await get(cast.coach_a, f"/numbers/solved?team={cast.team_b}&coach={cast.coach_b.id}")
    assert names_in(answer.text) == ["Ann Own", "Al Steady"] and "Part of the address" in answer.text


@pytest.mark.parametrize("kpi", list(Kpi))
async def test_the_page_takes_six_queries_at_most(cast: Cast, kpi: str) -> None:
    async with await client_for(cast.coach_a) as client:
        assert await count_statements(client, f"/numbers/{kpi}") <= 6
