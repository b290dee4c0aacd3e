"""The leaderboard's page: one address for everything, nobody else's people, never a failure."""

import csv
import io
import re
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from app import database
from app.queries import leaderboard as queries
from tests.cast import Cast, Person, make_cast, make_competitor, make_organization, make_team
from tests.clients import client_for, stranger
from tests.league import ago, refresh, solve
from tests.statements import listening

PARTIAL = {"HX-Request": "true", "HX-Request-Type": "partial"}
COACH_A, COACH_B = ("Ada Prime", "Aron Zero"), ("Bea Secret", "Bo Hidden")


@pytest.fixture
async def cast() -> Cast:
    """Two people for each coach."""
    cast = await make_cast()
    for coach, team, names in ((cast.coach_a, cast.team_a, COACH_A), (cast.coach_b, cast.team_b, COACH_B)):
        for number, name in enumerate(names):
            person = await make_competitor(coach, name, team_id=team)
            if number == 0:
                await solve(person, 100, ago(days=3), category="OSINT")
    await refresh(cast.organization_id)
    return cast


async def get(person: Person, query: str = "", *, headers: dict[str, str] | None = None) -> httpx.Response:
    async with await client_for(person) as client:
        return await client.get(f"/leaderboard{query}", headers=headers)


def names_in(text: str) -> set[str]:
    return {name for name in (*COACH_A, *COACH_B) if name in text or name.split()[1] in text}


def rows_of(response: httpx.Response) -> list[dict[str, str]]:
    assert response.content.startswith(b"\xef\xbb\xbf")
    return list(csv.DictReader(io.StringIO(response.content.decode("utf-8-sig"), newline="")))


EVERYWHERE = (
    "", "?q=secret", "?q=b", "?sort=name&dir=desc", "?category=OSINT", "?source=odl", "?sort=change",
    "?window=custom&from=2026-01-01", "?division=high_school", "?format=csv", "?format=csv&q=hidden",
)


@pytest.mark.parametrize("query", EVERYWHERE)
@pytest.mark.parametrize("headers", [{}, PARTIAL], ids=["page", "fragment"])
async def test_a_coach_sees_nobody_elses_people(cast: Cast, query: str, headers: dict[str, str]) -> None:
    response = await get(cast.coach_a, query, headers=headers)
    assert response.status_code == 200
    table = response.text.replace('value="secret"', "").replace('value="hidden"', "")
    assert not names_in(re.sub(r"<li class=\"chip\">.*?</li>", "", table, flags=re.DOTALL)) & set(COACH_B)
    assert str(cast.team_b) not in response.text and "Backdoor" not in response.text


async def test_an_admin_sees_everybody_and_a_coach_their_own(cast: Cast) -> None:
    assert names_in((await get(cast.admin)).text) == {*COACH_A, *COACH_B}
    assert names_in((await get(cast.coach_a)).text) == set(COACH_A)


@pytest.mark.parametrize("who", ["player", "stranger"])
async def test_players_and_strangers_are_refused(cast: Cast, who: str) -> None:
    if who == "player":
        assert (await get(cast.player)).status_code == 403
        return
    async with stranger() as client:
        response = await client.get("/leaderboard?sort=name")
        assert response.status_code == 303 and "/login" in response.headers["location"]
        response = await client.get("/leaderboard", headers=PARTIAL)
        assert "/login" in response.headers["hx-redirect"] and "Ada" not in response.text


async def test_somebody_elses_team_answers_like_one_that_does_not_exist(cast: Cast) -> None:
    def without_ids(response: httpx.Response) -> str:
        return re.sub(r"team=[0-9a-f-]{36}|\d+-\d+", "", response.text)

    foreign = await get(cast.coach_a, f"?team={cast.team_b}", headers=PARTIAL)
    missing = await get(cast.coach_a, f"?team={uuid4()}", headers=PARTIAL)
    assert "“team” is not known" in foreign.text
    assert without_ids(foreign) == without_ids(missing)


@pytest.mark.parametrize(
    "query",
    [
        "sort=;drop%20table", "dir=up", "window=12", "from=yesterday", "from=2026-13-01", "to=99999-01-01", "team=1",
        "coach=x", "division=kindergarten", "category=Cooking", "source=x", "cursor=AAAA",
        "cursor=WyJyYW5rKyIsZmFsc2UsMSwyXQ", "format=pdf", "organization=1", "sort=name&sort=team",
        "from=2026-10-02&to=2026-10-01", "q=" + "x" * 101,
    ],
)
@pytest.mark.parametrize("role", ["admin", "coach"])
async def test_a_bad_value_shows_the_default_and_a_notice_that_names_it(cast: Cast, query: str, role: str) -> None:
    response = await get(cast.admin if role == "admin" else cast.coach_a, f"?{query}")
    assert response.status_code == 200
    assert f"“{query.split('=')[0]}”" in response.text
    if not query.startswith("q="):
        assert "Ada Prime" in response.text


async def test_unknown_parameters_and_bad_marks_of_the_page_itself_are_ignored(cast: Cast) -> None:
    for query in ("?page=-1&page[]=&x=NaN", "?seen=abc", "?seen=-1", "?seen=99999999999999999999"):
        response = await get(cast.coach_a, query)
        assert response.status_code == 200 and 'id="notice"' not in response.text


async def test_the_page_says_how_ranks_are_made_and_what_the_window_is(cast: Cast) -> None:
    text = (await get(cast.coach_a, "?window=7")).text
    assert "points, then challenges, then the earlier last solve" in text
    first = datetime.now(UTC).date().toordinal() - 6
    day = datetime.fromordinal(first)
    assert f"points gained since {day.day} {day:%b %Y} (days in UTC)" in text


async def test_both_ranks_are_shown_with_a_division(cast: Cast) -> None:
    person = await make_competitor(cast.coach_a, "Cora College", division="college")
    await refresh(cast.organization_id)
    text = (await get(cast.coach_a, "?division=college")).text
    assert "In division" in text
    cells = re.findall(r"<td class=\"number\">(.*?)</td>", text[text.index("Cora College") - 200 :])
    assert cells[:2] == ["3", "1"], person
    assert "In division" not in (await get(cast.coach_a)).text


async def test_people_without_an_account_are_not_linked(cast: Cast) -> None:
    await make_competitor(cast.coach_a, "Uma Unlinked", status="profile")
    await refresh(cast.organization_id)
    text = (await get(cast.coach_a, "?q=uma")).text
    assert "not linked" in text and "never" in text


async def test_old_data_and_failed_syncs_are_said(cast: Cast) -> None:
    await database.execute(
        "update game_platform_sync_state set last_success_at = now() - interval '9 hours', last_result = 'failure'"
    )
    text = (await get(cast.coach_a)).text
    assert "▲" in text and "Late:" in text and "every 8 hours" in text
    assert "The last sync failed for 2 of the people shown" in text
    await database.execute("update game_platform_sync_state set last_success_at = now(), last_result = 'success'")
    text = (await get(cast.coach_a)).text
    assert "Late:" not in text and "failed" not in text and "data from" in text


@pytest.mark.parametrize("headers", [{}, PARTIAL], ids=["page", "fragment"])
async def test_a_page_is_for_one_reader_and_a_fragment_is_no_page(cast: Cast, headers: dict[str, str]) -> None:
    response = await get(cast.coach_a, "?sort=name", headers=headers)
    assert response.headers["vary"].startswith("HX-Request, HX-Request-Type")
    assert "no-store" in response.headers["cache-control"]
    assert ("<html" in response.text) is (not headers)
    assert 'id="leaderboard"' in response.text and 'name="sort" value="name"' in response.text


async def test_history_asks_for_the_whole_page(cast: Cast) -> None:
    response = await get(cast.coach_a, headers={"HX-Request-Type": "full"})
    assert "<!doctype html>" in response.text


async def test_one_reader_never_gets_what_was_made_for_another(cast: Cast) -> None:
    """The same address, asked in turns, also right after each other."""
    for _ in range(2):
        assert names_in((await get(cast.admin)).text) == {*COACH_A, *COACH_B}
        assert names_in((await get(cast.coach_a)).text) == set(COACH_A)
        assert names_in((await get(cast.coach_b)).text) == set(COACH_B)
    await database.execute("update users set time_zone = 'Asia/Tokyo' where id = $1", cast.coach_a.id)
    assert "Asia/Tokyo" in (await get(cast.coach_a)).text
    assert "Asia/Tokyo" not in (await get(cast.admin)).text


async def _queries(person: Person, query: str, headers: dict[str, str] | None = None) -> tuple[int, int]:
    """Status and number of statements, the session's own included, once the server knows the statements."""
    async with await client_for(person) as client:
        for _ in range(2):
            await client.get(f"/leaderboard{query}", headers=headers)
        async with listening() as statements:
            response = await client.get(f"/leaderboard{query}", headers=headers)
    return response.status_code, len(statements)


QUERIES = ("", "?q=a", "?category=OSINT", "?window=custom&from=2026-01-01", "?sort=change", "?sort=last_active&dir=asc")


async def test_a_page_takes_the_same_few_queries_at_every_size(cast: Cast) -> None:
    small = {query: await _queries(cast.admin, query) for query in QUERIES}
    await database.execute(
        """insert into competitors (organization_id, coach_id, first_name, last_name, division)
           select $1, $2, 'Extra', n::text, 'college' from generate_series(1, 1000) n""",
        cast.organization_id, cast.coach_a.id,
    )
    for number in range(50):
        await make_team(cast.coach_a, f"Team {number}")
    await refresh(cast.organization_id)
    large = {query: await _queries(cast.admin, query) for query in QUERIES}
    assert small == large
    assert all(status == 200 and count <= 6 for status, count in large.values())


async def test_unchanged_standings_answer_204_from_one_read(cast: Cast) -> None:
    version = await queries.get_version(cast.organization_id)
    status, count = await _queries(cast.coach_a, f"?sort=name&seen={version}", PARTIAL)
    assert (status, count) == (204, 2)  # the session's and the version's
    response = await get(cast.coach_a, f"?seen={version}", headers=PARTIAL)
    assert response.status_code == 204 and response.content == b""


async def test_changed_standings_answer_the_fragment_with_the_new_version(cast: Cast) -> None:
    version = await queries.get_version(cast.organization_id)
    await make_competitor(cast.coach_a, "Nia New")
    await refresh(cast.organization_id)
    response = await get(cast.coach_a, f"?seen={version}", headers=PARTIAL)
    assert response.status_code == 200 and "Nia New" in response.text
    assert f"seen={version + 1}-" in response.text and "hx-replace-url" not in response.headers


async def test_a_page_that_is_shown_for_long_is_shown_anew_with_its_age(cast: Cast) -> None:
    version = await queries.get_version(cast.organization_id)
    now = int(datetime.now(UTC).timestamp())
    assert (await get(cast.coach_a, f"?seen={version}-{now - 60}", headers=PARTIAL)).status_code == 204
    assert (await get(cast.coach_a, f"?seen={version}-{now - 3600}", headers=PARTIAL)).status_code == 200


async def test_pages_are_linked_by_cursor_and_keep_the_filters(cast: Cast) -> None:
    await database.execute(
        """insert into competitors (organization_id, coach_id, first_name, last_name, division)
           select $1, $2, 'Extra', 'Person ' || n, 'college' from generate_series(1, 120) n""",
        cast.organization_id, cast.coach_a.id,
    )
    await refresh(cast.organization_id)
    seen: list[str] = []
    address: str | None = "?division=college&sort=name"
    while address:
        text = (await get(cast.coach_a, address)).text
        seen += re.findall(r"<th scope=\"row\"[^>]*><a class=\"ellipsis\"[^>]*>(Extra Person \d+)", text)
        found = re.search(r'id="page-next" href="/leaderboard(\?[^"]+)"', text)
        address = found[1].replace("&amp;", "&") if found else None
        if address:
            assert "division=college" in address and "sort=name" in address and "offset" not in address
    assert sorted(seen) == sorted(f"Extra Person {n}" for n in range(1, 121))


async def test_the_file_holds_exactly_the_rows_of_the_filter_in_the_order_of_the_page(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queries, "EXPORT_SIZE", 7)
    await database.execute(
        """insert into competitors (organization_id, coach_id, first_name, last_name, division)
           select $1, $2, 'Extra', lpad(n::text, 3, '0'), 'college' from generate_series(1, 60) n""",
        cast.organization_id, cast.coach_a.id,
    )
    await refresh(cast.organization_id)
    response = await get(cast.coach_a, "?division=college&sort=name&dir=desc&format=csv")
    assert response.headers["content-type"] == "text/csv; charset=utf-8"
    name = response.headers["content-disposition"]
    assert re.fullmatch(r'attachment; filename="leaderboard-\d{4}-\d\d-\d\d\.csv"', name)
    assert [row["last_name"] for row in rows_of(response)] == [f"{n:03}" for n in range(60, 0, -1)]
    assert len(rows_of(await get(cast.admin, "?format=csv"))) == 64


async def test_no_cell_of_the_file_is_a_formula(cast: Cast) -> None:
    for name in ("=1+1 Danger", "+1 Danger", "-1 Danger", "@sum Danger", "\t=1 Danger"):
        await make_competitor(cast.coach_a, name)
    await database.execute("update competitors set metactf_username = '=cmd()' where last_name = 'Prime'")
    await refresh(cast.organization_id)
    rows = rows_of(await get(cast.coach_a, "?format=csv"))
    assert len(rows) == 7
    for row in rows:
        for name in ("first_name", "last_name", "handle", "team"):
            assert not row[name].startswith(("=", "+", "-", "@", "\t", "\r"))


async def test_times_in_the_file_name_their_zone_and_hold_no_address_of_mail(cast: Cast) -> None:
    response = await get(cast.admin, "?format=csv")
    first = rows_of(response)[0]
    assert datetime.fromisoformat(first["last_active_at"]).tzinfo
    assert "example.org" not in response.text


async def test_an_export_leaves_a_disclosure_for_each_person_and_for_nobody_else(cast: Cast) -> None:
    await get(cast.coach_a, "?format=csv&q=prime")
    rows = await database.fetch("select * from disclosure_log")
    assert [(row["user_id"], row["purpose"]) for row in rows] == [(cast.coach_a.id, "leaderboard export")]
    assert "first_name" in rows[0]["fields"]
    name = await database.fetchval("select last_name from competitors where id = $1", rows[0]["competitor_id"])
    assert name == "Prime"
    await get(cast.coach_a)
    assert await database.fetchval("select count(*) from disclosure_log") == 1


async def test_an_admin_of_several_organizations_chooses_one(cast: Cast) -> None:
    other = await make_organization("Southern League")
    foreign = Person(id=cast.admin.id, email="", role="admin", organization_id=other)
    team = await make_team(foreign, "South")
    await make_competitor(foreign, "Sol South", team_id=team)
    await refresh(other)
    text = (await get(cast.admin, f"?organization={other}")).text
    assert "Sol South" in text and "Ada Prime" not in text and "Southern League" in text
    text = (await get(cast.coach_a, f"?organization={other}")).text
    assert "“organization” is not known" in text and "Sol South" not in text


async def test_what_is_not_there_says_what_would_be(cast: Cast) -> None:
    assert "Nobody matches these filters" in (await get(cast.coach_a, "?q=zzzz")).text
    await database.execute("update competitors set archived_at = now()")
    await refresh(cast.organization_id)
    assert "No competitors yet" in (await get(cast.coach_a)).text
    await database.execute("truncate standings, standing_versions")
    assert "No standings yet" in (await get(cast.coach_a)).text
    await database.execute("delete from organization_members where user_id = $1", cast.coach_a.id)
    assert "You belong to no organization yet" in (await get(cast.coach_a)).text


async def test_names_are_text_and_not_markup(cast: Cast) -> None:
    evil: Any = await make_competitor(cast.coach_a, "<script>alert(1)</script> \"onload='x")
    assert isinstance(evil, UUID)
    await refresh(cast.organization_id)
    text = (await get(cast.coach_a, "?q=script")).text
    assert "<script>alert" not in text and "&lt;script&gt;" in text


async def test_a_filter_that_is_not_understood_leads_to_the_page_that_says_so(cast: Cast) -> None:
    """A file of more people than were asked for would not say it."""
    response = await get(cast.coach_a, f"?team={cast.team_b}&sort=name&format=csv")
    assert response.status_code == 303
    assert response.headers["location"] == f"/leaderboard?team={cast.team_b}&sort=name"
    assert await database.fetchval("select count(*) from disclosure_log") == 0


async def test_asking_for_the_head_of_a_file_shows_nobody(cast: Cast) -> None:
    async with await client_for(cast.coach_a) as client:
        response = await client.head("/leaderboard?format=csv")
    assert response.status_code == 200 and response.headers["content-type"].startswith("text/csv")
    assert await database.fetchval("select count(*) from disclosure_log") == 0


async def test_how_many_files_an_hour_gives_is_the_organizations_to_set(cast: Cast) -> None:
    await database.execute("update organizations set exports_per_hour = 10")
    async with await client_for(cast.coach_a) as client:
        paths = ["/leaderboard?format=csv", "/competitors?format=csv", "/alerts?format=csv", "/timeline?format=csv"] * 3
        codes = [(await client.get(path)).status_code for path in paths]
        assert codes == [200] * 10 + [429] * 2
    assert (await get(cast.coach_b, "?format=csv")).status_code == 200


async def test_files_are_given_out_at_a_human_pace(cast: Cast) -> None:
    async with await client_for(cast.coach_a) as client:
        codes = [(await client.get("/leaderboard?format=csv")).status_code for _ in range(22)]
        refused = await client.get("/leaderboard?format=csv")
        assert codes[:20] == [200] * 20 and codes[-1] == 429 and "Retry-After" in refused.headers
        assert (await client.get("/leaderboard")).status_code == 200
    assert len(rows_of(await get(cast.coach_b, "?format=csv"))) == len(COACH_B)


async def test_the_page_of_the_past_says_which_moment_it_shows(cast: Cast) -> None:
    await database.execute("update organizations set time_zone = 'America/Chicago'")
    await database.execute("update competitors set created_at = '2026-01-01 00:00Z'")
    day = (await get(cast.coach_a, "?as_of=2026-03-02")).text
    assert "As it stood at the end of 2 Mar 2026" in day and names_in(day) == set(COACH_A)
    moment = (await get(cast.coach_a, "?as_of=2026-03-02T05:52:00Z")).text
    assert "As it stood at 23:52 on 1 Mar 2026" in moment and "America/Chicago" in moment
    before = (await get(cast.coach_a, "?as_of=2025-12-30")).text
    assert "Nobody of yours had been added by the end of 30 Dec 2025" in before
    assert "should be a date such as" in (await get(cast.coach_a, "?as_of=yesterday")).text


async def test_a_database_that_takes_too_long_leaves_the_last_list_with_its_age(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with await client_for(cast.coach_a) as client:
        before = await client.get("/leaderboard?sort=name")
        monkeypatch.setattr(queries, "get_page", _cancelled)
        late = await client.get("/leaderboard?sort=name")
        unknown = await client.get("/leaderboard?sort=team")
    assert late.status_code == 200 and names_in(late.text) == names_in(before.text)
    assert "The database takes too long; this is the list of" in late.text
    assert unknown.status_code == 503 and "Try again in a minute" in unknown.text


async def _cancelled(*arguments: object, **options: object) -> None:
    async with database.transaction():
        await database.execute("set local statement_timeout = 1")
        await database.execute("select pg_sleep(1)")
