"""/competitors/{id}: one person's report, who may see it, and that its numbers are those of the rows behind them."""

import csv
import io
import random
import re
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode
from uuid import UUID, uuid4

import httpx
import pytest

from app import database
from app.domain.readers import Sight
from app.domain.scopes import Scope
from app.queries import report_card as queries
from app.services.flags import set_flag
from tests.cast import Cast, Person, make_cast, make_competitor
from tests.clients import client_for, stranger
from tests.faults.test_no_input_gives_a_500 import generated_url
from tests.history import CATEGORIES, make_history, read_now
from tests.league import ago, refresh, solve

PARTIAL = {"HX-Request": "true", "HX-Request-Type": "partial"}
PANELS = ("insights", "numbers", "domains", "peers", "heatmap", "growth", "challenges", "flash", "roles")
FAILED = "could not be read"


@pytest.fixture(autouse=True)
async def switched_on() -> None:
    await set_flag("game_platform", True, organization_id=None, actor=None, actor_label="test")


@pytest.fixture
async def cast() -> Cast:
    return await make_cast()


@pytest.fixture
async def ada(cast: Cast) -> UUID:
    return await make_history(cast)


async def get(person: Person, path: str, *, headers: dict[str, str] | None = None) -> httpx.Response:
    async with await client_for(person) as client:
        return await client.get(path, headers=headers)


async def rows_of(person: Person, path: str) -> list[dict[str, str]]:
    answer = await get(person, path)
    assert answer.status_code == 200 and answer.headers["content-type"].startswith("text/csv")
    return list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"))))


async def test_every_panel_is_there_and_knows_its_age(cast: Cast, ada: UUID) -> None:
    answer = await get(cast.coach_a, f"/competitors/{ada}")
    assert answer.status_code == 200 and FAILED not in answer.text
    for name in PANELS:
        section = re.search(rf'<section[^>]* id="{name}".*?</section>', answer.text, re.DOTALL)
        assert section and "data from <time" in section[0], name
    assert "Ada Prime" in answer.text and "aa10001" in answer.text and "Firewall" in answer.text


async def test_the_totals_are_the_platforms_and_name_their_window(cast: Cast, ada: UUID) -> None:
    totals = await database.fetchrow("select total_score as points, challenges_completed as challenges "
                                     "from game_platform_stats where competitor_id = $1", ada)
    gained = await database.fetchrow(
        """select coalesce(sum(challenge_points), 0) as points, count(*) as solves from game_platform_challenge_solves
           where competitor_id = $1 and (solved_at at time zone 'UTC')::date > (now() at time zone 'UTC')::date - 90""",
        ada,
    )
    assert totals and gained
    text = (await get(cast.coach_a, f"/competitors/{ada}?window=90")).text
    assert f'<p class="kpi-value">{totals["points"]:,}</p>' in text
    assert f'<p class="kpi-value">{totals["challenges"]}</p>' in text
    assert re.search(rf'{gained["points"]:,} since \d+ \w+ \d+</p>', text)
    assert f'Solved {gained["solves"]} challenges for {gained["points"]:,} points since' in text
    custom = (await get(cast.coach_a, f"/competitors/{ada}?window=custom&from=2025-01-01&to=2025-01-31")).text
    assert "from 1 Jan 2025 to 31 Jan 2025" in custom and 'value="2025-01-31"' in custom


async def test_the_rank_is_among_everybody(cast: Cast, ada: UUID) -> None:
    text = (await get(cast.coach_a, f"/competitors/{ada}")).text
    assert '<p class="kpi-value">1<span class="unit">of 6</span></p>' in text and "1 in High school" in text


@pytest.mark.parametrize("seed", range(12))
async def test_whatever_the_filter_the_counts_are_those_of_its_rows(cast: Cast, ada: UUID, seed: int) -> None:
    chance = random.Random(seed)
    query = {
        "q": chance.choice(["", "1", "puzzle", "crypto", "zzz"]), "source": chance.choice(["", "odl", "flash_ctf"]),
        "category": chance.choice(["", *CATEGORIES, "Social"]), "sort": chance.choice(["", "points", "challenge"]),
    }
    address = f"/competitors/{ada}?{urlencode(query)}"
    text = (await get(cast.coach_a, address, headers=PARTIAL)).text
    rows = await rows_of(cast.coach_a, f"{address}&format=csv")
    said = re.search(r"(\d+) (?:of \d+ )?challenges, ([\d,]+) points", text)
    shown = re.findall(r'<tr><th scope="row">', text)
    assert len(shown) == min(25, len(rows)) and f'data-announce="{len(rows)} challenge' in text
    if rows:
        points = sum(int(row["points"]) for row in rows)
        assert said and (said[1], said[2]) == (str(len(rows)), f"{points:,}")
    else:
        assert "No solved challenge matches these filters." in text


@pytest.mark.parametrize("sort", ["solved", "challenge", "category", "points", "source"])
async def test_the_pages_hold_every_row_once_in_every_order(cast: Cast, ada: UUID, sort: str) -> None:
    for direction in ("asc", "desc"):
        url, seen = f"/competitors/{ada}?sort={sort}&dir={direction}", []
        whole = await rows_of(cast.coach_a, f"{url}&format=csv")
        while url:
            text = (await get(cast.coach_a, url, headers=PARTIAL)).text
            seen += re.findall(r'<time datetime="([^"]+)"[^>]*data-relative', text.split("<tbody>")[1])
            following = re.search(r'id="page-next" href="([^"]+)"', text)
            url = following[1].replace("&amp;", "&") if following else ""
        assert list(map(datetime.fromisoformat, seen)) == [datetime.fromisoformat(row["solved_at"]) for row in whole]
        assert len(whole) == 60


async def test_categories_and_work_roles_add_up_to_the_solves(cast: Cast, ada: UUID) -> None:
    subject = await queries.get_subject(Sight(coach_id=cast.coach_a.id), ada, Scope())
    assert subject
    strengths, roles = await queries.get_strengths(subject), await queries.get_work_roles(subject)
    days = await queries.get_days(subject)
    points = await database.fetchval(
        "select sum(challenge_points) from game_platform_challenge_solves where competitor_id = $1", ada
    )
    assert sum(each.solves for each in strengths) == sum(role.solves for role in roles) == 60
    assert sum(each.points for each in strengths) == sum(day.points for day in days) == points
    assert {each.category for each in strengths if each.solves} == set(CATEGORIES)
    assert sum(each.medium for each in strengths) < 60


async def test_peers_are_the_averages_of_their_groups(cast: Cast, ada: UUID) -> None:
    subject = await queries.get_subject(Sight(coach_id=cast.coach_a.id), ada, Scope())
    assert subject
    team, division = await queries.get_peers(subject)
    assert (team.name, team.people, division.name, division.people) == ("Firewall", 6, "High school", 6)
    average = await database.fetchval("select avg(points)::float8 from standings")
    assert team.measures[0].average == pytest.approx(average) and team.percentile(team.measures[0]) == 100
    gained = team.measures[2]
    thirty = await database.fetchval("select avg(gain_30)::float8 from standings")
    own = await database.fetchval("select gain_30 from standings where competitor_id = $1", ada)
    assert gained.average == pytest.approx(thirty) and gained.own == own
    today = subject.today
    same_days = Scope(window="custom", first_day=today - timedelta(days=29), last_day=today)
    custom = await queries.get_subject(Sight(coach_id=cast.coach_a.id), ada, same_days)
    assert custom and [group.measures[2].average for group in await queries.get_peers(custom)] == [gained.average] * 2


async def test_a_small_group_is_not_averaged(cast: Cast, ada: UUID) -> None:
    await database.execute("delete from team_memberships where competitor_id in (select id from competitors "
                           "where last_name in ('Number0', 'Number1'))")
    await database.execute("update competitors set division = 'college' where last_name in ('Number2', 'Number3')")
    await refresh(cast.organization_id)
    text = (await get(cast.coach_a, f"/competitors/{ada}")).text
    assert "Firewall has 4 people." in text and "High school has 4 people." in text
    assert "Ahead of" not in text and "average of" not in text


async def test_another_coach_finds_nothing_and_nobody_is_written_down(cast: Cast, ada: UUID) -> None:
    for path in (f"/competitors/{ada}", f"/competitors/{ada}?format=csv", f"/competitors/{ada}/standing",
                 f"/competitors/{ada}/disclosures", f"/competitors/{ada}/disclosures?format=csv"):
        for headers in ({}, PARTIAL):
            answer = await get(cast.coach_b, path, headers=headers)
            is_redirect = path.endswith("standing") and not headers
            assert answer.status_code == (303 if is_redirect else 404) and "Ada" not in answer.text, path
    assert (await get(cast.coach_b, f"/competitors/{uuid4()}")).status_code == 404
    assert await database.fetchval("select count(*) from disclosure_log") == 0


async def test_an_assistant_and_an_admin_see_the_card(cast: Cast, ada: UUID) -> None:
    await database.execute(
        "insert into team_assistants (team_id, user_id) values ($1, $2)", cast.team_a, cast.coach_b.id
    )
    for person in (cast.coach_b, cast.admin):
        text = (await get(person, f"/competitors/{ada}")).text
        assert "Ada Prime" in text and FAILED not in text


async def test_strangers_are_sent_to_sign_in_and_players_refused(cast: Cast, ada: UUID) -> None:
    async with stranger() as nobody, await client_for(cast.player) as player:
        for path in (f"/competitors/{ada}", f"/competitors/{ada}/standing", f"/competitors/{ada}/disclosures"):
            assert (await nobody.get(path)).status_code == 303
            assert "login" in (await nobody.get(path, headers=PARTIAL)).headers["hx-redirect"]
            assert (await player.get(path)).status_code == 403


async def test_who_is_not_linked_has_an_empty_report_and_the_way_onto_the_platform(cast: Cast) -> None:
    competitor_id = await make_competitor(cast.coach_a, "New Person", status="compliance")
    text = (await get(cast.coach_a, f"/competitors/{competitor_id}")).text
    assert "Not linked to the Game Platform yet" in text and "Add to Game Platform" in text
    assert FAILED not in text and "not read from the platform yet" in text and 'id="heatmap"' not in text


async def test_who_has_solved_nothing_sees_what_would_be_there(cast: Cast) -> None:
    competitor_id = await make_competitor(cast.coach_a, "Quiet Person")
    await read_now()
    text = (await get(cast.coach_a, f"/competitors/{competitor_id}")).text
    assert FAILED not in text and "Has an account and has solved nothing yet." in text
    for words in ("after the first solve", "No solve is known in these 90 days", "Points add up here",
                  "Every solved challenge appears here", "Every Flash CTF appears here", "work roles that"):
        assert words in text, words


async def test_old_data_is_said_to_be_old(cast: Cast, ada: UUID) -> None:
    await database.execute("update game_platform_sync_state set last_success_at = now() - interval '9 hours', "
                           "last_result = 'failure', error_message = 'no answer'")
    text = (await get(cast.coach_a, f"/competitors/{ada}")).text
    assert "Late:" in text and "promised every 8 hours" in text
    assert "The last sync of this person failed: no answer" in text


@pytest.mark.parametrize("name", ["get_days", "get_strengths", "get_peers", "get_flash_record", "get_work_roles"])
async def test_a_panel_that_fails_leaves_the_others(
    cast: Cast, ada: UUID, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: object) -> object:
        raise RuntimeError("out of order")

    monkeypatch.setattr(queries, name, broken)
    answer = await get(cast.coach_a, f"/competitors/{ada}")
    assert answer.status_code == 200 and FAILED in answer.text
    assert "What stands out" in answer.text and 'id="solves"' in answer.text and "out of order" not in answer.text


async def test_flash_ctfs_show_ranks_trends_and_what_was_missed(cast: Cast, ada: UUID) -> None:
    for number, (days, rank) in enumerate(((90, 20), (60, 12), (30, None)), start=1):
        started = ago(days=days)
        await database.execute(
            "insert into game_platform_flash_ctfs (event_id, name, started_at, last_solved_at) values ($1, $2, $3, $3)",
            f"f{number}", f"Flash {number}", started,
        )
        if rank:
            await database.execute(
                """insert into game_platform_flash_ctf_events (competitor_id, syned_user_id, event_id, name,
                       challenges_solved, score, max_points, rank, started_at)
                   values ($1::uuid, $1::uuid::text, $2, $3, 3, $4, 1000, $5, $6)""",
                ada, f"f{number}", f"Flash {number}", 100 * number, rank, started,
            )
    text = (await get(cast.coach_a, f"/competitors/{ada}")).text
    assert "Missed the latest Flash CTF, Flash 3" in text and 'title="up 8"' in text
    assert "From 10 % to 20 % of the points over 2 Flash CTFs." in text
    await database.execute("update game_platform_sync_state set last_flash_ctf_synced_at = $1", ago(days=31))
    assert "Flash 3" not in (await get(cast.coach_a, f"/competitors/{ada}")).text


async def test_the_file_holds_the_rows_and_is_written_down(cast: Cast, ada: UUID) -> None:
    await database.execute("update game_platform_challenge_solves set challenge_title = '=cmd()' where id = (select "
                           "min(id) from game_platform_challenge_solves)")
    rows = await rows_of(cast.coach_a, f"/competitors/{ada}?format=csv&source=odl")
    assert {row["source"] for row in rows} == {"On-demand practice"} and {row["handle"] for row in rows} == {"aa10001"}
    assert {row["competitor"] for row in rows} == {"Ada Prime"}
    assert all(datetime.fromisoformat(row["solved_at"]).tzinfo for row in rows)
    everything = await rows_of(cast.coach_a, f"/competitors/{ada}?format=csv")
    assert "'=cmd()" in {row["challenge"] for row in everything}
    kept = await database.fetch("select purpose, recipient, fields from disclosure_log order by id")
    assert [row["purpose"] for row in kept] == ["competitor export"] * 2 and "solved_at" in kept[0]["fields"]


async def test_while_presenting_nobody_is_named(cast: Cast, ada: UUID) -> None:
    email = await database.fetchval("select email from competitors where id = $1", ada)
    async with await client_for(cast.coach_a) as client:
        await database.execute("update sessions set is_presenting = true where user_id = $1", cast.coach_a.id)
        for path in (f"/competitors/{ada}", f"/competitors/{ada}/disclosures", f"/competitors/{ada}?format=csv",
                     f"/competitors/{ada}/disclosures?format=csv"):
            text = (await client.get(path)).text
            assert "aa10001" in text and "Ada" not in re.sub("Ada Alder", "", text) and email not in text, path


async def test_every_view_is_in_the_log_that_their_coach_reads(cast: Cast, ada: UUID) -> None:
    await get(cast.admin, f"/competitors/{ada}")
    text = (await get(cast.coach_a, f"/competitors/{ada}/disclosures")).text
    assert "Alma Admin" in text and "Competitor page" in text and "solved challenges" in text
    rows = await rows_of(cast.coach_a, f"/competitors/{ada}/disclosures?format=csv")
    assert [row["purpose"] for row in rows] == ["disclosure log", "competitor page"]
    await database.execute(
        """insert into disclosure_log (competitor_id, purpose, recipient, fields)
           select $1, 'push ' || n, 'Game Platform', array['name'] from generate_series(1, 117) n""", ada,
    )
    url, seen = f"/competitors/{ada}/disclosures", []
    while url:
        text = (await get(cast.admin, url)).text
        seen += re.findall(r'title="(Push \d+)"', text)
        following = re.search(r'id="page-next" href="([^"]+)"', text)
        url = following[1].replace("&amp;", "&") if following else ""
    assert len(seen) == len(set(seen)) == 117


@pytest.mark.parametrize("query", [
    "sort=x", "dir=x", "source=x", "window=x", "from=2026-02-30", "cursor=x", "format=pdf", "q=" + "a" * 101,
    "cursor=WyJzb2x2ZXMvc29sdmVkLSIsZmFsc2UsMCwieCIsInkiXQ",
])
async def test_a_bad_value_shows_the_default_and_a_notice(cast: Cast, ada: UUID, query: str) -> None:
    answer = await get(cast.coach_a, f"/competitors/{ada}?{query}")
    assert answer.status_code == 200 and f"“{query.split('=')[0]}”" in answer.text and FAILED not in answer.text


async def test_the_standing_asks_again_for_itself_alone(cast: Cast, ada: UUID) -> None:
    text = (await get(cast.coach_a, f"/competitors/{ada}")).text
    found = re.search(r'hx-get="(/competitors/[^"]*/standing\?seen=[^"]*)"', text)
    assert found
    assert (await get(cast.coach_a, found[1], headers=PARTIAL)).status_code == 204
    await database.execute("update competitors set status = 'profile', release_signed = false where id = $1", ada)
    changed = await get(cast.coach_a, found[1], headers=PARTIAL)
    assert changed.status_code == 200 and "<html" not in changed.text and "Playing without papers" in changed.text
    assert (await get(cast.coach_a, found[1])).headers["location"] == f"/competitors/{ada}"
    assert await database.fetchval("select count(*) from disclosure_log") == 1


async def test_the_card_costs_the_same_few_queries_however_long_the_history(
    cast: Cast, ada: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    statements: list[str] = []
    for name in ("fetch", "fetchrow", "fetchval"):
        real = getattr(database, name)

        async def counted(sql: str, *arguments: object, real: object = real) -> object:
            statements.append(sql)
            return await real(sql, *arguments)  # type: ignore[operator]

        monkeypatch.setattr(database, name, counted)

    async def count(path: str) -> int:
        statements.clear()
        assert (await get(cast.coach_a, path)).status_code == 200
        return len(statements)

    one = await make_competitor(cast.coach_a, "Short History")
    await solve(one, 10, datetime.now(UTC))
    assert await count(f"/competitors/{one}") == await count(f"/competitors/{ada}") <= 21
    assert {"game_platform_challenge_solves" in sql for sql in statements} == {True, False}


async def test_records_that_could_not_be_read_are_counted(cast: Cast, ada: UUID) -> None:
    await database.execute("insert into quarantine (vendor, kind, record_key, competitor_id, reason) "
                           "values ('game_platform', 'odl_solve', 'x', $1, 'points are no number')", ada)
    text = (await get(cast.coach_a, f"/competitors/{ada}")).text
    assert "1 record of this person from the platform could not be read and is not counted here." in text


@pytest.mark.parametrize("seed", range(3))
async def test_no_address_breaks_the_card_or_a_panel(cast: Cast, ada: UUID, seed: int) -> None:
    chance = random.Random(seed)
    async with await client_for(cast.coach_a) as client:
        for _ in range(40):
            path = chance.choice(("", "/disclosures", "/standing"))
            url = generated_url(chance, f"/competitors/{ada}{path}")
            answer = await client.get(url, headers=chance.choice(({}, PARTIAL)))
            assert answer.status_code in (200, 204, 303, 400) and FAILED not in answer.text, url


async def test_what_else_there_is_about_somebody_is_one_click_away(cast: Cast, ada: UUID) -> None:
    text = (await get(cast.coach_a, f"/competitors/{ada}")).text
    found = re.search(r'<nav class="actions" aria-label="More about this person">.*?</nav>', text, re.DOTALL)
    links = re.findall(r'href="([^"]+)"', found[0]) if found else []
    assert len(links) == 3
    for link in links:
        answer = await get(cast.coach_a, link.replace("&amp;", "&"))
        assert answer.status_code == 200 and "Ada Prime" in answer.text, link


async def test_who_comes_and_solves_nothing_is_trying_but_not_in_the_holidays(cast: Cast) -> None:
    competitor_id = await make_competitor(cast.coach_a, "Trying Person")
    await solve(competitor_id, 10, ago(days=60))
    await database.execute("update game_platform_sync_state set last_remote_accessed_at = now()")
    await read_now()
    path = f"/competitors/{competitor_id}"
    assert "Trying, not solving" in (await get(cast.coach_a, path)).text
    await database.execute(
        "insert into calendar_breaks (organization_id, first_day, last_day, name) values ($1, $2, $3, 'Holidays')",
        cast.organization_id, ago(days=70).date(), ago(days=0).date(),
    )
    text = (await get(cast.coach_a, path)).text
    assert "Trying, not solving" not in text and "Solved nothing since" in text
