"""/compare: two to four teams or people, only the reader's own, the same numbers on the page and in the file."""

import csv
import io
import re
from uuid import UUID, uuid4

import pytest

from app import database
from tests.cast import Cast, make_cast, make_competitor, make_team
from tests.clients import client_for, stranger
from tests.controllers.test_teams import get
from tests.league import ago, solve


@pytest.fixture
async def cast() -> Cast:
    return await make_cast()


@pytest.fixture
async def second(cast: Cast) -> UUID:
    return await make_team(cast.coach_a, "Kernel Panic")


def measures(text: str) -> dict[str, list[str]]:
    table = text[text.index('<table id="measures">'):].split("</table>")[0]
    rows = re.findall(r'<tr><th scope="row">(.*?)</th>(.*?)</tr>', table, re.DOTALL)
    return {label: re.findall(r'<td class="number">(?:<b>)?([^<]*)', cells) for label, cells in rows}


async def test_teams_stand_in_the_order_of_the_address_with_their_numbers(cast: Cast, second: UUID) -> None:
    ada = await make_competitor(cast.coach_a, "Ada Prime", team_id=cast.team_a)
    await make_competitor(cast.coach_a, "Zoe Zero", team_id=cast.team_a)
    bob = await make_competitor(cast.coach_a, "Bob Prime", team_id=second)
    await solve(ada, 300, ago(days=1))
    await solve(ada, 100, ago(days=8), category="OSINT")
    await solve(bob, 200, ago(days=2))
    text = (await get(cast.coach_a, f"/compare?team={second}&team={cast.team_a}&window=7")).text
    found = measures(text)
    assert (found["Members"], found["Points"], found["Points won"], found["Points won before"]) == (
        ["1", "2"], ["200", "400"], ["200", "300"], ["0", "100"],
    )
    assert found["Points won per member"] == ["200.0", "150.0"] and found["Categories covered"] == ["0", "2"]
    assert text.index("Kernel Panic</a>") < text.index("Firewall</a>")
    assert "Points won by the end: Kernel Panic 200, Firewall 300." in text and "Ada" not in text.split("</header>")[1]


async def test_days_that_have_not_begun_are_compared_with_zeros(cast: Cast, second: UUID) -> None:
    text = (await get(cast.coach_a, f"/compare?team={second}&team={cast.team_a}&from=2090-01-01&to=2090-01-07")).text
    assert "Points won by the end: Kernel Panic 0, Firewall 0." in text and measures(text)["Points won"] == ["0", "0"]


async def test_people_are_compared_and_that_is_disclosed(cast: Cast) -> None:
    ada = await make_competitor(cast.coach_a, "Ada Prime", team_id=cast.team_a)
    bob = await make_competitor(cast.coach_a, "Bob Prime")
    for days in (1, 1, 3):
        await solve(ada, 100, ago(days=days))
    await database.execute("update competitors set metactf_username = 'ada_h' where id = $1", ada)
    url = f"/compare?competitor={ada}&competitor={bob}"
    text = (await get(cast.coach_a, url)).text
    assert measures(text)["Points"] == ["300", "0"] and measures(text)["Days with a solve"] == ["2", "0"]
    assert "Ada Prime" in text and "no team" in text
    rows = await database.fetch("select competitor_id, purpose, user_id from disclosure_log")
    assert {(row["competitor_id"], row["purpose"], row["user_id"]) for row in rows} == {
        (ada, "comparison", cast.coach_a.id), (bob, "comparison", cast.coach_a.id),
    }
    async with await client_for(cast.coach_a) as client:
        await database.execute("update sessions set is_presenting = true")
        for hidden in (await client.get(url), await client.get(f"{url}&format=csv")):
            assert "ada_h" in hidden.text and "Prime" not in hidden.text


async def test_the_file_says_what_the_page_says(cast: Cast, second: UUID) -> None:
    ada = await make_competitor(cast.coach_a, "Ada Prime", team_id=cast.team_a)
    await solve(ada, 300, ago(days=1))
    url = f"/compare?team={cast.team_a}&team={second}"
    answer = await get(cast.coach_a, f"{url}&format=csv")
    assert answer.headers["content-type"].startswith("text/csv") and answer.text.startswith("\ufeff")
    rows = {row[0]: row[1:] for row in csv.reader(io.StringIO(answer.text.lstrip("\ufeff")))}
    shown = measures((await get(cast.coach_a, url)).text)
    shown.pop("Last active")
    assert {label: rows[label] for label in shown} == shown
    assert rows["measure"] == ["Firewall", "Kernel Panic"] and rows["Cryptography"] == ["1", "0"]


async def test_one_foreign_or_unknown_among_them_is_not_found(cast: Cast) -> None:
    bea = await make_competitor(cast.coach_b, "Bea Secret", team_id=cast.team_b)
    ada = await make_competitor(cast.coach_a, "Ada Prime", team_id=cast.team_a)
    for query in (f"team={cast.team_a}&team={cast.team_b}", f"team={cast.team_a}&team={uuid4()}",
                  f"competitor={ada}&competitor={bea}"):
        for file in ("", "&format=csv"):
            assert (await get(cast.coach_a, f"/compare?{query}{file}")).status_code == 404
    assert (await get(cast.admin, f"/compare?competitor={ada}&competitor={bea}")).status_code == 200
    assert "Backdoor" not in (await get(cast.coach_a, f"/compare?team={cast.team_a}")).text
    async with await client_for(cast.player) as player, stranger() as nobody:
        assert (await player.get("/compare")).status_code == 403
        assert (await nobody.get("/compare")).headers["location"].startswith("/login")
    assert await database.fetchval("select count(*) from disclosure_log where user_id = $1", cast.coach_a.id) == 0


async def test_archived_ones_can_still_be_read(cast: Cast, second: UUID) -> None:
    ada = await make_competitor(cast.coach_a, "Ada Prime", team_id=cast.team_a)
    bob = await make_competitor(cast.coach_a, "Bob Prime")
    await solve(ada, 300, ago(days=1))
    await database.execute("update competitors set archived_at = now() where id = $1", ada)
    await database.execute("update teams set archived_at = now() where id = $1", cast.team_a)
    people = (await get(cast.coach_a, f"/compare?competitor={ada}&competitor={bob}")).text
    assert measures(people)["Points"] == ["300", "0"]
    teams = (await get(cast.coach_a, f"/compare?team={second}&team={cast.team_a}")).text
    assert measures(teams)["Points"] == ["0", "0"]


async def test_too_few_say_how_to_choose_and_bad_values_are_named(cast: Cast, second: UUID) -> None:
    empty = (await get(cast.coach_a, "/compare")).text
    assert "Choose 2 to 4 to compare." in empty and "Kernel Panic</option>" in empty and "Backdoor" not in empty
    one = (await get(cast.coach_a, f"/compare?team={cast.team_a}&team=&window=x")).text
    assert "Choose 2 to 4" in one and "“window”" in one and "Firewall</option>" not in one
    assert (await get(cast.coach_a, "/compare?team=x&competitor=y&from=never")).status_code == 200
