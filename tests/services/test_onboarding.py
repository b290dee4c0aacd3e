from typing import Any
from uuid import UUID

import pytest

from app import database
from app.integrations.errors import VendorError
from app.services import onboarding, onboarding_store, score_ingestion
from app.services.job_runs import LeaseLost
from app.services.onboarding import OnboardingResult
from tests.cast import Person, make_competitor, make_user
from tests.services.platform import Platform, claim_again, claim_run
from tests.services.tuples import tuples_written, written_between


async def run(platform: Platform, **options: Any) -> OnboardingResult:
    claim = await claim_run("game_platform_onboarding")
    async with platform.client(claim) as client:
        return await onboarding.onboard(claim, client, **options)


async def ready(coach: Person, name: str = "Ada Alder", **options: Any) -> UUID:
    return await make_competitor(coach, name, status="compliance", **options)


async def competitor(competitor_id: UUID) -> dict[str, Any]:
    row = await database.fetchrow("select * from competitors where id = $1", competitor_id)
    assert row is not None
    return dict(row)


async def disclosed() -> list[UUID]:
    rows = await database.fetch("select competitor_id from disclosure_log order by id")
    return [row["competitor_id"] for row in rows]


async def test_the_coach_comes_first_then_the_competitors(platform: Platform, coach: Person) -> None:
    ids = [await ready(coach, f"Player{n} Poplar") for n in range(3)]
    assert (await run(platform)).as_counts() == {
        "total": 3, "added": 3, "adopted": 0, "waiting": 0, "refused": 0, "failed": 0,
    }
    created = await platform.created()
    assert created[0] == str(coach.id) and sorted(created[1:]) == sorted(map(str, ids))
    row = await competitor(ids[0])
    assert (row["status"], row["game_platform_id"], row["metactf_user_status"]) == ("complete", str(ids[0]), "approved")
    assert row["metactf_user_id"] and row["game_platform_synced_at"]
    user = await database.fetchrow("select game_platform_id, metactf_user_status from users where id = $1", coach.id)
    assert user is not None and tuple(user) == (str(coach.id), "approved")


async def test_every_person_leaves_their_traces(platform: Platform, coach: Person) -> None:
    competitor_id = await ready(coach)
    await database.execute("update competitors set school_id = 'sch-1'")
    await run(platform)
    row = await database.fetchrow("select * from disclosure_log")
    assert row is not None
    assert (row["competitor_id"], row["recipient"]) == (competitor_id, "Game Platform")
    assert row["fields"] == ["first_name", "last_name", "email", "coach", "school_id"]
    actions = [row["action"] for row in await database.fetch("select action from audit_log order by id")]
    assert actions == ["coach.onboarded", "competitor.onboarded"]
    assert await database.fetchval("select kind from activity_events") == "competitor_onboarded"
    assert await database.fetchval("select due_at <= now() from game_platform_sync_state")
    assert await database.fetchval("select is_stale from standing_versions")


async def test_a_second_run_finds_nothing_to_do(platform: Platform, coach: Person) -> None:
    await ready(coach)
    await run(platform)
    before = await tuples_written()
    assert (await run(platform)).as_counts()["total"] == 0
    assert set(written_between(before, await tuples_written())) == {"job_runs"}


@pytest.mark.parametrize(("division", "consent", "is_sent"), [
    ("middle_school", False, False), ("high_school", False, False), ("high_school", True, True),
    ("college", False, True),
])
async def test_no_minor_is_sent_before_consent_is_recorded(
    platform: Platform, coach: Person, division: str, consent: bool, is_sent: bool
) -> None:
    competitor_id = await ready(coach, division=division, data_consent=consent)
    result = await run(platform)
    assert (result.added, result.refused) == (int(is_sent), int(not is_sent))
    assert await disclosed() == ([competitor_id] if is_sent else [])
    if not is_sent:
        assert await platform.hear("/calls") == []
        assert "consent" in (await competitor(competitor_id))["game_platform_sync_error"]


async def test_who_is_not_ready_is_left_alone(platform: Platform, coach: Person) -> None:
    for status in ("pending", "profile"):
        await make_competitor(coach, "Ada Alder", status=status)
    assert (await run(platform)).as_counts()["total"] == 0


async def test_a_run_may_be_limited(platform: Platform, coach: Person) -> None:
    first = await ready(coach, "Ada Alder")
    other = await make_user(coach.organization_id, "coach", "Otto Oak")
    await ready(coach, "Ben Birch")
    await ready(other, "Cleo Cherry")
    assert (await run(platform, competitor_ids=[first])).added == 1
    assert (await run(platform, coach_id=other.id)).added == 1
    assert (await run(platform)).added == 1


async def test_an_account_made_without_our_hearing_of_it_is_not_made_twice(platform: Platform, coach: Person) -> None:
    """The platform makes the account and the answer is lost: it is found before anything is written again."""
    competitor_id = await ready(coach)
    await platform.fail(
        kind="reset", operation="create_user", users=[str(competitor_id)], count=1, after_effect=True
    )
    assert (await run(platform)).added == 1
    assert (await platform.created()).count(str(competitor_id)) == 1
    await platform.heal()


async def test_a_run_that_died_after_the_creation_adopts_on_retry(
    platform: Platform, coach: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    competitor_id = await ready(coach)

    async def die(*_: object) -> None:
        raise LeaseLost

    monkeypatch.setattr(onboarding_store, "settle", die)
    with pytest.raises(LeaseLost):
        await run(platform)
    monkeypatch.undo()
    assert (await run(platform)).adopted == 1
    assert (await platform.created()).count(str(competitor_id)) == 1
    assert await disclosed() == [competitor_id]


async def test_a_zombie_settles_nobody(platform: Platform, coach: Person) -> None:
    competitor_id = await ready(coach)
    claim = await claim_run()
    await claim_again(claim)
    async with platform.client(claim) as client:
        with pytest.raises(LeaseLost):
            await onboarding.onboard(claim, client)
    assert (await competitor(competitor_id))["status"] == "compliance"


async def test_the_account_that_a_roster_names_is_adopted_and_nothing_is_made(
    platform: Platform, coach: Person
) -> None:
    competitor_id = await ready(coach)
    await database.execute("update competitors set game_platform_id = 'theirs-1'")
    assert (await run(platform)).refused == 1
    assert "Correct the id" in (await competitor(competitor_id))["game_platform_sync_error"]
    await platform.tell("/users", {"syned_user_id": "theirs-1"})
    assert (await run(platform)).adopted == 1
    row = await competitor(competitor_id)
    assert (row["status"], row["game_platform_id"], row["game_platform_sync_error"]) == ("complete", "theirs-1", None)
    assert await platform.created() == [str(coach.id)]
    assert await disclosed() == []


async def test_playing_without_papers_leaves_the_status_at_profile(platform: Platform, coach: Person) -> None:
    competitor_id = await make_competitor(coach, "Ada Alder", status="profile")
    await database.execute("update competitors set game_platform_id = 'theirs-1'")
    await platform.tell("/users", {"syned_user_id": "theirs-1"})
    assert (await run(platform)).adopted == 1
    assert (await competitor(competitor_id))["status"] == "profile"


@pytest.mark.parametrize("status", ["user_created", "pending_approval"])
async def test_who_waits_for_approval_waits_without_failing(platform: Platform, coach: Person, status: str) -> None:
    competitor_id = await ready(coach)
    await platform.tell("/users", {"syned_user_id": str(competitor_id), "status": status})
    assert (await run(platform)).as_counts() == {
        "total": 1, "added": 0, "adopted": 0, "waiting": 1, "refused": 0, "failed": 0,
    }
    row = await competitor(competitor_id)
    assert (row["game_platform_id"], row["metactf_user_status"]) == (str(competitor_id), status)
    assert row["game_platform_sync_error"] is None
    claim = await claim_run()
    async with platform.client(claim) as client:
        assert (await score_ingestion.sync(claim, client, batch_size=50)).waiting == 1


async def test_a_denied_account_is_refused_until_the_platform_approves(platform: Platform, coach: Person) -> None:
    competitor_id = await ready(coach)
    await platform.tell("/users", {"syned_user_id": str(competitor_id), "status": "denied"})
    assert (await run(platform)).refused == 1
    row = await competitor(competitor_id)
    assert row["status"] == "compliance" and "denied" in row["game_platform_sync_error"]
    await platform.approve(str(competitor_id))
    assert (await run(platform)).adopted == 1
    assert (await competitor(competitor_id))["status"] == "complete"


async def test_a_coach_who_waits_holds_their_competitors_back_and_nobody_is_sent(
    platform: Platform, coach: Person
) -> None:
    ids = [await ready(coach, f"Player{n} Poplar") for n in range(3)]
    other = await make_user(coach.organization_id, "coach", "Otto Oak")
    await ready(other, "Cleo Cherry")
    await platform.tell("/users", {"syned_user_id": str(coach.id), "role": "coach", "status": "pending_approval"})
    result = await run(platform)
    assert (result.waiting, result.added, result.failed) == (3, 1, 0)
    row = await competitor(ids[0])
    assert "has not approved the coach" in row["game_platform_sync_error"]
    assert (row["status"], row["game_platform_id"]) == ("compliance", None)
    assert len(await disclosed()) == 1
    asked = {call["syned_user_id"] for call in await platform.hear("/calls")}
    assert asked.isdisjoint(str(competitor_id) for competitor_id in ids)
    await platform.approve(str(coach.id))
    assert (await run(platform)).added == 3
    assert (await competitor(ids[0]))["game_platform_sync_error"] is None


async def test_a_coach_whose_approval_was_taken_back_is_looked_up_before_the_next_attempt(
    platform: Platform, coach: Person
) -> None:
    await ready(coach, "Ada Alder")
    await run(platform)
    await platform.approve(str(coach.id), "pending_approval")
    competitor_id = await ready(coach, "Ben Birch")
    assert (await run(platform)).waiting == 1
    assert "Coach not found or not approved" in (await competitor(competitor_id))["game_platform_sync_error"]
    attempts = len(await platform.calls("create_user"))
    assert (await run(platform)).waiting == 1
    assert len(await platform.calls("create_user")) == attempts
    await platform.approve(str(coach.id))
    assert (await run(platform)).added == 1


async def test_a_denied_coach_costs_no_call_per_competitor(platform: Platform, coach: Person) -> None:
    competitor_id = await ready(coach)
    await platform.tell("/users", {"syned_user_id": str(coach.id), "role": "coach", "status": "denied"})
    assert (await run(platform)).refused == 1
    assert "denied the coach" in (await competitor(competitor_id))["game_platform_sync_error"]
    assert await platform.calls("create_user") == []


async def test_a_coach_without_a_name_is_told_what_is_missing(platform: Platform, coach: Person) -> None:
    competitor_id = await ready(coach)
    await database.execute("update users set first_name = '' where id = $1", coach.id)
    assert (await run(platform)).refused == 1
    assert "first name" in (await competitor(competitor_id))["game_platform_sync_error"]


async def test_what_the_platform_refuses_is_kept_in_its_words_and_delays_nobody(
    platform: Platform, coach: Person
) -> None:
    taken = await ready(coach, "Ada Alder")
    await ready(coach, "Ben Birch")
    await database.execute("update competitors set email = 'taken@example.org' where id = $1", taken)
    await platform.tell("/users", {"syned_user_id": "somebody", "email": "taken@example.org"})
    result = await run(platform)
    assert (result.added, result.refused) == (1, 1)
    error = (await competitor(taken))["game_platform_sync_error"]
    assert "already exists" in error and "taken@example.org" not in error
    assert len(await disclosed()) == 2  # what was refused had been sent all the same


async def test_one_persons_outage_is_theirs(platform: Platform, coach: Person) -> None:
    failing = await ready(coach, "Ada Alder")
    for n in range(3):
        await ready(coach, f"Player{n} Poplar")
    await platform.fail(kind="server_error", operation="create_user", users=[str(failing)])
    result = await run(platform)
    assert (result.added, result.failed) == (3, 1)
    await platform.heal()
    assert (await run(platform)).as_counts()["total"] == 1
    assert (await competitor(failing))["status"] == "complete"


async def test_a_platform_that_is_away_ends_the_run_and_the_next_does_the_rest(
    platform: Platform, coach: Person
) -> None:
    ids = [await ready(coach, f"Player{n} Poplar") for n in range(6)]
    await run(platform, competitor_ids=ids[:2])
    await platform.fail(kind="rate_limited", retry_after=900)
    with pytest.raises(VendorError):
        await run(platform)
    await platform.heal()
    assert (await run(platform)).added == 4
    assert sorted(await platform.created()) == sorted(map(str, (coach.id, *ids)))


@pytest.mark.parametrize(
    "name", ["李 小龙", "Юлия Ёлкина", "ياسمين علي", "Ọláyínká Adébáyọ̀", "जया शर्मा", "Zoë O'Brien"]
)
async def test_names_in_every_script_arrive(platform: Platform, coach: Person, name: str) -> None:
    await ready(coach, name)
    assert (await run(platform)).added == 1
