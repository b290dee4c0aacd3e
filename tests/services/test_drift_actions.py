import asyncio
import json
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
import pytest_asyncio

from app import database
from app.services import onboarding
from app.services.reconcile import DriftError, NotFound, accept_theirs, ignore_until, push_ours
from tests.cast import Person, make_competitor, make_team, make_user
from tests.services.platform import Platform, claim_run
from tests.services.rosters import Rosters, as_admin, as_coach, drain, listed, look, make_rosters, the_row
from tests.services.tuples import tuples_written, written_between

SOON = datetime.now(UTC) + timedelta(days=7)


@pytest_asyncio.fixture
async def rosters(platform: Platform, coach: Person) -> Rosters:
    rosters = await make_rosters(platform, coach)
    await look(platform)
    return rosters


@pytest_asyncio.fixture
async def admin(coach: Person) -> Person:
    return await make_user(coach.organization_id, "admin", "Alma Admin")


async def competitor(name: str, rosters: Rosters) -> dict[str, object]:
    row = await database.fetchrow("select * from competitors where id = $1", rosters.people[name])
    assert row
    return dict(row)


async def audited(action: str) -> int:
    return int(await database.fetchval("select count(*) from audit_log where action = $1", action))


@pytest.mark.parametrize(("here", "there"), [("Red", "Blue"), ("Red", None), (None, "Blue")])
async def test_after_ours_was_pushed_both_sides_agree(rosters: Rosters, here: str | None, there: str | None) -> None:
    await rosters.put_here("r1", here)
    await rosters.put_there("r1", there)
    await look(rosters.platform)
    await push_ours(as_coach(rosters.coach), await the_row())
    assert await listed() == []
    await drain(rosters.platform)
    assert (await look(rosters.platform)).drift == 0
    assert (await rosters.there()).get(rosters.accounts["r1"]) == (str(rosters.teams[here]) if here else None)
    assert await rosters.here() == await rosters.there()


@pytest.mark.parametrize(("here", "there"), [("Red", "Blue"), ("Red", None), (None, "Blue")])
async def test_after_theirs_was_accepted_both_sides_agree(
    rosters: Rosters, here: str | None, there: str | None
) -> None:
    await rosters.put_here("r1", here)
    await rosters.put_there("r1", there)
    await look(rosters.platform)
    before = await rosters.there()
    await accept_theirs(as_coach(rosters.coach), await the_row())
    assert (await look(rosters.platform)).drift == 0
    assert await rosters.here() == before == await rosters.there()
    await drain(rosters.platform)
    assert await rosters.there() == before


async def test_an_action_leaves_its_traces_and_marks_the_standings(rosters: Rosters) -> None:
    await rosters.put_there("r1", "Blue")
    await look(rosters.platform)
    row_id = await the_row()
    await accept_theirs(as_coach(rosters.coach), row_id)
    entry = await database.fetchrow("select * from audit_log where action = 'drift.accepted'")
    assert entry and (entry["actor_id"], entry["subject_id"]) == (rosters.coach.id, str(row_id))
    assert json.loads(entry["before"])["ours"] == str(rosters.teams["Red"])
    event = await database.fetchrow("select * from activity_events where kind = 'drift_accepted'")
    assert event and (event["competitor_id"], event["user_id"]) == (rosters.people["r1"], rosters.coach.id)
    assert await database.fetchval("select is_stale from standing_versions")


async def test_a_second_click_changes_nothing(rosters: Rosters) -> None:
    await rosters.put_there("r1", "Blue")
    await rosters.put_there("b1", "Red")
    await look(rosters.platform)
    reader = as_coach(rosters.coach)
    first, second = [row["id"] for row in await database.fetch("select id from drift order by ours")]
    await push_ours(reader, first)
    await accept_theirs(reader, second)
    before = await tuples_written()
    for row_id in (first, second):
        await push_ours(reader, row_id)
        await accept_theirs(reader, row_id)
        await ignore_until(reader, row_id, SOON)
    assert set(written_between(before, await tuples_written())) <= {"job_runs", "saq_jobs", "saq_stats"}
    assert (await audited("drift.pushed"), await audited("drift.accepted")) == (1, 1)


async def test_ignored_until_a_day(rosters: Rosters) -> None:
    await rosters.put_there("r1", "Blue")
    await look(rosters.platform)
    reader, row_id = as_coach(rosters.coach), await the_row()
    with pytest.raises(DriftError, match="still to come"):
        await ignore_until(reader, row_id, datetime.now(UTC))
    await ignore_until(reader, row_id, SOON, "exchange week")
    await ignore_until(reader, row_id, SOON, "exchange week")
    row = await database.fetchrow("select state, ignored_until, reason from drift")
    assert row and tuple(row) == ("ignored", SOON, "exchange week")
    assert await audited("drift.ignored") == 1
    assert (await look(rosters.platform)).drift == 0
    await accept_theirs(reader, row_id)
    assert (await look(rosters.platform)).drift == 0


async def test_nobody_acts_on_what_they_may_not_see(rosters: Rosters) -> None:
    other = await make_user(rosters.coach.organization_id, "coach", "Otto Oak")
    await rosters.put_there("r1", "Blue")
    await rosters.platform.tell("/users", {"syned_user_id": "who-1"})
    await rosters.place("who-1", str(rosters.teams["Red"]))
    await look(rosters.platform)
    ids = [row["id"] for row in await database.fetch("select id from drift order by subject_type")]
    for reader, row_id in ((as_coach(other), ids[0]), (as_coach(rosters.coach), ids[1]), (as_coach(other), uuid4())):
        for act in (push_ours, accept_theirs):
            with pytest.raises(NotFound):
                await act(reader, row_id)
        with pytest.raises(NotFound):
            await ignore_until(reader, row_id, SOON)
    assert len(await listed()) == 2


async def test_a_stranger_can_only_be_ignored(rosters: Rosters, admin: Person) -> None:
    await rosters.platform.tell("/users", {"syned_user_id": "who-1"})
    await rosters.place("who-1", str(rosters.teams["Red"]))
    await look(rosters.platform)
    reader, row_id = as_admin(admin), await the_row()
    for act in (push_ours, accept_theirs):
        with pytest.raises(DriftError, match="left alone"):
            await act(reader, row_id)
    await ignore_until(reader, row_id, SOON)
    assert (await look(rosters.platform)).drift == 0


async def test_the_team_of_another_coach_is_not_accepted(rosters: Rosters) -> None:
    other = await make_user(rosters.coach.organization_id, "coach", "Otto Oak")
    theirs = await make_team(other, "Owls")
    middle = await make_team(rosters.coach, "Minis", division="middle_school")
    for team_id in (theirs, middle):
        await rosters.add_team_there(str(team_id))
        await database.execute("update teams set game_platform_synced_at = now() where id = $1", team_id)
        await rosters.place(rosters.accounts["r1"], str(team_id))
        await look(rosters.platform)
        with pytest.raises(DriftError, match="not one of yours"):
            await accept_theirs(as_coach(rosters.coach), await the_row())


async def test_a_roster_that_changed_since_is_looked_at_again_first(rosters: Rosters) -> None:
    await rosters.put_there("r1", "Blue")
    await look(rosters.platform)
    await rosters.put_here("r1", None)
    with pytest.raises(DriftError, match="changed since"):
        await accept_theirs(as_coach(rosters.coach), await the_row())


async def test_a_status_is_accepted_and_cannot_be_pushed(rosters: Rosters) -> None:
    reader = as_coach(rosters.coach)
    await rosters.platform.approve(rosters.accounts["r1"], "denied")
    await look(rosters.platform)
    with pytest.raises(DriftError, match="decides"):
        await push_ours(reader, await the_row("status"))
    await accept_theirs(reader, await the_row("status"))
    row = await competitor("r1", rosters)
    assert (row["metactf_user_status"], row["status"]) == ("denied", "compliance")
    assert "denied" in str(row["game_platform_sync_error"])
    assert (await look(rosters.platform)).drift == 0
    await rosters.platform.approve(rosters.accounts["r1"])
    await look(rosters.platform)
    await accept_theirs(reader, await the_row("status"))
    row = await competitor("r1", rosters)
    assert (row["status"], row["game_platform_sync_error"]) == ("complete", None)
    assert (await look(rosters.platform)).drift == 0


async def test_a_username_is_accepted(rosters: Rosters) -> None:
    await database.execute("update competitors set metactf_username = 'old' where id = $1", rosters.people["r1"])
    await look(rosters.platform)
    await accept_theirs(as_coach(rosters.coach), await the_row("username"))
    assert (await competitor("r1", rosters))["metactf_username"] == await rosters.username_of("r1")
    assert (await look(rosters.platform)).drift == 0


async def onboard(rosters: Rosters) -> None:
    claim = await claim_run("game_platform_onboarding")
    async with rosters.platform.client(claim) as client:
        await onboarding.onboard(claim, client)


async def make_gone(rosters: Rosters, *, adopted: bool = False) -> UUID:
    """A competitor whose account the platform has no more."""
    competitor_id = rosters.people["gone"] = await make_competitor(rosters.coach, "Gone Grove")
    if not adopted:
        await database.execute(
            "update game_platform_sync_state set syned_user_id = competitor_id::text where competitor_id = $1",
            competitor_id,
        )
        await database.execute("update competitors set game_platform_id = id::text where id = $1", competitor_id)
    await look(rosters.platform)
    return competitor_id


async def test_a_lost_account_is_made_again(rosters: Rosters) -> None:
    competitor_id = await make_gone(rosters)
    await push_ours(as_coach(rosters.coach), await the_row("account"))
    assert (await look(rosters.platform)).drift == 0
    asked = await database.fetchrow("select payload, trigger from job_runs where kind = 'game_platform_onboarding'")
    assert asked and json.loads(asked["payload"]) == {"competitor_ids": [str(competitor_id)]}
    await onboard(rosters)
    assert await rosters.platform.created() == [str(competitor_id)]
    assert (await competitor("gone", rosters))["status"] == "complete"
    assert (await look(rosters.platform)).drift == 0


async def test_a_lost_account_that_was_not_ours_cannot_be_made_again(rosters: Rosters) -> None:
    await make_gone(rosters, adopted=True)
    with pytest.raises(DriftError, match="not made by us"):
        await push_ours(as_coach(rosters.coach), await the_row("account"))


async def test_a_lost_account_is_given_up_and_stays_so(rosters: Rosters) -> None:
    await make_gone(rosters, adopted=True)
    await accept_theirs(as_coach(rosters.coach), await the_row("account"))
    row = await competitor("gone", rosters)
    assert (row["game_platform_id"], row["metactf_user_status"], row["status"]) == (None, None, "compliance")
    assert (await look(rosters.platform)).drift == 0
    await onboard(rosters)
    assert await rosters.platform.created() == []


async def test_an_account_unheard_of_is_taken_over(rosters: Rosters) -> None:
    competitor_id = rosters.people["new"] = await make_competitor(rosters.coach, "New Nut", status="compliance")
    rosters.accounts["new"] = str(competitor_id)
    await rosters.platform.tell("/users", {"syned_user_id": str(competitor_id)})
    await rosters.put_there("new", "Red")
    await look(rosters.platform)
    with pytest.raises(DriftError, match="taken over"):
        await push_ours(as_coach(rosters.coach), await the_row("account"))
    await accept_theirs(as_coach(rosters.coach), await the_row("account"))
    await onboard(rosters)
    assert (await competitor("new", rosters))["status"] == "complete"
    await look(rosters.platform)
    assert await listed() == [("competitor", "team", None, str(rosters.teams["Red"]))]


async def test_a_renamed_team_cannot_be_pushed_but_gets_its_name_back(rosters: Rosters) -> None:
    await database.execute("update teams set name = 'Crimson' where id = $1", rosters.teams["Red"])
    await look(rosters.platform)
    reader, row_id = as_coach(rosters.coach), await the_row("name")
    with pytest.raises(DriftError, match="cannot rename"):
        await push_ours(reader, row_id)
    taken = await make_team(rosters.coach, "red")
    with pytest.raises(DriftError, match="another team with that name"):
        await accept_theirs(reader, row_id)
    await database.execute("delete from teams where id = $1", taken)
    await accept_theirs(reader, row_id)
    assert await database.fetchval("select name from teams where id = $1", rosters.teams["Red"]) == "Red"
    assert (await look(rosters.platform)).drift == 0


async def test_a_team_that_the_platform_kept_is_asked_for_again(rosters: Rosters, admin: Person) -> None:
    await rosters.add_team_there("old-team")
    await database.execute(
        """insert into outbox (organization_id, kind, subject_id, platform_id, state, finished_at)
           values ($1, 'team_deletion', gen_random_uuid(), 'old-team', 'discarded', now())""",
        rosters.coach.organization_id,
    )
    await look(rosters.platform)
    with pytest.raises(NotFound):
        await push_ours(as_coach(rosters.coach), await the_row("existence"))
    with pytest.raises(DriftError, match="cannot come back"):
        await accept_theirs(as_admin(admin), await the_row("existence"))
    await push_ours(as_admin(admin), await the_row("existence"))
    await drain(rosters.platform)
    assert (await look(rosters.platform)).drift == 0
    effects = await rosters.platform.hear("/effects")
    assert [told["syned_team_id"] for told in effects if told["what"] == "team_deleted"] == ["old-team"]


async def test_a_short_list_is_believed_after_an_admins_click(rosters: Rosters, admin: Person) -> None:
    for number in range(25):
        await rosters.add(f"m{number}", "Red")
    await look(rosters.platform)
    for number in range(22):
        await rosters.put_there(f"m{number}", None)
    await look(rosters.platform)
    row_id = await the_row("members")
    with pytest.raises(DriftError, match="nothing to send"):
        await push_ours(as_admin(admin), row_id)
    with pytest.raises(NotFound):
        await accept_theirs(as_coach(rosters.coach), row_id)
    await accept_theirs(as_admin(admin), row_id)
    assert await database.fetchval("select kind from job_runs where state = 'queued'") == (
        "game_platform_roster_reconcile")
    assert (await look(rosters.platform)).drift == 22


async def test_two_at_once_act_once(rosters: Rosters) -> None:
    await rosters.put_there("r1", "Blue")
    await look(rosters.platform)
    reader, row_id = as_coach(rosters.coach), await the_row()
    await asyncio.gather(*(accept_theirs(reader, row_id) for _ in range(4)), push_ours(reader, row_id))
    assert await audited("drift.accepted") + await audited("drift.pushed") == 1
