"""/competitors/duplicates: pairs, their merge and its undoing, and nobody else's people."""

import re
from uuid import UUID, uuid4

import httpx
import pytest

from app import database
from app.services import standings
from tests.cast import Cast, Person, make_cast, make_competitor
from tests.clients import client_for, stranger

PATH = "/competitors/duplicates"


@pytest.fixture
async def cast() -> Cast:
    return await make_cast()


@pytest.fixture
async def pair(cast: Cast) -> tuple[UUID, UUID]:
    """The first has an account and a team, the second only an e-mail that differs."""
    return (
        await make_competitor(cast.coach_a, "Jonathan Smith", team_id=cast.team_a),
        await make_competitor(cast.coach_a, "Jon Smith", status="profile"),
    )


async def get(person: Person, path: str = PATH) -> httpx.Response:
    async with await client_for(person) as client:
        return await client.get(path)


async def post(person: Person, action: str, **form: object) -> httpx.Response:
    async with await client_for(person) as client:
        return await client.post(f"{PATH}/{action}", data={name: str(value) for name, value in form.items()})


def pairs_in(text: str) -> int:
    return text.count('class="pair-actions"')


async def archived() -> set[UUID]:
    rows = await database.fetch("select id from competitors where archived_at is not null")
    return {row["id"] for row in rows}


async def test_without_a_pair_the_page_says_what_would_be_here(cast: Cast) -> None:
    await make_competitor(cast.coach_a, "Jon Smith")
    text = (await get(cast.coach_a)).text
    assert "Nobody is here twice." in text and "Merged so far" not in text


@pytest.mark.parametrize("is_refreshed", [False, True])
async def test_pairs_are_found_by_mail_name_and_link(cast: Cast, is_refreshed: bool) -> None:
    names = ("José Marsh", "Jose Marsh", "Lee Ann", "Ann Lee", "Al Stone", "Albert Stone", "Odd One", "Other Two")
    ids = [await make_competitor(cast.coach_a, name) for name in names]
    await database.execute("update competitors set email = 'Same@Example.org' where id = $1", ids[6])
    await database.execute("update competitors set email = 'same@example.org' where id = $1", ids[7])
    await database.execute("update competitors set user_id = $1 where id = any($2)", cast.player.id, [ids[0], ids[4]])
    if is_refreshed:
        await standings.refresh_stale()
    text = (await get(cast.coach_a)).text
    reasons = re.findall(r'<span class="reasons">([^<]*)</span>', text)
    expected = ["linked to the same person", "same e-mail", "first and last name swapped",
                "same last name, one first name begins with the other"]
    if is_refreshed:
        expected.append("same name")
    assert sorted(reasons) == sorted(expected)
    assert reasons[0] in expected[:2] and text.index("</span>Certain") < text.index("</span>Possible")


async def test_a_coach_sees_only_pairs_of_their_own_and_an_admin_all(cast: Cast, pair: tuple[UUID, UUID]) -> None:
    foreign = await make_competitor(cast.coach_b, "Jonathan Smith")
    assert pairs_in((await get(cast.coach_a)).text) == 1
    assert pairs_in((await get(cast.coach_b)).text) == 0
    assert pairs_in((await get(cast.admin)).text) == 3
    for first, second in ((pair[0], foreign), (foreign, pair[0]), (pair[0], uuid4()), (pair[0], "x"), ("", "")):
        assert (await get(cast.coach_a, f"{PATH}/merge?kept={first}&gone={second}")).status_code == 404
        assert (await post(cast.coach_a, "merge", kept=first, gone=second)).status_code == 404
        assert (await post(cast.coach_a, "apart", first=first, second=second)).status_code == 404
    assert await archived() == set()


async def test_strangers_and_players_are_refused(cast: Cast, pair: tuple[UUID, UUID]) -> None:
    async with await client_for(cast.player) as player, stranger() as nobody:
        for path in (PATH, f"{PATH}/merge?kept={pair[0]}&gone={pair[1]}"):
            assert (await player.get(path)).status_code == 403
            assert (await nobody.get(path)).status_code == 303
        htmx = await nobody.get(PATH, headers={"HX-Request": "true", "HX-Request-Type": "partial"})
        assert "HX-Redirect" in htmx.headers
        for action in ("merge", "apart", "undo"):
            assert (await player.post(f"{PATH}/{action}")).status_code == 403
            assert (await nobody.post(f"{PATH}/{action}")).status_code == 303


async def test_the_better_record_is_kept_unless_somebody_says_otherwise(cast: Cast, pair: tuple[UUID, UUID]) -> None:
    full, poor = pair
    for query in (f"kept={full}&gone={poor}", f"kept={poor}&gone={full}"):
        assert f'name="kept" value="{full}"' in (await get(cast.coach_a, f"{PATH}/merge?{query}")).text
    turned = (await get(cast.coach_a, f"{PATH}/merge?kept={poor}&gone={full}&keep=first")).text
    assert f'name="kept" value="{poor}"' in turned and "its 0 solves go to the kept record" in turned


async def test_two_records_become_one_and_two_again(cast: Cast, pair: tuple[UUID, UUID]) -> None:
    kept, gone = pair
    answer = await post(cast.coach_a, "merge", kept=kept, gone=gone, first_name="gone", email="kept")
    assert (answer.status_code, answer.headers["location"]) == (303, f"{PATH}?done=merged")
    assert await archived() == {gone}
    assert await database.fetchval("select first_name from competitors where id = $1", kept) == "Jon"
    text = (await get(cast.coach_a, answer.headers["location"])).text
    assert "The two records are one now." in text and pairs_in(text) == 0 and "Merged so far" in text
    merge_id = re.findall(r'name="merge" value="([^"]+)"', text)[0]
    assert (await post(cast.coach_b, "undo", merge=merge_id)).status_code == 404
    assert (await post(cast.coach_a, "undo", merge=merge_id)).headers["location"] == f"{PATH}?done=undone"
    assert await archived() == set()
    text = (await get(cast.coach_a)).text
    assert pairs_in(text) == 1 and ">undone <time" in text and 'name="merge"' not in text


async def test_an_undo_that_would_lose_an_edit_says_so(cast: Cast, pair: tuple[UUID, UUID]) -> None:
    await post(cast.coach_a, "merge", kept=pair[0], gone=pair[1])
    merge_id = await database.fetchval("select id from merges")
    await database.execute("update competitors set grade = '12' where id = $1", pair[0])
    answer = await post(cast.coach_a, "undo", merge=merge_id)
    assert answer.status_code == 422 and "differs from what it made: grade" in answer.text
    for nothing in ("", "x", uuid4()):
        assert (await post(cast.coach_a, "undo", merge=nothing)).status_code == 404


async def test_a_refused_merge_keeps_what_was_chosen(cast: Cast, pair: tuple[UUID, UUID]) -> None:
    await database.execute("update competitors set division = 'college' where id = $1", pair[1])
    answer = await post(cast.coach_a, "merge", kept=pair[0], gone=pair[1], division="gone")
    assert answer.status_code == 422 and "Firewall plays in another division" in answer.text
    assert 'name="division" value="gone" checked' in answer.text and await archived() == set()


async def test_different_people_are_not_shown_again(cast: Cast, pair: tuple[UUID, UUID]) -> None:
    for first, second in (pair, pair[::-1]):
        assert (await post(cast.coach_a, "apart", first=first, second=second)).status_code == 303
    assert pairs_in((await get(cast.coach_a)).text) == 0
    assert await database.fetchval("select count(*) from audit_log where action = 'competitors.set_apart'") == 1


async def test_the_file_holds_the_pairs_of_the_page_and_is_written_down(cast: Cast, pair: tuple[UUID, UUID]) -> None:
    await database.execute("update competitors set last_name = '=Smith'")
    answer = await get(cast.coach_a, f"{PATH}?format=csv")
    lines = answer.text.lstrip("\ufeff").splitlines()
    assert len(lines) == 2 and "Jonathan =Smith" in lines[1] and "@" not in answer.text
    told = await database.fetch("select competitor_id from disclosure_log where purpose = 'duplicates export'")
    assert {row["competitor_id"] for row in told} == set(pair)


async def test_mails_are_for_the_coach_and_names_hidden_while_presenting(cast: Cast, pair: tuple[UUID, UUID]) -> None:
    path = f"{PATH}/merge?kept={pair[0]}&gone={pair[1]}"
    email = await database.fetchval("select email from competitors where id = $1", pair[0])
    assert email in (await get(cast.coach_a, path)).text
    assert email not in (await get(cast.admin, path)).text
    async with await client_for(cast.coach_a) as client:
        await database.execute("update sessions set is_presenting = true")
        shown = (await client.get(PATH)).text + (await client.get(path)).text + \
            (await client.get(f"{PATH}?format=csv")).text
    assert "Smith" not in shown and "Jon" not in shown and email not in shown


async def test_a_form_without_its_token_changes_nothing(cast: Cast, pair: tuple[UUID, UUID]) -> None:
    async with await client_for(cast.coach_a) as client:
        del client.headers["x-csrftoken"]
        answer = await client.post(f"{PATH}/merge", data={"kept": str(pair[0]), "gone": str(pair[1])})
    assert answer.status_code == 403 and await archived() == set()


async def test_the_page_costs_the_same_few_queries_however_many_pairs(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    statements: list[str] = []
    real = database.fetch

    async def counted(sql: str, *arguments: object) -> object:
        statements.append(sql)
        return await real(sql, *arguments)

    monkeypatch.setattr(database, "fetch", counted)
    counts = []
    for number in (2, 30):
        for _ in range(number):
            await make_competitor(cast.coach_a, "Jon Smith")
        statements.clear()
        shown = await get(cast.coach_a)
        counts.append(len(statements))
    assert counts[0] == counts[1] <= 6
    assert pairs_in(shown.text) == 100 and "The 100 surest of 496." in shown.text


async def test_a_merged_record_says_which_one_goes_on(cast: Cast, pair: tuple[UUID, UUID]) -> None:
    kept, gone = pair
    before = (await get(cast.coach_a, f"/competitors/{gone}")).text
    await post(cast.coach_a, "merge", kept=kept, gone=gone)
    text = (await get(cast.coach_a, f"/competitors/{gone}")).text
    assert "This record was merged" not in before
    assert f'<a href="/competitors/{kept}">Jonathan Smith</a> goes on.' in text
    await post(cast.coach_a, "undo", merge=await database.fetchval("select id from merges"))
    assert "This record was merged" not in (await get(cast.coach_a, f"/competitors/{gone}")).text
