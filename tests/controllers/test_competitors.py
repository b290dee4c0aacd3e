"""/competitors and a person's card: the way onto the platform, and nobody else's people."""

import csv
import io
import re
from uuid import UUID, uuid4

import httpx
import pytest

from app import database
from app.queries import funnel
from app.services.flags import set_flag
from tests.cast import Cast, Person, make_cast, make_competitor, make_team
from tests.clients import client_for, stranger

PARTIAL = {"HX-Request": "true", "HX-Request-Type": "partial"}
MINE, FOREIGN = ("Ada Prime", "Aron Zero"), ("Bea Secret", "Bo Hidden")


@pytest.fixture(autouse=True)
async def switched_on() -> None:
    await set_flag("game_platform", True, organization_id=None, actor=None, actor_label="test")


@pytest.fixture
async def cast() -> Cast:
    """Two people for each coach; of each, the first may be added and the second lacks the papers."""
    cast = await make_cast()
    for coach, team, names in ((cast.coach_a, cast.team_a, MINE), (cast.coach_b, cast.team_b, FOREIGN)):
        for name, status in zip(names, ("compliance", "profile"), strict=True):
            await make_competitor(coach, name, team_id=team, status=status)
    return cast


async def get(person: Person, path: str, *, headers: dict[str, str] | None = None) -> httpx.Response:
    async with await client_for(person) as client:
        return await client.get(path, headers=headers)


async def post(person: Person, path: str, data: dict[str, object] | None = None) -> httpx.Response:
    async with await client_for(person) as client:
        return await client.post(path, data=data or {})


async def id_of(name: str) -> UUID:
    return UUID(str(await database.fetchval(
        "select id from competitors where first_name || ' ' || last_name = $1", name
    )))


def names_in(text: str) -> set[str]:
    return {name for name in (*MINE, *FOREIGN) if name in text}


async def asked() -> set[str]:
    rows = await database.fetch("select first_name || ' ' || last_name as name from competitors "
                                "where onboarding_asked_at is not null")
    return {row["name"] for row in rows}


@pytest.mark.parametrize("query", ["", "?q=b", "?status=profile", "?division=high_school", "?team=none", "?q=hidden"])
@pytest.mark.parametrize("headers", [{}, PARTIAL], ids=["page", "fragment"])
async def test_a_coach_sees_nobody_elses_people(cast: Cast, query: str, headers: dict[str, str]) -> None:
    response = await get(cast.coach_a, f"/competitors{query}", headers=headers)
    assert response.status_code == 200
    assert not names_in(response.text) & set(FOREIGN) and "Backdoor" not in response.text
    assert ("<html" in response.text) == (not headers)


async def test_an_admin_sees_everybody_and_a_coach_their_own(cast: Cast) -> None:
    assert names_in((await get(cast.admin, "/competitors")).text) == {*MINE, *FOREIGN}
    assert names_in((await get(cast.coach_a, "/competitors")).text) == set(MINE)


async def test_players_and_strangers_are_refused_everywhere(cast: Cast) -> None:
    competitor_id = await id_of(MINE[0])
    paths = ("/competitors", f"/competitors/{competitor_id}")
    changes = ("/competitors/add", f"/competitors/{competitor_id}/add", f"/competitors/{competitor_id}/password-mail")
    async with await client_for(cast.player) as player, stranger() as nobody:
        for path in paths:
            assert (await player.get(path)).status_code == 403
            assert (await nobody.get(path)).status_code == 303
        for path in changes:
            assert (await player.post(path, data={"only": str(competitor_id)})).status_code == 403
            assert (await nobody.post(path)).status_code == 303
    assert await asked() == set()


async def test_filters_stand_in_the_address_and_find_the_rows(cast: Cast) -> None:
    await make_competitor(cast.coach_a, "Cleo Alone", division="college", status="pending")
    shown = {
        "?status=profile": {"Aron Zero"}, "?q=pri": {"Ada Prime"}, "?q=PRIME+ada": set(), "?division=college": set(),
        f"?team={cast.team_a}": set(MINE), "?team=none": set(), "?team=none&status=pending": set(),
    }
    for query, names in shown.items():
        text = (await get(cast.coach_a, f"/competitors{query}")).text
        assert names_in(text) == names, query
        assert ("Cleo Alone" in text) == ("none" in query or "college" in query), query


@pytest.mark.parametrize("query", [
    "status=winner", "division=x", "team=x", "team=00000000-0000-4000-8000-000000000001",
    "cursor=x", "q=" + "a" * 101, "status=profile&status=x",
    "cursor=WyJjb21wZXRpdG9ycyIsZmFsc2UsMCwieCIsIm5vdC1hLXV1aWQiXQ", "run=x", "missing=x", "trouble=x", "age=8",
    "show=x", "sort=name", "coach=x", "organization=x", "format=pdf",
])
async def test_a_bad_value_shows_the_default_and_a_notice_that_names_it(cast: Cast, query: str) -> None:
    response = await get(cast.coach_a, f"/competitors?{query}")
    assert response.status_code == 200 and f"“{query.split('=')[0]}”" in response.text


async def test_another_coachs_team_is_as_unknown_as_none(cast: Cast) -> None:
    response = await get(cast.coach_a, f"/competitors?team={cast.team_b}")
    assert "“team” is not known" in response.text and names_in(response.text) == set(MINE)


async def test_every_row_says_what_can_be_done_and_what_is_missing(cast: Cast) -> None:
    text = (await get(cast.coach_a, "/competitors")).text
    ready, blocked = await id_of(MINE[0]), await id_of(MINE[1])
    assert f'name="only" value="{ready}"' in text and f'name="competitor" value="{ready}"' in text
    assert f'name="only" value="{blocked}"' not in text and f'name="competitor" value="{blocked}"' in text
    assert re.search(r'<button class="button" disabled aria-label="Add to Game Platform: Aron Zero">', text)
    assert "Needs: signed release" in text


async def test_one_row_is_added_and_the_report_says_what_came_of_it(cast: Cast) -> None:
    competitor_id = await id_of(MINE[0])
    answer = await post(cast.coach_a, "/competitors/add?status=compliance", {"only": str(competitor_id)})
    run_id = await database.fetchval("select id from job_runs where kind = 'game_platform_onboarding'")
    assert (answer.status_code, answer.headers["location"]) == (303, f"/competitors?status=compliance&run={run_id}")
    text = (await get(cast.coach_a, answer.headers["location"])).text
    assert "What came of adding them" in text and "Adding…" in text
    assert "What came of" not in (await get(cast.coach_b, f"/competitors?run={run_id}")).text
    assert await asked() == {"Ada Prime"}


async def test_a_selection_takes_who_is_ready_and_says_what_the_others_lack(cast: Cast) -> None:
    chosen = [str(await id_of(name)) for name in MINE]
    form: dict[str, object] = {"competitor": chosen, "key": str(uuid4())}
    answer = await post(cast.coach_a, "/competitors/add", form)
    assert answer.status_code == 303 and re.fullmatch(r"/competitors/changes/[-0-9a-f]{36}", answer.headers["location"])
    text = (await get(cast.coach_a, answer.headers["location"])).text
    assert "Ada Prime" in text and "</span>Adding</span>" in text
    assert "Aron Zero" in text and "Needs: signed release." in text
    again = await post(cast.coach_a, "/competitors/add", form)
    assert again.headers["location"] == answer.headers["location"]
    assert await database.fetchval("select count(*) from job_runs") == 1
    assert await database.fetchval("select count(*) from roster_changes") == 1


async def test_what_cannot_be_done_is_said_in_place(cast: Cast) -> None:
    empty = await post(cast.coach_a, "/competitors/add")
    refused = await post(cast.coach_a, "/competitors/add", {"only": str(await id_of(MINE[1]))})
    assert (empty.status_code, refused.status_code) == (422, 422)
    assert "Nobody was chosen." in empty.text and "Needs: signed release." in refused.text
    await set_flag("game_platform.onboarding", False, organization_id=None, actor=None, actor_label="test")
    off = await post(cast.coach_a, "/competitors/add", {"only": str(await id_of(MINE[0]))})
    assert off.status_code == 422 and "switched off for this organization" in off.text
    assert 'name="only"' not in (await get(cast.coach_a, "/competitors")).text
    assert await asked() == set()


async def test_the_funnel_counts_its_rows_and_links_to_exactly_them(cast: Cast) -> None:
    await make_competitor(cast.coach_a, "Cleo Alone", division="college", status="complete")
    await make_competitor(cast.coach_a, "Cora Young", status="profile", data_consent=False)
    await make_competitor(cast.coach_b, "Bob Old", status="complete")
    await database.execute("update competitors set stage_since = now() - interval '40 days' where first_name = 'Cora'")
    for person, query in ((cast.coach_a, ""), (cast.admin, "?division=high_school"), (cast.coach_a, "?q=c&age=7")):
        text = (await get(person, f"/competitors{query}")).text
        found = re.findall(r'<a href="([^"]+)"[^>]*><b class="number">(\d+)</b>', text)
        found += re.findall(r'<a href="([^"]+)">(\d+) without ', text)
        found += re.findall(r'<a href="([^"]+)">[^<:]+: <b class="number">(\d+)</b>', text)
        assert len(found) >= 6
        for url, count in found:
            rows = (await get(person, url.replace("&amp;", "&"))).text
            assert len(re.findall(r'name="competitor" value', rows)) == int(count), url
    assert "2 without signed release" in (await get(cast.coach_a, "/competitors")).text
    assert "Without consent: <b" in (await get(cast.coach_a, "/competitors")).text


async def test_a_funnel_that_fails_leaves_the_list(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(*_: object) -> None:
        raise OSError("no funnel")

    monkeypatch.setattr(funnel, "get_funnel", broken)
    answer = await get(cast.coach_a, "/competitors")
    assert answer.status_code == 200 and names_in(answer.text) == set(MINE)
    assert "The onboarding could not be read." in answer.text and 'class="stages"' not in answer.text


async def test_the_longest_in_their_stage_come_first(cast: Cast) -> None:
    await database.execute("update competitors set stage_since = now() - interval '8 days' where first_name = 'Aron'")
    shown = r'title="(Ada Prime|Aron Zero)"'
    assert re.findall(shown, (await get(cast.coach_a, "/competitors")).text) == ["Ada Prime", "Aron Zero"]
    text = (await get(cast.coach_a, "/competitors?sort=stage")).text
    assert re.findall(shown, text) == ["Aron Zero", "Ada Prime"] and "8 d ago" in text
    assert names_in((await get(cast.coach_a, "/competitors?age=7")).text) == {"Aron Zero"}


async def test_archived_people_have_a_list_of_their_own(cast: Cast) -> None:
    await database.execute("update competitors set archived_at = now() where first_name in ('Aron', 'Bo')")
    assert names_in((await get(cast.coach_a, "/competitors")).text) == {"Ada Prime"}
    text = (await get(cast.coach_a, "/competitors?show=archived")).text
    assert names_in(text) == {"Aron Zero"} and "Add the chosen" not in text and "/edit" not in text


async def test_the_file_holds_the_rows_of_the_filter_and_is_written_down(cast: Cast) -> None:
    await make_competitor(cast.coach_a, "=Cleo Alone", division="college", status="pending")
    answer = await get(cast.coach_a, "/competitors?status=profile&format=csv")
    assert answer.headers["content-type"].startswith("text/csv")
    assert "attachment" in answer.headers["content-disposition"]
    rows = list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"))))
    assert [(row["name"], row["missing"], row["team"]) for row in rows] == [("Aron Zero", "signed release", "Firewall")]
    assert rows[0]["email"].endswith("@example.org") and "coach" not in rows[0]
    disclosed = await database.fetchrow("select competitor_id, purpose, fields from disclosure_log")
    assert disclosed and disclosed["competitor_id"] == await id_of("Aron Zero") and "email" in disclosed["fields"]
    everything = await get(cast.coach_a, "/competitors?format=csv")
    assert "'=Cleo Alone" in everything.text and not names_in(everything.text) & set(FOREIGN)
    admins = await get(cast.admin, "/competitors?format=csv")
    assert "@" not in admins.text and names_in(admins.text) == {*MINE, *FOREIGN}


async def test_a_presenting_coach_shows_no_name_and_no_mail(cast: Cast) -> None:
    await database.execute("update competitors set metactf_username = 'night_owl' where first_name = 'Ada'")
    competitor_id = await id_of(MINE[0])
    async with await client_for(cast.coach_a) as client:
        added = await client.post("/competitors/add", data={"competitor": [str(competitor_id)]})
        single = await client.post("/competitors/add", data={"only": str(competitor_id)})
        await client.post("/presenting", data={"present": "on", "next": "/competitors"})
        paths = ("/competitors", "/competitors?format=csv", f"/competitors/change?competitor={competitor_id}",
                 added.headers["location"], single.headers["location"], f"/competitors/{competitor_id}/edit")
        for path in paths:
            text = (await client.get(path)).text
            assert not names_in(text) and "@example.org" not in text, path
            assert "night_owl" in text or path.endswith("/edit"), path


async def test_only_admins_filter_by_coach_and_organization(cast: Cast) -> None:
    assert names_in((await get(cast.admin, f"/competitors?coach={cast.coach_b.id}")).text) == set(FOREIGN)
    response = await get(cast.coach_a, f"/competitors?coach={cast.coach_b.id}")
    assert "“coach” is not known" in response.text and names_in(response.text) == set(MINE)
    response = await get(cast.coach_a, f"/competitors?organization={uuid4()}")
    assert "“organization” is not known" in response.text and names_in(response.text) == set(MINE)


async def test_nobody_is_added_where_one_is_somebody_elses(cast: Cast) -> None:
    mine, foreign = str(await id_of(MINE[0])), str(await id_of(FOREIGN[0]))
    for chosen in ([mine, foreign], [mine, "x"], [mine, str(uuid4())]):
        assert (await post(cast.coach_a, "/competitors/add", {"competitor": chosen})).status_code == 404
    assert await asked() == set()


async def test_a_form_without_its_token_changes_nothing(cast: Cast) -> None:
    competitor_id = await id_of(MINE[0])
    async with await client_for(cast.coach_a) as client:
        del client.headers["x-csrftoken"]
        for path in ("/competitors/add", f"/competitors/{competitor_id}/add"):
            assert (await client.post(path, data={"only": str(competitor_id)})).status_code == 403
    assert await asked() == set()


async def test_who_waits_is_counted_by_coach(cast: Cast) -> None:
    await database.execute("update competitors set game_platform_id = id::text, metactf_user_status = 'denied' "
                           "where first_name = 'Ada'")
    await database.execute("update competitors set metactf_user_status = 'user_created', game_platform_id = id::text "
                           "where first_name = 'Aron'")
    mine = (await get(cast.coach_a, "/competitors")).text
    assert "Ada Alder: 1 waiting for approval, 1 denied" in mine
    assert f'?coach={cast.coach_a.id}">Ada Alder</a>: 1 waiting' in (await get(cast.admin, "/competitors")).text
    assert "Ada Alder:" not in (await get(cast.coach_b, "/competitors")).text


async def test_an_unchanged_list_is_not_sent_again(cast: Cast) -> None:
    text = (await get(cast.coach_a, "/competitors?status=profile")).text
    found = re.search(r'hx-get="(/competitors\?[^"]*seen=[^"]*)"', text)
    assert found
    url = found[1].replace("&amp;", "&")
    assert (await get(cast.coach_a, url, headers=PARTIAL)).status_code == 204
    await database.execute("update competitors set release_signed = true")
    changed = await get(cast.coach_a, url, headers=PARTIAL)
    assert changed.status_code == 200 and "Needs: signed agreement" in changed.text


async def test_a_page_costs_the_same_few_queries_however_many_rows(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    statements: list[str] = []
    for name in ("fetch", "fetchrow", "fetchval"):
        real = getattr(database, name)

        async def counted(sql: str, *arguments: object, real: object = real) -> object:
            statements.append(sql)
            return await real(sql, *arguments)  # type: ignore[operator]

        monkeypatch.setattr(database, name, counted)

    async def count() -> int:
        statements.clear()
        assert (await get(cast.coach_a, "/competitors")).status_code == 200
        return len(statements)

    few = await count()
    for number in range(20):
        await make_competitor(cast.coach_a, f"Nina Number{number}", status="compliance")
    assert await count() == few <= 9


async def test_the_pages_of_a_long_list_hold_everybody_once(cast: Cast) -> None:
    await database.execute(
        """insert into competitors (organization_id, coach_id, first_name, last_name)
           select $1, $2, 'Extra', 'Person ' || n from generate_series(1, 118) n""",
        cast.organization_id, cast.coach_a.id,
    )
    url, seen = "/competitors", []
    for _ in range(3):
        text = (await get(cast.coach_a, url)).text
        seen += re.findall(r'<th scope="row"><a class="ellipsis" href="/competitors/([^"]+)"', text)
        following = re.search(r'id="page-next" href="([^"]+)"', text)
        url = following[1].replace("&amp;", "&") if following else ""
    assert url == "" and len(seen) == len(set(seen)) == 120


async def test_the_card_shows_one_person_and_writes_down_who_looked(cast: Cast) -> None:
    competitor_id = await id_of(MINE[1])
    answer = await get(cast.coach_a, f"/competitors/{competitor_id}")
    email = await database.fetchval("select email from competitors where id = $1", competitor_id)
    assert answer.status_code == 200 and email in answer.text
    assert "Aron Zero" in answer.text and "Needs: signed release" in answer.text and "disabled" in answer.text
    row = await database.fetchrow("select * from disclosure_log")
    assert row and (row["competitor_id"], row["user_id"], row["purpose"]) == (
        competitor_id, cast.coach_a.id, "competitor page"
    )
    await get(cast.coach_a, f"/competitors/{competitor_id}", headers=PARTIAL)
    assert await database.fetchval("select count(*) from disclosure_log") == 1


async def test_mails_are_for_the_coach_of_that_person(cast: Cast) -> None:
    competitor_id = await id_of(MINE[0])
    email = await database.fetchval("select email from competitors where id = $1", competitor_id)
    assert email not in (await get(cast.admin, f"/competitors/{competitor_id}")).text
    assert "@" not in re.sub(r"(?s)<head>.*?</head>", "", (await get(cast.coach_a, "/competitors")).text)


async def test_a_foreign_card_is_not_found_and_nobody_is_written_down(cast: Cast) -> None:
    foreign = await id_of(FOREIGN[0])
    for path in (f"/competitors/{foreign}", f"/competitors/{uuid4()}", "/competitors/x"):
        assert (await get(cast.coach_a, path)).status_code == 404
    for path in (f"/competitors/{foreign}/add", f"/competitors/{foreign}/password-mail"):
        assert (await post(cast.coach_a, path)).status_code == 404
    assert await database.fetchval("select count(*) from disclosure_log") == 0


async def test_the_card_adds_shows_adding_and_after_a_refusal_try_again(cast: Cast) -> None:
    path = f"/competitors/{await id_of(MINE[0])}"
    assert ">Add to Game Platform</button>" in (await get(cast.coach_a, path)).text
    answer = await post(cast.coach_a, f"{path}/add")
    assert (answer.status_code, answer.headers["location"]) == (303, f"{path}?done=asked")
    text = (await get(cast.coach_a, answer.headers["location"])).text
    assert ">Adding…</button>" in text and "The Game Platform is being asked." in text
    await database.execute("update competitors set onboarding_asked_at = null, "
                           "game_platform_sync_error = 'Refused by the Game Platform: <b>e-mail</b> already exists'")
    text = (await get(cast.coach_a, path)).text
    assert "&lt;b&gt;e-mail&lt;/b&gt; already exists" in text and ">Try again</button>" in text


async def test_an_account_says_since_when_and_what_the_platform_cannot_do(cast: Cast) -> None:
    competitor_id = await make_competitor(cast.coach_a, "Cleo Cherry", team_id=cast.team_a)
    text = (await get(cast.coach_a, f"/competitors/{competitor_id}")).text
    assert "On the Game Platform" in text and "The Game Platform cannot delete an account" in text
    assert "password mail" not in text


async def test_password_help_is_there_where_it_is_switched_on(cast: Cast) -> None:
    competitor_id = await make_competitor(cast.coach_a, "Cleo Cherry")
    path = f"/competitors/{competitor_id}"
    off = await post(cast.coach_a, f"{path}/password-mail")
    assert off.status_code == 422 and "switched off" in off.text
    await set_flag("game_platform.password_help", True, organization_id=None, actor=None, actor_label="test")
    assert "Send a password mail" in (await get(cast.coach_a, path)).text
    answer = await post(cast.coach_a, f"{path}/password-mail")
    assert (answer.status_code, answer.headers["location"]) == (303, f"{path}?done=mail")
    assert "Asking…" in (await get(cast.coach_a, path)).text
    again = await post(cast.coach_a, f"{path}/password-mail")
    assert again.status_code == 422 and "in the last 15 minutes" in again.text


async def test_names_are_text_and_never_markup(cast: Cast) -> None:
    team = await make_team(cast.coach_a, "<i>T</i>{{7*7}}")
    competitor_id = await make_competitor(cast.coach_a, "<script>alert(1)</script> {{7*7}}", team_id=team)
    for path in ("/competitors", f"/competitors/{competitor_id}"):
        text = (await get(cast.coach_a, path)).text
        assert "<script>alert" not in text and "<i>T" not in text and "{{7*7}}" in text
