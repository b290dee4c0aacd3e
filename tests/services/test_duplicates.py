"""Two records of one person: merged, and taken apart again byte for byte."""

import asyncio
import json
import random
from typing import Any
from uuid import UUID, uuid4

import pytest

from app import database
from app.domain.duplicates import FIELDS
from app.domain.readers import Reader, Sight
from app.services import duplicates, roster, roster_images, standings
from app.services.duplicates import MergeError, NotFound
from app.services.merged_rows import LOGS, SCORES
from tests.cast import Cast, Person, make_cast, make_competitor, make_organization, make_team, make_user

STAYS = {
    "merges", "different_people", "drift", "standings", "standing_scopes", "standing_histories", "team_memberships",
    "alerts", "saved_view_rows", "notifications",
}
"""What a merge handles by itself, what is derived, and what is about the record rather than about the person."""


def reader(person: Person) -> Reader:
    sight = Sight(sees_everyone=True) if person.role == "admin" else Sight(coach_id=person.id)
    return Reader(person.id, uuid4(), person.role, person.email, "UTC", "system", (person.organization_id,), sight)


@pytest.fixture
async def cast() -> Cast:
    return await make_cast()


async def scores(competitor_id: UUID, count: int = 3) -> None:
    """Solves, a Flash CTF, totals and a few lines in the logs."""
    await database.execute(
        """insert into game_platform_challenge_solves (competitor_id, syned_user_id, challenge_solve_id, challenge_id,
               challenge_points)
           select $1, s.syned_user_id, n::text, n::text, 100 from game_platform_sync_state s,
               generate_series(1, $2::int) n where s.competitor_id = $1""",
        competitor_id, count,
    )
    await database.execute(
        """insert into game_platform_flash_ctf_events (competitor_id, syned_user_id, event_id)
           select competitor_id, syned_user_id, 'e' from game_platform_sync_state where competitor_id = $1""",
        competitor_id,
    )
    await database.execute(
        "insert into game_platform_stats (competitor_id, challenges_completed) values ($1, $2)", competitor_id, count
    )


async def logs(competitor_id: UUID, run_id: UUID | None = None) -> None:
    await database.execute(
        """insert into activity_events (organization_id, kind, competitor_id, run_id)
           select organization_id, 'solves_found', id, $2 from competitors where id = $1""",
        competitor_id, run_id,
    )
    await database.execute("insert into disclosure_log (competitor_id, purpose) values ($1, 'page')", competitor_id)
    await database.execute("insert into password_help_requests (competitor_id) values ($1)", competitor_id)
    await database.execute(
        """insert into quarantine (vendor, kind, competitor_id, record_key)
           values ('v', 'solve', $1::uuid, $1::text)""",
        competitor_id,
    )


async def everything() -> dict[str, list[str]]:
    """Every row of every table as text, but for what a merge leaves as a trace."""
    tables = await database.fetch(
        """select tablename from pg_tables where schemaname = 'public' and tablename not in ('migration', 'merges',
               'audit_log', 'outbox', 'job_runs', 'standing_versions') and tablename not like 'saq%'"""
    )
    return {
        row["tablename"]: sorted(
            found["row"] for found in await database.fetch(f"select to_jsonb(t)::text as row from {row['tablename']} t")
            if "competitors_merge" not in found["row"]
        )
        for row in tables
    }


async def row(competitor_id: UUID) -> dict[str, Any]:
    found = await database.fetchrow("select * from competitors where id = $1", competitor_id)
    assert found
    return dict(found)


async def count(table: str, competitor_id: UUID) -> int:
    return int(await database.fetchval(f"select count(*) from {table} where competitor_id = $1", competitor_id))


async def test_an_account_moves_with_its_scores_to_a_record_without_one(cast: Cast) -> None:
    kept = await make_competitor(cast.coach_a, "Jon Smith", status="compliance")
    gone = await make_competitor(cast.coach_a, "Jonathan Smith", team_id=cast.team_a)
    await scores(gone)
    await logs(gone)
    account = (await row(gone))["game_platform_id"]
    await duplicates.merge(reader(cast.coach_a), kept, gone, ["first_name"])
    merged, archived = await row(kept), await row(gone)
    assert (merged["first_name"], merged["game_platform_id"], merged["status"]) == ("Jonathan", account, "complete")
    assert archived["archived_at"] and archived["game_platform_id"] is None
    assert [await count(table, kept) for table in SCORES] == [1, 3, 1, 1]
    assert [await count(table, gone) for table in (*SCORES, *LOGS)] == [0] * 8
    assert await count("password_help_requests", kept) == 1
    assert await database.fetchval("select team_id from team_memberships where competitor_id = $1", kept) == cast.team_a
    assert set(json.loads(merged["edited_fields"])) >= {"first_name"}
    await standings.refresh_stale()
    assert [r["competitor_id"] for r in await database.fetch("select competitor_id from standings")] == [kept]


async def test_of_two_accounts_the_kept_one_stays_and_nothing_is_counted_twice(cast: Cast) -> None:
    kept, gone = [await make_competitor(cast.coach_a, name, team_id=cast.team_a) for name in ("A Smith", "Al Smith")]
    await scores(kept)
    await scores(gone, 5)
    account = (await row(kept))["game_platform_id"]
    await duplicates.merge(reader(cast.coach_a), kept, gone, [])
    assert (await row(kept))["game_platform_id"] == account
    assert [await count(SCORES[1], each) for each in (kept, gone)] == [3, 5]
    assert await count("team_memberships", gone) == 0
    pushed = await database.fetch("select subject_id from outbox where kind = 'membership' and state = 'waiting'")
    assert [each["subject_id"] for each in pushed] == [gone]


async def test_what_only_the_other_record_knows_is_taken_over(cast: Cast) -> None:
    kept = await make_competitor(cast.coach_a, "Jon Smith", status="profile")
    gone = await make_competitor(cast.coach_a, "Jon Smith", status="profile")
    await database.execute("update competitors set email = null where id = $1", kept)
    await database.execute("update competitors set grade = '9', release_signed = true where id = $1", gone)
    person = await make_user(cast.organization_id, "player", "Jon Player")
    await database.execute("update competitors set user_id = $2 where id = $1", gone, person.id)
    await duplicates.merge(reader(cast.coach_a), kept, gone, ["release_signed"])
    merged = await row(kept)
    assert (merged["grade"], merged["release_signed"], merged["user_id"]) == ("9", True, person.id)
    assert merged["email"] and (await row(gone))["user_id"] is None


async def test_a_merge_leaves_its_traces(cast: Cast) -> None:
    kept, gone = [await make_competitor(cast.coach_a, "Jon Smith", status="profile") for _ in range(2)]
    await duplicates.merge(reader(cast.coach_a), kept, gone, [])
    audited = await database.fetchrow("select * from audit_log")
    assert audited and (audited["action"], audited["subject_id"]) == ("competitors.merged", str(kept))
    assert "Smith" not in audited["after"] and "example.org" not in audited["after"]
    assert await database.fetchval("select kind from activity_events where competitor_id = $1", kept) == \
        "competitors_merged"


@pytest.mark.parametrize("seed", range(12))
async def test_merge_and_undo_restore_all_rows_byte_for_byte(cast: Cast, seed: int) -> None:
    chance = random.Random(seed)
    run_id = uuid4() if chance.random() < 0.5 else None
    second = await make_team(cast.coach_a, "Second", chance.choice(["high_school", "college"]))
    ids = []
    for _ in range(2):
        team = chance.choice([None, cast.team_a, second])
        division = "high_school" if team == cast.team_a else chance.choice(["high_school", "college"])
        status = chance.choice(["profile", "compliance", "complete"])
        each = await make_competitor(cast.coach_a, chance.choice(["Jon Smith", "Jo Smith"]), team_id=team,
                                     division=division, status=status)
        if status == "complete" and chance.random() < 0.8:
            await scores(each, chance.randint(0, 4))
        await logs(each, run_id)
        await database.execute("update competitors set grade = $2, edited_fields = $3::jsonb where id = $1", each,
                               chance.choice([None, "9", "10"]), chance.choice(['[]', '["grade"]']))
        ids.append(each)
    await database.execute("update teams set archived_at = now() where $1", chance.random() < 0.3)
    before = await everything()
    taken = [name for name in FIELDS if chance.random() < 0.4 and name != "division"]
    try:
        merge_id = await duplicates.merge(reader(cast.coach_a), ids[0], ids[1], taken)
    except MergeError:
        assert await everything() == before
        return
    assert await everything() != before
    await duplicates.undo(reader(cast.coach_a), merge_id)
    assert await everything() == before


async def test_what_the_account_brings_after_the_merge_goes_back_with_it(cast: Cast) -> None:
    kept = await make_competitor(cast.coach_a, "Jon Smith", status="compliance")
    gone = await make_competitor(cast.coach_a, "Jonathan Smith")
    merge_id = await duplicates.merge(reader(cast.coach_a), kept, gone, [])
    await scores(kept, 7)
    await database.execute("update competitors set metactf_username = 'jon', updated_at = now() where id = $1", kept)
    await duplicates.undo(reader(cast.coach_a), merge_id)
    assert [await count(table, gone) for table in SCORES] == [1, 7, 1, 1]
    assert [await count(table, kept) for table in SCORES] == [0] * 4
    assert ((await row(gone))["metactf_username"], (await row(kept))["metactf_username"]) == ("jon", None)


@pytest.mark.parametrize(("change", "words"), [
    ("update competitors set email = 'other@example.org' where id = $1", "email"),
    ("update competitors set archived_at = now() where id = $1", "archive"),
    ("delete from team_memberships where competitor_id = $1", "team"),
])
async def test_what_a_person_changed_since_is_not_overwritten(cast: Cast, change: str, words: str) -> None:
    kept = await make_competitor(cast.coach_a, "Jon Smith", team_id=cast.team_a)
    gone = await make_competitor(cast.coach_a, "Jon Smith")
    merge_id = await duplicates.merge(reader(cast.coach_a), kept, gone, [])
    await database.execute(change, kept)
    before = await everything()
    with pytest.raises(MergeError, match=f"what it made: {words}"):
        await duplicates.undo(reader(cast.coach_a), merge_id)
    assert await everything() == before


async def test_a_merge_is_undone_once(cast: Cast) -> None:
    kept, gone = [await make_competitor(cast.coach_a, "Jon Smith") for _ in range(2)]
    merge_id = await duplicates.merge(reader(cast.coach_a), kept, gone, [])
    await duplicates.undo(reader(cast.coach_a), merge_id)
    await database.execute("update competitors set grade = '9'")
    before = await everything()
    await duplicates.undo(reader(cast.coach_a), merge_id)
    assert await everything() == before
    with pytest.raises(NotFound):
        await duplicates.undo(reader(cast.coach_a), uuid4())


async def test_the_same_merge_asked_for_by_many_at_once_is_one(cast: Cast) -> None:
    kept, gone = [await make_competitor(cast.coach_a, "Jon Smith") for _ in range(2)]
    asked = [duplicates.merge(reader(cast.coach_a), kept, gone, []) for _ in range(5)]
    assert len(set(await asyncio.gather(*asked))) == 1
    assert await database.fetchval("select count(*) from merges") == 1
    with pytest.raises(NotFound):
        await duplicates.merge(reader(cast.coach_b), kept, gone, [])


async def test_nobody_merges_or_parts_what_they_may_not_see(cast: Cast) -> None:
    mine, foreign = await make_competitor(cast.coach_a, "Jon Smith"), await make_competitor(cast.coach_b, "Jon Smith")
    before = await everything()
    for pair in ((mine, foreign), (foreign, mine), (mine, uuid4()), (mine, mine)):
        with pytest.raises(NotFound):
            await duplicates.merge(reader(cast.coach_a), *pair, [])
        with pytest.raises(NotFound):
            await duplicates.set_apart(reader(cast.coach_a), *pair)
    assert await everything() == before
    merge_id = await duplicates.merge(reader(cast.admin), mine, foreign, [])
    with pytest.raises(NotFound):
        await duplicates.undo(reader(cast.coach_b), merge_id)
    await duplicates.undo(reader(cast.admin), merge_id)


async def test_two_organizations_are_never_mixed(cast: Cast) -> None:
    elsewhere = await make_user(await make_organization("South"), "coach", "Cem Cedar")
    pair = await make_competitor(cast.coach_a, "Jon Smith"), await make_competitor(elsewhere, "Jon Smith")
    with pytest.raises(MergeError, match="different organizations"):
        await duplicates.merge(reader(cast.admin), *pair, [])


async def test_a_member_keeps_the_division_of_the_team(cast: Cast) -> None:
    kept = await make_competitor(cast.coach_a, "Jon Smith", team_id=cast.team_a)
    gone = await make_competitor(cast.coach_a, "Jon Smith", division="college", status="profile")
    with pytest.raises(MergeError, match="Firewall plays in another division"):
        await duplicates.merge(reader(cast.coach_a), kept, gone, ["division"])


async def test_every_table_that_knows_competitors_is_thought_of() -> None:
    """A new one belongs into LOGS or SCORES of services/merged_rows.py, or stays with the record."""
    rows = await database.fetch(
        """select distinct conrelid::regclass::text as name from pg_constraint
           where contype = 'f' and confrelid = 'competitors'::regclass"""
    )
    assert {row["name"] for row in rows} <= {*LOGS, *SCORES, *STAYS}


def test_an_image_holds_every_column() -> None:
    assert set(roster_images.VENDOR) < set(roster_images.COLUMNS.split(", "))


async def test_a_merge_whose_earlier_records_are_no_longer_kept_is_not_undone(cast: Cast) -> None:
    kept, gone = [await make_competitor(cast.coach_a, "Jon Smith") for _ in range(2)]
    merge_id = await duplicates.merge(reader(cast.coach_a), kept, gone, [])
    await database.execute("update merges set before = '{}', after = '{}', moved = '{}'")
    with pytest.raises(MergeError, match="no longer kept"):
        await duplicates.undo(reader(cast.coach_a), merge_id)
    assert (await row(gone))["archived_at"] is not None


async def test_a_merged_record_comes_back_only_by_undoing_the_merge(cast: Cast) -> None:
    kept, gone = [await make_competitor(cast.coach_a, "Jon Smith") for _ in range(2)]
    merge_id = await duplicates.merge(reader(cast.coach_a), kept, gone, [])
    async with database.transaction():
        (person,) = await roster.lock(reader(cast.coach_a), [gone])
        with pytest.raises(roster.RosterError, match="Undo the merge"):
            await roster.restore(reader(cast.coach_a), person)
    await duplicates.undo(reader(cast.coach_a), merge_id)
    assert (await row(gone))["archived_at"] is None
