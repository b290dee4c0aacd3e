"""The read model: ranks as plain Python would give them, written only where they differ, never losing a mark."""

import asyncio
import random
from collections.abc import Callable, Coroutine
from contextvars import Context
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from app import database
from app.domain import windows
from app.services import standings, standings_sql
from tests.cast import Cast, make_cast, make_competitor, make_organization, make_team, make_user
from tests.league import ago, refresh, solve, standing
from tests.services.tuples import tuples_written, written_between


@pytest.fixture
async def cast() -> Cast:
    return await make_cast()


async def version(organization_id: UUID) -> int:
    return int(
        await database.fetchval("select version from standing_versions where organization_id = $1", organization_id)
    )


async def written_by(work: Coroutine[Any, Any, None]) -> dict[str, int]:
    before = await tuples_written()
    await work
    return written_between(before, await tuples_written())


def better(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """The rule as definitions has it: points, then challenges, then the earlier last solve."""
    if one["points"] != other["points"]:
        return bool(one["points"] > other["points"])
    if one["challenges"] != other["challenges"]:
        return bool(one["challenges"] > other["challenges"])
    return one["last"] is not None and (other["last"] is None or one["last"] < other["last"])


def rank(one: dict[str, Any], everybody: list[dict[str, Any]]) -> int:
    return 1 + sum(better(other, one) for other in everybody)


def score(solves: list[tuple[int, datetime, str, str]]) -> dict[str, Any]:
    return {
        "points": sum(points for points, *_ in solves), "challenges": len(solves),
        "last": max((at for _, at, *_ in solves), default=None),
    }


@pytest.mark.parametrize("seed", range(4))
async def test_ranks_gains_and_scopes_are_those_of_a_plain_count(cast: Cast, seed: int) -> None:
    chance = random.Random(seed)
    moments = [ago(days=days, hours=1) for days in (1, 1, 5, 12, 25, 60, 100)]
    people: dict[UUID, list[tuple[int, datetime, str, str]]] = {}
    division: dict[UUID, str] = {}
    for number in range(14):
        kind = chance.choice(["high_school", "college"])
        person = await make_competitor(cast.coach_a, f"Person {number}", division=kind)
        division[person] = kind
        people[person] = [
            (chance.choice([50, 100]), chance.choice(moments), chance.choice(["OSINT", "Social"]),
             chance.choice(["odl", "flash_ctf"]))
            for _ in range(chance.randrange(5))
        ]
        for points, at, category, source in people[person]:
            await solve(person, points, at, category=category, source=source)
    await refresh(cast.organization_id)

    now = {person: score(solves) for person, solves in people.items()}
    for person in people:
        peers = [now[other] for other in people if division[other] == division[person]]
        expected: list[object] = [rank(now[person], list(now.values())), rank(now[person], peers)]
        for name in windows.PRESETS:
            start = windows.preset(name, datetime.now(UTC).date(), ZoneInfo("UTC"), 8).starts_at
            before = {other: score([s for s in them if s[1] < start]) for other, them in people.items()}
            expected += [
                now[person]["points"] - before[person]["points"], rank(before[person], list(before.values()))
            ]
        columns = ", ".join(f"gain_{name}, rank_{name}" for name in windows.PRESETS)
        assert await standing(person, f"rank, division_rank, {columns}") == tuple(expected)
        for source, category in (("", "OSINT"), ("odl", ""), ("flash_ctf", "Social")):
            scopes = {
                other: score([s for s in them if source in ("", s[3]) and category in ("", s[2])])
                for other, them in people.items()
            }
            found = await database.fetchrow(
                """select points, challenges, rank from standing_scopes
                   where competitor_id = $1 and source = $2 and category = $3""", person, source, category,
            )
            mine = scopes[person]
            wanted = (mine["points"], mine["challenges"], rank(mine, list(scopes.values())))
            assert (tuple(found) if found else None) == (wanted if mine["challenges"] else None)


async def test_people_without_a_score_or_an_account_share_the_last_rank_with_zeros(cast: Cast) -> None:
    strong = await make_competitor(cast.coach_a, "Strong Person")
    silent = await make_competitor(cast.coach_a, "Silent Person")
    unlinked = await make_competitor(cast.coach_b, "New Person", status="profile")
    await solve(strong, 100, ago(days=1))
    await refresh(cast.organization_id)
    for person in (silent, unlinked):
        assert await standing(person, "rank, points, challenges, spark") == (2, 0, 0, [])


async def test_somebody_archived_vanishes_and_the_others_move_up(cast: Cast) -> None:
    first = await make_competitor(cast.coach_a, "First Person")
    second = await make_competitor(cast.coach_a, "Second Person")
    await solve(first, 200, ago(days=1))
    await solve(second, 100, ago(days=1))
    await refresh(cast.organization_id)
    await database.execute("update competitors set archived_at = now() where id = $1", first)
    await refresh(cast.organization_id)
    assert await standing(second) == (1,)
    for table in ("standings", "standing_scopes"):
        left = await database.fetchval(f"select count(*) from {table} where competitor_id = $1", first)
        assert left == 0, table
    assert await database.fetchval("select max(rank) from standing_scopes") == 1


@pytest.mark.parametrize("zone_name", ["Pacific/Auckland", "America/Los_Angeles", "Asia/Kathmandu"])
async def test_a_window_begins_at_midnight_of_the_organizations_zone(cast: Cast, zone_name: str) -> None:
    await database.execute("update organizations set time_zone = $1", zone_name)
    zone = ZoneInfo(zone_name)
    first_day = datetime.now(zone).date() - timedelta(days=6)
    border = datetime.combine(first_day, datetime.min.time(), tzinfo=zone)
    person = await make_competitor(cast.coach_a, "Border Person")
    await solve(person, 10, border - timedelta(seconds=1))
    await solve(person, 100, border)
    await refresh(cast.organization_id)
    gain_7, gain_14, spark = await standing(person, "gain_7, gain_14, spark")
    assert (gain_7, gain_14) == (100, 110)
    assert isinstance(spark, list) and len(spark) == 30 and spark[22:24] == [10, 100] and sum(spark) == 110


async def test_another_time_zone_moves_the_days_of_the_history(cast: Cast) -> None:
    person = await make_competitor(cast.coach_a, "Travelling Person")
    await solve(person, 50, datetime(2026, 10, 5, 23, 30, tzinfo=UTC))
    days = "select days from standing_histories where competitor_id = $1"
    await refresh(cast.organization_id)
    in_utc = await database.fetchval(days, person)
    await database.execute("update organizations set time_zone = 'Asia/Tokyo'")
    await refresh(cast.organization_id)
    assert await database.fetchval(days, person) == [in_utc[0] + 1]


async def test_the_last_activity_is_the_later_of_solve_and_access(cast: Cast) -> None:
    person = await make_competitor(cast.coach_a, "Reading Person")
    await refresh(cast.organization_id)
    never = await database.fetchval(
        "select last_active_at = '-infinity' from standings where competitor_id = $1", person
    )
    assert never is True
    accessed = ago(hours=2)
    await solve(person, 50, ago(days=3))
    await database.execute("update game_platform_sync_state set last_remote_accessed_at = $1", accessed)
    await refresh(cast.organization_id)
    assert await standing(person, "last_active_at") == (accessed,)


async def test_a_second_refresh_writes_no_standing_and_keeps_the_version(cast: Cast) -> None:
    person = await make_competitor(cast.coach_a, "Steady Person", team_id=cast.team_a)
    await solve(person, 50, ago(days=3))
    await refresh(cast.organization_id)
    before = await version(cast.organization_id)
    written = await written_by(refresh(cast.organization_id))
    assert set(written) <= {"standing_versions"}
    assert await version(cast.organization_id) == before


async def test_only_rows_that_differ_are_written(cast: Cast) -> None:
    people = [await make_competitor(cast.coach_a, f"Person {number}") for number in range(6)]
    for number, person in enumerate(people):
        await solve(person, 100 * (number + 1), ago(days=40))
    await refresh(cast.organization_id)
    before = await version(cast.organization_id)
    await solve(people[5], 1000, ago(days=40))
    written = await written_by(refresh(cast.organization_id))
    assert written["standings"] == 1
    assert await version(cast.organization_id) == before + 1


async def test_a_new_name_is_found_and_sorted_anew(cast: Cast) -> None:
    person = await make_competitor(cast.coach_a, "Zoe Zander", team_id=cast.team_a)
    await refresh(cast.organization_id)
    before = await version(cast.organization_id)
    await database.execute("update competitors set last_name = 'Ábel', metactf_username = 'Quick_Fox'")
    await refresh(cast.organization_id)
    assert await standing(person, "name_key, team_key") == ("abel zoe", "firewall")
    assert await database.fetchval("select words from standings") == "'abel' 'firewall' 'fox' 'quick' 'zoe'"
    assert await version(cast.organization_id) == before + 1


async def test_marking_twice_writes_once(cast: Cast) -> None:
    await refresh(cast.organization_id)

    async def mark() -> None:
        for _ in range(5):
            await standings.mark_stale(cast.organization_id)

    assert await written_by(mark()) == {"standing_versions": 1}


async def test_nothing_stale_means_nothing_done(cast: Cast) -> None:
    await refresh(cast.organization_id)
    assert await standings.refresh_stale() == 0


async def test_a_day_that_turned_is_a_reason_to_refresh(cast: Cast) -> None:
    await refresh(cast.organization_id)
    await database.execute("update standing_versions set computed_on = computed_on - 1")
    assert await standings.refresh_stale() == 1
    assert await standings.refresh_stale() == 0


async def during_the_work(
    monkeypatch: pytest.MonkeyPatch, meanwhile: Callable[[], Coroutine[Any, Any, None]]
) -> int:
    """Runs a refresh; when its rows are computed and before it is finished, something else happens."""
    finish = standings._finish

    async def late(claimed: standings.Claimed, *, is_changed: bool) -> None:
        # A task of its own, outside of the refresh's transaction.
        await asyncio.create_task(meanwhile(), context=Context())
        await finish(claimed, is_changed=is_changed)

    with monkeypatch.context() as patch:
        patch.setattr(standings, "_finish", late)
        return await standings.refresh_stale()


async def test_a_mark_that_arrives_during_a_refresh_is_not_lost_and_does_not_wait(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = await make_competitor(cast.coach_a, "Late Person")
    await standings.mark_stale(cast.organization_id)

    async def solve_and_mark() -> None:
        await solve(person, 70, ago(days=1))
        await asyncio.wait_for(standings.mark_stale(cast.organization_id), 2)

    await during_the_work(monkeypatch, solve_and_mark)
    assert await standing(person, "points") == (0,)
    assert await standings.refresh_stale() == 1
    assert await standing(person, "points") == (70,)


async def test_a_refresh_leaves_a_mark_alone_whose_transaction_is_still_open(cast: Cast) -> None:
    """The mark wrote nothing, because it was stale already; its solve is not yet to be seen."""
    person = await make_competitor(cast.coach_a, "Open Person")
    await standings.mark_stale(cast.organization_id)
    marked, may_commit = asyncio.Event(), asyncio.Event()

    async def ingest() -> None:
        async with database.transaction():
            await solve(person, 70, ago(days=1))
            await standings.mark_stale(cast.organization_id)
            marked.set()
            await may_commit.wait()

    ingestion = asyncio.create_task(ingest())
    await marked.wait()
    assert await standings.refresh_stale() == 0
    may_commit.set()
    await ingestion
    assert await standings.refresh_stale() == 1
    assert await standing(person, "points") == (70,)


async def test_two_processes_share_the_work_and_do_each_organization_once(cast: Cast) -> None:
    for number in range(6):
        await standings.mark_stale(await make_organization(f"League {number}"))
    await make_competitor(cast.coach_a, "One Person")
    counts = await asyncio.gather(*(standings.refresh_stale() for _ in range(4)))
    assert sum(counts) == 7
    versions = await database.fetch("select version from standing_versions order by version")
    assert [row["version"] for row in versions] == [0] * 6 + [1]


async def test_a_refresh_that_failed_is_done_again(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    person = await make_competitor(cast.coach_a, "Patient Person")
    with monkeypatch.context() as patch:
        patch.setattr(standings_sql, "WRITE_STANDINGS", "select 1 / 0")
        with pytest.raises(Exception, match="parameter"):
            await standings.refresh_stale()
    assert await standings.refresh_stale() == 1
    assert await standing(person) == (1,)


async def test_a_refresh_that_is_stopped_is_given_back_at_once(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    begun = asyncio.Event()

    async def hang(claimed: standings.Claimed, *, is_changed: bool) -> None:
        begun.set()
        await asyncio.sleep(60)

    with monkeypatch.context() as patch:
        patch.setattr(standings, "_finish", hang)
        refreshing = asyncio.create_task(standings.refresh_stale())
        await begun.wait()
        refreshing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await refreshing
    assert await standings.refresh_stale() == 1


async def test_a_refresh_whose_process_died_is_taken_over(cast: Cast) -> None:
    person = await make_competitor(cast.coach_a, "Waiting Person")
    await database.execute(standings_sql.ADD_MISSING_VERSIONS)
    assert await standings._claim([]) is not None
    assert await standings.refresh_stale() == 0
    await database.execute("update standing_versions set refreshing_since = now() - interval '11 seconds'")
    assert await standings.refresh_stale() == 1
    assert await standing(person) == (1,)


async def test_what_one_process_recomputes_another_leaves_alone(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    person = await make_competitor(cast.coach_a, "Shared Person")
    await refresh(cast.organization_id)
    await standings.mark_stale(cast.organization_id)

    async def solve_mark_and_refresh() -> None:
        await solve(person, 70, ago(days=1))
        await standings.mark_stale(cast.organization_id)
        assert await standings.refresh_stale() == 0

    assert await during_the_work(monkeypatch, solve_mark_and_refresh) == 1
    assert await standing(person, "points") == (0,)
    assert await standings.refresh_stale() == 1
    assert await standing(person, "points") == (70,)


async def test_who_comes_second_to_the_same_work_marks_it_again(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    claim, held, done = standings._claim, asyncio.Event(), asyncio.Event()

    async def hold() -> None:
        async with database.transaction():
            assert await database.fetchval(standings_sql.TAKE, cast.organization_id)
            held.set()
            await done.wait()

    holders = []

    async def overtaken(seen: list[UUID]) -> standings.Claimed | None:
        claimed = await claim(seen)
        if claimed:
            holders.append(asyncio.create_task(hold(), context=Context()))
            await held.wait()
        return claimed

    with monkeypatch.context() as patch:
        patch.setattr(standings, "_claim", overtaken)
        assert await standings.refresh_stale() == 0
    done.set()
    await asyncio.gather(*holders)
    assert len(holders) == 1
    assert await standings.refresh_stale() == 1


async def test_organizations_do_not_rank_each_others_people(cast: Cast) -> None:
    coach = await make_user(await make_organization("Southern League"), "coach", "Sam South")
    mine = await make_competitor(cast.coach_a, "Northern Person")
    theirs = await make_competitor(coach, "Southern Person", team_id=await make_team(coach, "South"))
    await solve(theirs, 500, ago(days=1))
    assert await standings.refresh_stale() == 2
    assert await standing(mine) == await standing(theirs) == (1,)
