"""/admin/drift: the list of differences, and what an admin does about one."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import httpx
import pytest

from app import database
from tests.cast import Cast, make_cast, make_competitor
from tests.clients import client_for, stranger

PAGE = "/admin/drift"
SOON = (datetime.now(UTC) + timedelta(days=7)).date().isoformat()


@pytest.fixture
async def cast() -> Cast:
    return await make_cast()


@pytest.fixture
async def on_a_team(cast: Cast) -> UUID:
    """Ana is on a team with us and on none there."""
    return await add(cast, "team", ours=str(cast.team_a))


async def add(
    cast: Cast, field: str, *, ours: str | None = None, theirs: str | None = None, name: str = "Ana Ash"
) -> UUID:
    competitor_id = await make_competitor(cast.coach_a, name, team_id=cast.team_a)
    row: UUID = await database.fetchval(
        """insert into drift (organization_id, competitor_id, subject_type, subject_id, field, ours, theirs)
           values ($1, $2::uuid, 'competitor', $2::uuid::text, $3, $4, $5) returning id""",
        cast.organization_id, competitor_id, field, ours, theirs,
    )
    return row


async def add_stranger() -> UUID:
    row: UUID = await database.fetchval(
        """insert into drift (subject_type, subject_id, field, theirs) values ('stranger', 'who-1', 'team', 't')
           returning id"""
    )
    return row


async def show(cast: Cast, query: str = "") -> str:
    async with await client_for(cast.admin) as browser:
        answer = await browser.get(f"{PAGE}{query}")
    assert answer.status_code == 200 and "no-store" in answer.headers["cache-control"]
    return answer.text


async def act(cast: Cast, row_id: UUID, do: str, until: str = "", query: str = "") -> httpx.Response:
    async with await client_for(cast.admin) as browser:
        return await browser.post(f"{PAGE}/{row_id}{query}", data={"do": do, "until": until})


async def state_of(row_id: UUID) -> str:
    return str(await database.fetchval("select state from drift where id = $1", row_id))


async def test_an_admin_sees_both_sides_and_what_can_be_done(cast: Cast, on_a_team: UUID) -> None:
    text = await show(cast)
    row = text[text.index(f'id="drift-{on_a_team}"'):]
    for part in ("Ana Ash", "Firewall", "no team", "not known", "Push ours", "Accept theirs", "Ignore until"):
        assert part in row
    assert f'href="{PAGE}" aria-current="page"' in text
    assert 'Open <span class="count">1</span>' in text and 'Ignored <span class="count">0</span>' in text


async def test_coaches_and_strangers_have_no_way_there(cast: Cast, on_a_team: UUID) -> None:
    async with await client_for(cast.coach_a) as browser:
        assert (await browser.get(PAGE)).status_code == 403
        assert (await browser.post(f"{PAGE}/{on_a_team}", data={"do": "push"})).status_code == 403
        assert f'href="{PAGE}"' not in (await browser.get("/settings")).text
    async with stranger() as browser:
        assert (await browser.get(PAGE)).status_code == 303
    assert await state_of(on_a_team) == "open"


async def test_ours_is_pushed(cast: Cast, on_a_team: UUID) -> None:
    answer = await act(cast, on_a_team, "push", query="?field=team")
    assert (answer.status_code, answer.headers["location"]) == (303, f"{PAGE}?field=team&done=push")
    assert await state_of(on_a_team) == "resolved"
    assert await database.fetchval("select kind from outbox") == "membership"
    assert await database.fetchval("select actor_id from audit_log where action = 'drift.pushed'") == cast.admin.id
    assert "on its way" in await show(cast, "?done=push") and "Ana Ash" in await show(cast, "?state=resolved")


async def test_theirs_is_accepted(cast: Cast) -> None:
    row_id = await add(cast, "username", ours="old", theirs="new")
    assert (await act(cast, row_id, "accept")).headers["location"] == f"{PAGE}?done=accept"
    assert await database.fetchval("select metactf_username from competitors where first_name = 'Ana'") == "new"
    assert await state_of(row_id) == "resolved"


async def test_a_difference_is_ignored_until_a_day(cast: Cast, on_a_team: UUID) -> None:
    assert (await act(cast, on_a_team, "ignore", SOON)).status_code == 303
    assert await state_of(on_a_team) == "ignored"
    assert "Nothing is open." in await show(cast) and "Ana Ash" in await show(cast, "?state=ignored")


@pytest.mark.parametrize(("do", "until", "why"), [
    ("ignore", "", "Choose the day"), ("ignore", "0001-01-01", "Choose the day"), ("ignore", "٣", "Choose the day"),
    ("ignore", "2020-01-01", "still to come"), ("erase", "", "Choose to push ours"), ("", "", "Choose to push ours"),
])
async def test_a_bad_value_is_said_and_changes_nothing(
    cast: Cast, on_a_team: UUID, do: str, until: str, why: str
) -> None:
    answer = await act(cast, on_a_team, do, until)
    assert answer.status_code == 422 and "Nothing was changed." in answer.text and why in answer.text
    assert await state_of(on_a_team) == "open" and await database.fetchval("select count(*) from audit_log") == 0


async def test_a_refused_action_says_why(cast: Cast) -> None:
    row_id = await add_stranger()
    assert "left alone there" in await show(cast) and 'value="push"' not in await show(cast)
    for do in ("push", "accept"):
        answer = await act(cast, row_id, do)
        assert answer.status_code == 422 and answer.text.count("left alone there") == 2
    assert await state_of(row_id) == "open"


async def test_a_settled_difference_says_so_and_an_unknown_one_is_not_found(cast: Cast, on_a_team: UUID) -> None:
    await act(cast, on_a_team, "push")
    answer = await act(cast, on_a_team, "accept")
    assert answer.status_code == 422 and "settled already" in answer.text
    assert (await act(cast, uuid4(), "push")).status_code == 404


async def test_a_form_without_its_token_changes_nothing(cast: Cast, on_a_team: UUID) -> None:
    async with await client_for(cast.admin) as browser:
        del browser.headers["x-csrftoken"]
        answer = await browser.post(f"{PAGE}/{on_a_team}", data={"do": "push"})
    assert answer.status_code == 403 and await state_of(on_a_team) == "open"


async def test_filters_narrow_the_list_and_bad_ones_are_named(cast: Cast, on_a_team: UUID) -> None:
    await add(cast, "username", ours="old", theirs="new", name="Bo Beech")
    text = await show(cast, "?field=username&subject=competitor")
    assert "Bo Beech" in text and "Ana Ash" not in text and "Clear all" in text
    text = await show(cast, "?field=shoes&state=gone&subject=x&page=-1")
    assert "Bo Beech" in text and "Ana Ash" in text
    for name in ("field", "state", "subject", "page"):
        assert f"“{name}”" in text
    assert "No difference matches" in await show(cast, "?field=points")
    assert "First page" in await show(cast, "?page=99")


@pytest.mark.parametrize(("age", "says"), [(timedelta(0), "data from"), (timedelta(hours=3), "Late:")])
async def test_the_page_says_how_old_it_is(cast: Cast, age: timedelta, says: str) -> None:
    await database.execute(
        """insert into job_runs (kind, state, payload, result, started_at, trigger)
           values ('game_platform_roster_reconcile', 'succeeded', '{}', '{"complete": 1}', $1, 'schedule')""",
        datetime.now(UTC) - age,
    )
    text = await show(cast)
    assert says in text and "Both sides agree." in text and ("Late:" in text) == (says == "Late:")


async def test_before_the_first_look_nothing_is_known(cast: Cast) -> None:
    text = await show(cast)
    assert "Nothing is known yet." in text and "not been compared in full yet" in text
    assert "Nothing is ignored." in await show(cast, "?state=ignored")
    assert "Nothing has been resolved yet." in await show(cast, "?state=resolved")
