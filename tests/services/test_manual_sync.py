"""Syncs asked for by hand: one at a time, only of the reader's own, and never of whoever has no account."""

import asyncio
import json
from uuid import UUID

import pytest

from app import database
from app.domain.readers import Reader, Sight
from app.services.flags import set_flag
from app.services.manual_sync import SyncRefused, last_asked, sync_now
from tests.cast import Cast, Person, make_cast, make_competitor


@pytest.fixture
async def cast() -> Cast:
    await set_flag("game_platform", True, organization_id=None, actor=None, actor_label="test")
    return await make_cast()


def reader(person: Person) -> Reader:
    sight = Sight(coach_id=person.id)
    return Reader(person.id, person.id, person.role, "Ada", "UTC", "system", (person.organization_id,), sight)


async def asked_for() -> list[list[UUID]]:
    rows = await database.fetch("select payload from job_runs where kind = 'game_platform_sync' order by queued_at")
    return [[UUID(each) for each in json.loads(row["payload"])["competitor_ids"]] for row in rows]


async def test_two_who_click_at_once_get_one_run(cast: Cast) -> None:
    ada = await make_competitor(cast.coach_a, "Ada Prime")
    asked = await asyncio.gather(*(sync_now(reader(cast.coach_a), [ada]) for _ in range(4)))
    assert len({each.run_id for each in asked}) == 1 and sorted(each.is_new for each in asked) == [False] * 3 + [True]
    assert await asked_for() == [[ada]]


async def test_only_the_readers_own_who_have_an_account_are_read(cast: Cast) -> None:
    ada = await make_competitor(cast.coach_a, "Ada Prime")
    new = await make_competitor(cast.coach_a, "New Comer", status="profile")
    bea = await make_competitor(cast.coach_b, "Bea Secret")
    await sync_now(reader(cast.coach_a), [bea, new, ada])
    assert await asked_for() == [[ada]]
    for nobody in ([], [bea], [new]):
        with pytest.raises(SyncRefused, match="nothing to read"):
            await sync_now(reader(cast.coach_a), nobody)


async def test_how_often_one_may_ask_is_the_organizations_to_set(cast: Cast) -> None:
    await database.execute("update organizations set syncs_per_hour = 1, sync_pause_minutes = 1")
    ada, ben = [await make_competitor(cast.coach_a, name) for name in ("Ada Prime", "Ben Prime")]
    await sync_now(reader(cast.coach_a), [ada])
    await database.execute("update job_runs set state = 'succeeded'")
    with pytest.raises(SyncRefused, match="in the last minute"):
        await sync_now(reader(cast.coach_a), [ada])
    with pytest.raises(SyncRefused, match="many syncs"):
        await sync_now(reader(cast.coach_a), [ben])
    await database.execute("update organizations set syncs_per_hour = 2")
    assert (await sync_now(reader(cast.coach_a), [ben])).is_new


async def test_what_came_of_it_is_known_for_a_day(cast: Cast) -> None:
    ada = await make_competitor(cast.coach_a, "Ada Prime")
    assert await last_asked([ada]) is None and await last_asked([]) is None
    await sync_now(reader(cast.coach_a), [ada])
    await database.execute("""update job_runs set state = 'succeeded', result = '{"new_solves": 4}'""")
    found = await last_asked([ada])
    assert found and (found.state, found.new_solves) == ("succeeded", 4)
    await database.execute("update job_runs set queued_at = now() - interval '25 hours'")
    assert await last_asked([ada]) is None


async def test_a_refused_wish_leaves_no_run_and_no_trace(cast: Cast) -> None:
    ada = await make_competitor(cast.coach_a, "Ada Prime")
    await set_flag(
        "game_platform.score_ingestion", False, organization_id=cast.organization_id, actor=None, actor_label="test"
    )
    with pytest.raises(SyncRefused, match="switched off"):
        await sync_now(reader(cast.coach_a), [ada])
    assert await asked_for() == []
    assert await database.fetchval("select count(*) from audit_log where action = 'sync.asked'") == 0
