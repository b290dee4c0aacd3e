"""/alerts: whose alerts, what is said of each, and what can be done about them."""

import csv
import io
import re
from datetime import timedelta
from uuid import UUID, uuid4

import httpx
import pytest

from app import database
from tests.alerting import alert_of, evaluate, make_player
from tests.cast import Cast, Person, make_cast
from tests.clients import client_for, stranger

PARTIAL = {"HX-Request": "true", "HX-Request-Type": "partial"}
MINE, FOREIGN = ("Ada Away", "Aron Attempts"), ("Bea Secret",)


@pytest.fixture
async def cast() -> Cast:
    """Of one coach somebody inactive and somebody stuck, of the other somebody inactive; and a team in trouble."""
    cast = await make_cast()
    await make_player(cast.coach_a, MINE[0], team_id=cast.team_a, accessed_days=30, solved_days=40)
    await make_player(cast.coach_a, MINE[1], team_id=cast.team_a, accessed_days=1, solved_days=30)
    await make_player(cast.coach_b, FOREIGN[0], team_id=cast.team_b, accessed_days=30, solved_days=40)
    await database.execute("update teams set game_platform_sync_error = 'no such coach' where id = $1", cast.team_b)
    await evaluate()
    return cast


async def get(person: Person, path: str, *, headers: dict[str, str] | None = None) -> httpx.Response:
    async with await client_for(person) as client:
        return await client.get(path, headers=headers)


async def act(person: Person, data: dict[str, object], query: str = "") -> httpx.Response:
    async with await client_for(person) as client:
        return await client.post(f"/alerts/act{query}", data=data)


async def alert_id_of(name: str) -> UUID:
    found: UUID = await database.fetchval(
        "select a.id from alerts a join competitors c on c.id = a.competitor_id where c.first_name = $1", name
    )
    return found


def names_in(text: str) -> set[str]:
    return {name for name in (*MINE, *FOREIGN) if name in text}


@pytest.mark.parametrize("query", ["", "?rule=inactive", "?group=people", "?state=untouched", "?format=csv", "?team=x"])
@pytest.mark.parametrize("headers", [{}, PARTIAL], ids=["page", "fragment"])
async def test_a_coach_sees_nobody_elses_alerts(cast: Cast, query: str, headers: dict[str, str]) -> None:
    response = await get(cast.coach_a, f"/alerts{query}", headers=headers)
    assert response.status_code == 200
    assert not names_in(response.text) & set(FOREIGN)
    assert "Backdoor" not in response.text and "no such coach" not in response.text


async def test_an_admin_sees_all_of_them_and_a_coach_their_own(cast: Cast) -> None:
    text = (await get(cast.admin, "/alerts")).text
    assert names_in(text) == {*MINE, *FOREIGN} and "no such coach" in text
    assert names_in((await get(cast.coach_a, "/alerts")).text) == set(MINE)
    of_one = (await get(cast.admin, f"/alerts?coach={cast.coach_a.id}")).text
    assert names_in(of_one) == set(MINE) and "no such coach" not in of_one


async def test_players_and_strangers_are_refused(cast: Cast) -> None:
    async with await client_for(cast.player) as player, stranger() as nobody:
        assert (await player.get("/alerts")).status_code == 403
        assert (await player.post("/alerts/act", data={"do": "take"})).status_code == 403
        assert (await nobody.get("/alerts")).status_code == 303
        part = await nobody.get("/alerts", headers=PARTIAL)
        assert "/login" in part.headers["hx-redirect"]


async def test_each_says_its_cause_since_when_and_what_to_do(cast: Cast) -> None:
    text = (await get(cast.coach_a, "/alerts?rule=stuck")).text
    assert names_in(text) == {MINE[1]}
    assert "Signs in, but has solved nothing for 5 active days" in text
    assert "Sit with them on one challenge" in text and "30 d ago" in text
    assert re.search(r'Open <span class="count">1</span>', text)


async def test_filters_and_counts_agree_with_the_rows(cast: Cast) -> None:
    for query, names in {
        "": set(MINE), "?group=people": set(MINE), "?group=access": set(), "?rule=inactive": {MINE[0]},
        "?rule=inactive&owner=me": set(), "?owner=nobody": set(MINE), "?division=college": set(),
        f"?team={cast.team_a}": set(MINE),
    }.items():
        text = (await get(cast.coach_a, f"/alerts{query}")).text
        assert names_in(text) == names, query
        assert f'Open <span class="count">{len(names)}</span>' in text, query


@pytest.mark.parametrize("query", ["rule=x", "state=x", "owner=x", "cursor=x", "group=x", "team=x", "format=pdf",
                                   "cursor=WyJhbGVydHMiLGZhbHNlLDAsIngiLCJ5Il0"])
async def test_a_bad_value_shows_the_default_and_a_notice(cast: Cast, query: str) -> None:
    response = await get(cast.coach_a, f"/alerts?{query}")
    assert response.status_code == 200 and f"“{query.split('=')[0]}”" in response.text


async def test_the_list_goes_on_by_cursor_and_back(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.queries.alerts.get_page.__kwdefaults__", {"size": 1})
    first = (await get(cast.coach_a, "/alerts")).text
    (url,) = re.findall(r'id="page-next" href="([^"]+)"', first)
    second = (await get(cast.coach_a, url.replace("&amp;", "&"))).text
    assert names_in(first) | names_in(second) == set(MINE) and not names_in(first) & names_in(second)
    (back,) = re.findall(r'id="page-previous" href="([^"]+)"', second)
    assert names_in((await get(cast.coach_a, back.replace("&amp;", "&"))).text) == names_in(first)


async def test_taking_one_shows_who_has_it_and_leaves_its_traces(cast: Cast) -> None:
    alert_id = await alert_id_of("Ada")
    answer = await act(cast.coach_a, {"do": f"take {alert_id}"}, "?rule=inactive")
    assert (answer.status_code, answer.headers["location"]) == (303, "/alerts?rule=inactive&done=take")
    await act(cast.coach_a, {"do": f"take {alert_id}"})
    assert names_in((await get(cast.coach_a, "/alerts?owner=me")).text) == {MINE[0]}
    assert await database.fetchval("select count(*) from audit_log where action = 'alert.taken'") == 1
    assert await database.fetchval("select count(*) from activity_events where kind = 'alert_taken'") == 1
    await act(cast.coach_b, {"do": f"back {alert_id}"})
    assert names_in((await get(cast.coach_a, "/alerts?owner=me")).text) == {MINE[0]}
    await act(cast.coach_a, {"do": f"back {alert_id}"})
    assert names_in((await get(cast.coach_a, "/alerts?owner=me")).text) == set()


async def test_a_selection_is_put_aside_until_a_day_or_until_the_cause_is_gone(cast: Cast) -> None:
    chosen = [str(await alert_id_of(name)) for name in ("Ada", "Aron")]
    assert (await act(cast.coach_a, {"do": "week", "alert": chosen})).status_code == 303
    assert names_in((await get(cast.coach_a, "/alerts")).text) == set()
    assert names_in((await get(cast.coach_a, "/alerts?state=snoozed")).text) == set(MINE)
    assert (await evaluate()).opened == 0
    await act(cast.coach_a, {"do": f"wake {chosen[0]}"})
    assert names_in((await get(cast.coach_a, "/alerts")).text) == {MINE[0]}
    await database.execute("update alerts set snoozed_until = now() - interval '1 second'")
    assert names_in((await get(cast.coach_a, "/alerts")).text) == set(MINE)


@pytest.mark.parametrize(("until", "words"), [
    ("", "Choose the day"), ("2020-01-01", "still to come"), ("2999-01-01", "within a year"), ("x", "Choose the day"),
])
async def test_a_day_that_cannot_be_meant_is_refused_in_place(cast: Cast, until: str, words: str) -> None:
    answer = await act(cast.coach_a, {"do": "until", "alert": [str(await alert_id_of("Ada"))], "until": until})
    assert answer.status_code == 422 and words in answer.text
    assert names_in((await get(cast.coach_a, "/alerts")).text) == set(MINE)


async def test_nothing_is_done_about_a_foreign_alert(cast: Cast) -> None:
    foreign = await alert_id_of("Bea")
    for data in ({"do": f"take {foreign}"}, {"do": "week", "alert": [str(await alert_id_of("Ada")), str(foreign)]},
                 {"do": f"take {uuid4()}"}, {"do": "take x"}):
        assert (await act(cast.coach_a, dict(data))).status_code == 404
    assert await database.fetchval("select count(*) from audit_log where action like 'alert%'") == 0
    assert (await act(cast.coach_a, {"do": "take"})).status_code == 422


async def test_stale_data_is_shown_as_unknown_with_its_age(cast: Cast) -> None:
    await database.execute("update game_platform_sync_state set last_success_at = now() - interval '3 days'")
    await evaluate()
    text = (await get(cast.coach_a, "/alerts?state=unknown")).text
    assert names_in(text) == set(MINE) and "was: inactive; data from" in text and "3 d ago" in text
    assert "Stale data" in (await get(cast.coach_a, "/alerts")).text


async def test_the_file_has_the_rows_of_the_filter_and_says_whose_data_left(cast: Cast) -> None:
    response = await get(cast.coach_a, "/alerts?rule=stuck&format=csv")
    assert response.headers["content-type"].startswith("text/csv")
    (row,) = csv.DictReader(io.StringIO(response.text.removeprefix("\ufeff")))
    assert (row["name"], row["rule"], row["state"], row["team"]) == (MINE[1], "Stuck", "Open", "Firewall")
    who = await database.fetch("select competitor_id from disclosure_log where purpose = 'alerts export'")
    stuck = await database.fetchval("select id from competitors where first_name = 'Aron'")
    assert [r["competitor_id"] for r in who] == [stuck]
    assert (await alert_of(stuck, "stuck"))["state"] == "open"


async def test_while_presenting_no_name_is_on_the_page_or_in_the_file(cast: Cast) -> None:
    async with await client_for(cast.coach_a) as client:
        await client.post("/presenting", data={"present": "on", "next": "/alerts"})
        for query in ("", "?format=csv"):
            text = (await client.get(f"/alerts{query}")).text
            assert names_in(text) == set() and "Competitor" in text


async def test_a_page_that_is_up_to_date_is_not_sent_again(cast: Cast) -> None:
    text = (await get(cast.coach_a, "/alerts")).text
    (url,) = re.findall(r'hx-get="(/alerts\?[^"]*seen=[^"]+)"', text)
    assert (await get(cast.coach_a, url.replace("&amp;", "&"), headers=PARTIAL)).status_code == 204


async def test_without_alerts_the_page_says_so(cast: Cast) -> None:
    await database.execute("delete from alerts")
    await database.execute("update job_runs set finished_at = null, state = 'running'")
    never = (await get(cast.coach_a, "/alerts")).text
    assert "Nobody has been looked at yet." in never and "Nothing to act on." not in never
    await database.execute("update job_runs set finished_at = now(), state = 'succeeded'")
    assert "Nothing to act on." in (await get(cast.coach_a, "/alerts")).text
    assert "Clear all filters" in (await get(cast.coach_a, "/alerts?rule=stuck")).text


async def test_the_page_says_when_the_causes_were_looked_at(cast: Cast) -> None:
    assert "Nobody has been looked at yet" in (await get(cast.coach_a, "/alerts")).text
    finish = "update job_runs set state = 'succeeded', finished_at = now() - $1::interval"
    await database.execute(finish, timedelta(minutes=4))
    text = (await get(cast.coach_a, "/alerts")).text
    assert "4 min ago" in text and "Late:" not in text
    await database.execute(finish, timedelta(minutes=40))
    assert "promised every 5 minutes" in (await get(cast.coach_a, "/alerts")).text


async def test_the_overviews_cards_hold_what_the_list_does(cast: Cast) -> None:
    text = (await get(cast.coach_a, "/")).text
    assert names_in(text) >= set(MINE) and not names_in(text) & set(FOREIGN)
    assert re.search(r'href="/alerts\?group=people">all 2<', text)
    assert re.search(r'href="/alerts\?group=access">all 1<', (await get(cast.coach_b, "/")).text)
