import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app import database
from app.domain.readers import Reader, Sight
from app.security import sessions
from tests.cast import Cast, make_cast, make_organization
from tests.clients import client_for


@pytest.fixture
async def cast() -> Cast:
    return await make_cast()


async def reader_of(token: str) -> Reader | None:
    return (await sessions.read_session(token))[1]


async def open_for(user_id: Any) -> str:
    return await sessions.open_session(user_id, address="203.0.113.7", user_agent="Firefox")


async def age(what: str, interval: str) -> None:
    await database.execute(f"update sessions set {what} = {what} - interval '{interval}'")


async def test_a_reader_is_all_that_a_page_needs(cast: Cast) -> None:
    await database.execute(
        "insert into team_assistants (team_id, user_id) values ($1, $2)", cast.team_b, cast.coach_a.id
    )
    await database.execute("update organizations set time_zone = 'America/Chicago'")
    reader = await reader_of(await open_for(cast.coach_a.id))
    assert reader == Reader(
        user_id=cast.coach_a.id, session_id=await database.fetchval("select id from sessions"), role="coach",
        name="Ada Alder", time_zone="America/Chicago", theme="system", organization_ids=(cast.organization_id,),
        sight=Sight(coach_id=cast.coach_a.id, assisted_team_ids=(cast.team_b,)),
    )


async def test_ones_own_time_zone_comes_before_the_organizations(cast: Cast) -> None:
    await database.execute("update users set time_zone = 'Asia/Tokyo' where id = $1", cast.coach_a.id)
    reader = await reader_of(await open_for(cast.coach_a.id))
    assert reader and reader.time_zone == "Asia/Tokyo"


async def test_an_admin_sees_everyone_in_every_organization_their_own_first(cast: Cast) -> None:
    other = await make_organization("Aaa League")
    reader = await reader_of(await open_for(cast.admin.id))
    assert reader and reader.sight.sees_everyone and reader.organization_ids == (cast.organization_id, other)


async def test_a_coach_belongs_only_where_they_were_added(cast: Cast) -> None:
    await make_organization("Aaa League")
    reader = await reader_of(await open_for(cast.coach_a.id))
    assert reader and reader.organization_ids == (cast.organization_id,) and not reader.sight.sees_everyone


async def test_reading_a_session_is_one_query_and_no_write(cast: Cast) -> None:
    token = await open_for(cast.coach_a.id)
    seen: list[str] = []
    before = await database.fetchrow("select xmin, * from sessions")
    async with database.transaction(), database.connection() as borrowed:
        with borrowed.query_logger(lambda query: seen.append(query.query)):
            await sessions.read_session(token)
    assert len(seen) == 1 and "from sessions" in seen[0]
    assert await database.fetchrow("select xmin, * from sessions") == before


async def test_last_seen_is_written_at_most_every_five_minutes(cast: Cast) -> None:
    token = await open_for(cast.coach_a.id)
    await age("last_seen_at", "4 minutes")
    before = await database.fetchval("select last_seen_at from sessions")
    await sessions.read_session(token)
    assert await database.fetchval("select last_seen_at from sessions") == before
    await age("last_seen_at", "2 minutes")
    await sessions.read_session(token)
    assert datetime.now(UTC) - await database.fetchval("select last_seen_at from sessions") < timedelta(minutes=1)


@pytest.mark.parametrize(
    ("who", "idle", "still_in"),
    [
        ("coach_a", "13 days 23 hours", True), ("coach_a", "14 days 1 minute", False),
        ("admin", "11 hours", True), ("admin", "12 hours 1 minute", False),
    ],
)
async def test_an_idle_session_ends(cast: Cast, who: str, idle: str, still_in: bool) -> None:
    token = await open_for(getattr(cast, who).id)
    await age("last_seen_at", idle)
    assert (await reader_of(token) is not None) is still_in


async def test_a_session_ends_after_thirty_days_however_busy(cast: Cast) -> None:
    token = await open_for(cast.coach_a.id)
    expires_at = await database.fetchval("select expires_at from sessions")
    assert timedelta(days=29, hours=23) < expires_at - datetime.now(UTC) <= timedelta(days=30)
    await age("expires_at", "30 days")
    assert await reader_of(token) is None


async def test_a_disabled_person_is_nobody(cast: Cast) -> None:
    token = await open_for(cast.coach_a.id)
    await database.execute("update users set disabled_at = now() where id = $1", cast.coach_a.id)
    assert await sessions.read_session(token) == (None, None)


@pytest.mark.parametrize("token", ["", "unknown", "x" * 5000, "\udcff", "'; drop table sessions"])
async def test_an_unknown_token_is_nobody(cast: Cast, token: str) -> None:
    await open_for(cast.coach_a.id)
    assert await sessions.read_session(token) == (None, None)


async def test_without_the_second_factor_a_session_reads_nothing_and_soon_ends(cast: Cast) -> None:
    token = await sessions.open_session(cast.coach_a.id, address="", user_agent="", second_factor_passed=False)
    session, reader = await sessions.read_session(token)
    assert session and not session.second_factor_passed and reader is None
    assert await database.fetchval("select expires_at - now() <= interval '10 minutes' from sessions")


async def test_somebody_elses_session_cannot_be_ended(cast: Cast) -> None:
    mine, theirs = await open_for(cast.coach_a.id), await open_for(cast.coach_b.id)
    reader, other = await reader_of(mine), await reader_of(theirs)
    assert reader and other
    assert not await sessions.end_session(reader, other.session_id)
    assert await reader_of(theirs) is not None
    assert await database.fetchval("select count(*) from audit_log") == 0


async def test_two_requests_at_once_lose_nothing(cast: Cast) -> None:
    async with await client_for(cast.coach_a) as browser:
        await age("last_seen_at", "1 hour")
        answers = await asyncio.gather(*(browser.get("/settings") for _ in range(10)))
        assert {answer.status_code for answer in answers} == {200}
        assert await database.fetchval("select count(*) from sessions") == 1


async def test_what_is_open_to_everybody_does_not_ask_who_it_is(cast: Cast) -> None:
    async with await client_for(cast.coach_a) as browser:
        await age("last_seen_at", "1 hour")
        await browser.get("/robots.txt")
        assert await database.fetchval("select last_seen_at < now() - interval '59 minutes' from sessions")
        await browser.get("/settings")
        assert await database.fetchval("select last_seen_at > now() - interval '1 minute' from sessions")


async def test_a_long_user_agent_is_cut(cast: Cast) -> None:
    await sessions.open_session(cast.coach_a.id, address="", user_agent="x" * 10_000 + "\0")
    assert await database.fetchval("select length(user_agent) from sessions") == sessions.MAX_USER_AGENT_CHARACTERS
