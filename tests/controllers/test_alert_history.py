"""/alerts/history: what became of whose alerts, and who did what about them."""

import csv
import io
import re
from uuid import UUID

import httpx
import pytest

from app import database
from tests.alerting import evaluate, make_player, play
from tests.cast import Cast, Person, make_cast
from tests.clients import client_for, stranger

PATH = "/alerts/history"
PARTIAL = {"HX-Request": "true", "HX-Request-Type": "partial"}


@pytest.fixture
async def cast() -> Cast:
    """Somebody inactive of each coach; the first coach took theirs, and it resolved afterwards."""
    cast = await make_cast()
    ada = await make_player(cast.coach_a, "Ada Away", team_id=cast.team_a, accessed_days=30, solved_days=40)
    await make_player(cast.coach_b, "Bea Secret", team_id=cast.team_b, accessed_days=30, solved_days=40)
    await evaluate()
    async with await client_for(cast.coach_a) as client:
        await client.post("/alerts/act", data={"do": f"take {await alert_of(ada)}"})
        await client.post("/alerts/act", data={"do": f"week {await alert_of(ada)}"})
    await play(ada)
    await evaluate()
    return cast


async def alert_of(competitor_id: UUID) -> UUID:
    found: UUID = await database.fetchval("select id from alerts where competitor_id = $1", competitor_id)
    return found


async def get(person: Person, query: str = "", headers: dict[str, str] | None = None) -> httpx.Response:
    async with await client_for(person) as client:
        return await client.get(f"{PATH}{query}", headers=headers)


def told(text: str) -> list[str]:
    """What each row says happened, the latest first, with who did it."""
    rows = re.findall(r"<tr>\s*<th scope=\"row\">(.*?)</tr>", text, re.DOTALL)
    plain = [" ".join(re.sub(r"<[^>]+>", " ", row).split()) for row in rows]
    return [re.sub(r"^just now\s*(?:[●◐▲✕○]\s*)?", "", row) for row in plain]


async def test_it_tells_what_happened_and_who_did_it(cast: Cast) -> None:
    resolved, snoozed, taken, opened = told((await get(cast.coach_a)).text)
    assert resolved.startswith("Resolved by itself") and opened.startswith("Opened by itself")
    assert taken.startswith("Taken Ada Alder") and snoozed.startswith("Put aside until in 6 d Ada Alder")
    assert all("Ada Away" in line for line in (resolved, snoozed, taken, opened))


async def test_each_coach_reads_their_own_and_an_admin_all(cast: Cast) -> None:
    assert "Bea Secret" not in (await get(cast.coach_a)).text
    (only,) = told((await get(cast.coach_b)).text)
    assert "Bea Secret" in only
    assert len(told((await get(cast.admin)).text)) == 5
    assert len(told((await get(cast.admin, f"?coach={cast.coach_b.id}")).text)) == 1


async def test_the_filters_narrow_it(cast: Cast) -> None:
    for query, count in (("?what=acts", 2), ("?what=resolved", 1), ("?what=opened", 1), ("?rule=stuck", 0),
                         ("?rule=inactive", 4), ("?what=acts&division=college", 0), (f"?team={cast.team_a}", 4)):
        assert len(told((await get(cast.coach_a, query)).text)) == count, query
    await database.execute("update alert_events set at = now() - interval '40 days'")
    assert "Nothing became of any alert in these days." in (await get(cast.coach_a)).text
    assert len(told((await get(cast.coach_a, "?window=90")).text)) == 4


async def test_bad_values_are_named_and_change_nothing(cast: Cast) -> None:
    answer = await get(cast.coach_a, f"?what=x&rule=y&cursor=z&team={cast.team_b}&division=q")
    assert answer.status_code == 200 and len(told(answer.text)) == 4
    for name in ("what", "rule", "cursor", "team", "division"):
        assert f"“{name}”" in answer.text


async def test_pages_follow_each_other_without_gap_or_repetition(cast: Cast) -> None:
    await database.execute(
        """insert into alert_events (alert_id, kind, user_id, at)
           select a.id, 'taken', $1, now() - n * interval '1 minute'
           from alerts a join competitors c on c.id = a.competitor_id, generate_series(1, 116) n
           where c.first_name = 'Ada'""",
        cast.coach_a.id,
    )
    seen, query = 0, ""
    for _ in range(3):
        text = (await get(cast.coach_a, query)).text
        seen += len(told(text))
        following = re.search(r'href="/alerts/history(\?[^"]*cursor=[^"]*)"[^>]*>\s*Next', text)
        query = following[1].replace("&amp;", "&") if following else ""
    assert seen == 120 and not query


async def test_the_file_holds_the_rows_of_the_page_and_is_written_down(cast: Cast) -> None:
    answer = await get(cast.coach_a, "?what=acts&format=csv")
    rows = list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"))))
    assert [(row["what"], row["by"], row["name"]) for row in rows] == [
        ("put aside", "Ada Alder", "Ada Away"), ("taken", "Ada Alder", "Ada Away")
    ]
    assert await database.fetchval("select count(*) from disclosure_log where purpose = 'alert history export'") == 1


async def test_a_fragment_is_the_list_alone(cast: Cast) -> None:
    answer = await get(cast.coach_a, headers=PARTIAL)
    assert "<html" not in answer.text and len(told(answer.text)) == 4
    assert "HX-Request" in answer.headers["vary"]


async def test_players_and_strangers_are_refused(cast: Cast) -> None:
    assert (await get(cast.player)).status_code == 403
    async with stranger() as nobody:
        assert (await nobody.get(PATH)).status_code == 303
        assert "HX-Redirect" in (await nobody.get(PATH, headers=PARTIAL)).headers
