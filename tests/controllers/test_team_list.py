"""/teams as tiles, as the matrix and as a file: the numbers, the filters, and what stands there without any."""

import csv
import io
import re

import pytest

from app import database
from tests.cast import Cast, make_cast, make_competitor, make_team
from tests.clients import client_for, stranger
from tests.controllers.test_teams import get
from tests.league import ago, solve

PARTIAL = {"HX-Request": "true", "HX-Request-Type": "partial"}


@pytest.fixture
async def cast() -> Cast:
    cast = await make_cast()
    ada = await make_competitor(cast.coach_a, "Ada Prime", team_id=cast.team_a)
    await make_competitor(cast.coach_a, "Zoe Zero", team_id=cast.team_a)
    await solve(ada, 300, ago(days=1))
    await solve(ada, 40, ago(days=10), category="OSINT")
    bea = await make_competitor(cast.coach_b, "Bea Secret", team_id=cast.team_b)
    await solve(bea, 700, ago(days=1), category="Forensics")
    return cast


def tile(text: str, name: str) -> dict[str, str]:
    part = text[text.index(f'title="{name}" data-drawer'):].split("</li>")[0]
    return {label: words.strip() for label, words in re.findall(r"<dt>(\w+)</dt><dd[^>]*>([^<]*)", part)}


async def test_a_tile_has_the_numbers_of_the_window(cast: Cast) -> None:
    week = tile((await get(cast.coach_a, "/teams?window=7")).text, "Firewall")
    assert week == {"Members": "2", "Active": "1", "Points": "340", "Won": "300"}
    month = (await get(cast.coach_a, "/teams")).text
    assert tile(month, "Firewall")["Won"] == "340" and "Cryptography: only Ada Prime" in month
    assert f'href="/teams/{cast.team_a}?window=7"' in (await get(cast.coach_a, "/teams?window=7")).text


async def test_the_matrix_names_the_one_on_whom_a_category_hangs(cast: Cast) -> None:
    text = (await get(cast.admin, "/teams?view=matrix")).text
    body = text.split("<tbody>")[1].split("</tbody>")[0]
    rows = {re.findall('title="([^"]*)"', row)[0]: row for row in body.split("</tr>")[:2]}
    assert "Ada Prime" in rows["Firewall"] and "Bea Secret" in rows["Backdoor"]
    assert rows["Firewall"].count("✕") == 9 and rows["Firewall"].count("▲") == 2
    assert "Bea Secret" not in (await get(cast.coach_a, "/teams?view=matrix")).text


async def test_filters_are_in_the_address_and_come_off_one_by_one(cast: Cast) -> None:
    await make_team(cast.coach_a, "Alumni", "college")
    text = (await get(cast.coach_a, "/teams?division=college&q=alu")).text
    assert "Alumni" in text and "Firewall</a>" not in text
    assert 'href="/teams?division=college" aria-label="Remove the filter Search alu"' in text
    assert 'href="/teams?q=alu" aria-label="Remove the filter Division College"' in text
    nothing = (await get(cast.coach_a, "/teams?division=middle_school")).text
    assert "No team matches these filters." in nothing
    of_a = (await get(cast.admin, f"/teams?coach={cast.coach_a.id}")).text
    assert "Firewall" in of_a and "Backdoor</a>" not in of_a
    foreign = (await get(cast.coach_a, f"/teams?team={cast.team_b}")).text
    assert "“team” is not known" in foreign and "Firewall" in foreign and "Backdoor" not in foreign


async def test_the_list_by_itself_is_for_scripts_and_signed_out_ones_are_sent_to_sign_in(cast: Cast) -> None:
    async with await client_for(cast.coach_a) as client, stranger() as nobody:
        part = await client.get("/teams", headers=PARTIAL)
        assert 'id="team-list"' in part.text and "<html" not in part.text and 'id="drawer"' not in part.text
        assert "hx-redirect" in (await nobody.get("/teams", headers=PARTIAL)).headers
        assert (await nobody.get("/teams?format=csv")).status_code == 303


async def test_the_file_has_exactly_the_teams_of_the_filter(cast: Cast) -> None:
    for number in range(30):
        await make_team(cast.coach_a, f"=Team {number}")
    answer = await get(cast.coach_a, "/teams?format=csv&window=7")
    rows = list(csv.DictReader(io.StringIO(answer.text.lstrip("\ufeff"))))
    assert answer.headers["content-disposition"].startswith("attachment") and len(rows) == 31
    assert {row["team"][:2] for row in rows} == {"'=", "Fi"}
    firewall = next(row for row in rows if row["team"] == "Firewall")
    assert (firewall["members"], firewall["active_members"], firewall["points"], firewall["points_in_window"]) == (
        "2", "1", "340", "300",
    )
    assert (firewall["Cryptography"], firewall["OSINT"], firewall["Social"]) == ("1", "1", "0")
    one = await get(cast.coach_a, "/teams?format=csv&q=fire")
    assert one.text.count("\n") == 2 and "Prime" not in answer.text


async def test_late_data_is_called_late_and_unread_people_are_counted(cast: Cast) -> None:
    assert "2 not read yet" in (await get(cast.coach_a, "/teams")).text
    await database.execute("update game_platform_sync_state set last_success_at = now() - interval '9 hours'")
    for path in ("/teams", "/teams?view=matrix", f"/teams/{cast.team_a}", f"/teams/{cast.team_a}/brief"):
        text = (await get(cast.coach_a, path)).text
        assert "Late:" in text and "promised every 8 hours" in text, path


async def test_a_coach_without_teams_is_told_how_to_get_one(cast: Cast) -> None:
    await database.execute("delete from team_memberships")
    await database.execute("delete from teams")
    assert "No teams yet." in (await get(cast.coach_a, "/teams")).text
    assert "No archived teams." in (await get(cast.coach_a, "/teams?show=archived")).text
    assert (await get(cast.coach_a, "/teams?format=csv")).text.count("\n") == 1
