from datetime import timedelta
from uuid import UUID

import pytest
import pytest_asyncio

from app import database
from app.integrations.errors import VendorError
from app.integrations.game_platform.schemas import TeamAssignments
from app.integrations.records import read
from app.services import reconcile, roster_sides
from app.services.job_runs import LeaseLost
from tests.cast import Person, make_competitor, make_organization, make_user
from tests.services.platform import Platform, claim_again, claim_run
from tests.services.rosters import Rosters, listed, look, make_rosters
from tests.services.tuples import tuples_written, written_between


@pytest_asyncio.fixture
async def rosters(platform: Platform, coach: Person) -> Rosters:
    return await make_rosters(platform, coach)


async def test_sides_that_agree_have_no_drift(rosters: Rosters) -> None:
    assert (await look(rosters.platform)).as_counts() == {
        "teams": 2, "members": 4, "drift": 0, "accounts": 5, "complete": 1,
    }
    assert await listed() == []


async def test_a_second_look_writes_nothing(rosters: Rosters) -> None:
    await rosters.put_there("r1", "Blue")
    await look(rosters.platform)
    before = await tuples_written()
    assert (await look(rosters.platform)).drift == 1
    assert set(written_between(before, await tuples_written())) <= {"job_runs", "vendor_calls"}


async def test_as_many_rows_as_differences(rosters: Rosters) -> None:
    await look(rosters.platform)
    red, blue = str(rosters.teams["Red"]), str(rosters.teams["Blue"])
    await rosters.put_there("r1", "Blue")
    await rosters.put_there("r2", None)
    await rosters.put_there("free", "Red")
    await rosters.platform.tell("/users", {"syned_user_id": "who-1"})
    await rosters.place("who-1", red)
    await rosters.add_team_there("team-of-others")
    await rosters.place(rosters.accounts["b1"], "team-of-others")
    await rosters.platform.approve(rosters.accounts["b2"], "denied")
    await database.execute(
        "update competitors set metactf_username = 'zz00000' where id = $1", rosters.people["free"]
    )
    await database.execute("update teams set name = 'Crimson' where id = $1", rosters.teams["Red"])
    assert (await look(rosters.platform)).drift == 8
    assert await listed() == [
        ("competitor", "status", "approved", "denied"),
        *sorted(
            [
                ("competitor", "team", red, blue), ("competitor", "team", red, None),
                ("competitor", "team", None, red), ("competitor", "team", blue, "team-of-others"),
            ],
            key=lambda row: (row[2] or "~", row[3] or "~"),
        ),
        ("competitor", "username", "zz00000", await rosters.username_of("free")),
        ("stranger", "team", None, red),
        ("team", "name", "Crimson", "Red"),
    ]


async def test_a_row_knows_what_was_agreed_and_when(rosters: Rosters) -> None:
    await look(rosters.platform)
    red = str(rosters.teams["Red"])
    at = await database.fetchval(
        """insert into job_runs (kind, key, state, started_at, result)
           values ('game_platform_roster_reconcile', 'k', 'succeeded', now() + interval '1 hour', '{"complete": 1}')
           returning started_at"""
    )
    await rosters.put_there("r1", None)
    await look(rosters.platform)
    row = await database.fetchrow("select agreed, agreed_at, since from drift")
    assert row and (row["agreed"], row["agreed_at"]) == (red, at)
    assert row["since"] < at


async def test_what_was_never_agreed_says_so(rosters: Rosters) -> None:
    await rosters.put_there("r1", None)
    await look(rosters.platform)
    row = await database.fetchrow("select agreed, agreed_at from drift")
    assert row and tuple(row) == (None, None)


async def test_what_agrees_again_resolves_itself(rosters: Rosters) -> None:
    await rosters.put_there("r1", "Blue")
    await look(rosters.platform)
    await rosters.put_there("r1", "Red")
    assert (await look(rosters.platform)).drift == 0
    row = await database.fetchrow("select state, reason, resolved_at from drift")
    assert row and (row["state"], row["reason"]) == ("resolved", "agrees again") and row["resolved_at"]
    await rosters.put_there("r1", "Blue")
    await look(rosters.platform)
    assert await database.fetchval("select count(*) from drift") == 2


async def test_a_team_without_members_proves_nothing(rosters: Rosters) -> None:
    await rosters.add_team("Green")
    await rosters.platform.control.delete(f"/teams/{rosters.teams['Green']}")
    assert (await look(rosters.platform)).drift == 0


async def test_strangers_are_listed_and_left_alone(rosters: Rosters) -> None:
    await rosters.platform.tell("/users", {"syned_user_id": "who-1"})
    await rosters.place("who-1", str(rosters.teams["Red"]))
    assert (await look(rosters.platform)).drift == 1
    assert await database.fetchval("select organization_id is null and competitor_id is null from drift")
    assert (await rosters.there())["who-1"] == str(rosters.teams["Red"])
    await rosters.place("who-1", None)
    assert (await look(rosters.platform)).drift == 0


async def test_a_coach_on_a_team_there_is_no_stranger(rosters: Rosters) -> None:
    await rosters.place(str(rosters.coach.id), str(rosters.teams["Red"]))
    assert (await look(rosters.platform)).drift == 0


async def test_whoever_waits_for_approval_or_was_archived_is_not_expected_there(rosters: Rosters) -> None:
    await rosters.put_there("r1", None)
    await rosters.put_there("r2", None)
    await database.execute(
        "update competitors set metactf_user_status = 'pending_approval' where id = $1", rosters.people["r1"]
    )
    await database.execute("update competitors set archived_at = now() where id = $1", rosters.people["r2"])
    await database.execute("update competitors set archived_at = now() where id = $1", rosters.people["b1"])
    await look(rosters.platform)
    blue = str(rosters.teams["Blue"])
    assert await listed() == [("competitor", "team", None, blue)]  # b1 is still on a team there


async def test_an_archived_team_is_as_it_was(rosters: Rosters) -> None:
    await database.execute("update teams set archived_at = now() where id = $1", rosters.teams["Red"])
    await rosters.put_there("r1", None)
    assert (await look(rosters.platform)).drift == 0


async def test_an_account_that_is_gone_is_one_difference(rosters: Rosters, coach: Person) -> None:
    competitor_id = rosters.people["gone"] = await make_competitor(coach, "Gone Girl")
    await rosters.put_here("gone", "Red")
    await look(rosters.platform)
    assert await listed() == [("competitor", "account", "there", None)]
    await rosters.platform.tell("/users", {"syned_user_id": await account_of(competitor_id)})
    await look(rosters.platform)
    assert [row[:2] for row in await listed()] == [("competitor", "team")]


async def test_an_account_that_we_have_not_heard_of_is_a_difference(rosters: Rosters, coach: Person) -> None:
    competitor_id = await make_competitor(coach, "Unheard Of", status="compliance")
    await rosters.platform.tell("/users", {"syned_user_id": str(competitor_id)})
    await rosters.place(str(competitor_id), str(rosters.teams["Red"]))
    await look(rosters.platform)
    assert await listed() == [("competitor", "account", None, "there")]


async def account_of(competitor_id: UUID) -> str:
    return str(await database.fetchval("select game_platform_id from competitors where id = $1", competitor_id))


async def test_a_scheduled_look_asks_only_for_accounts_that_are_due(rosters: Rosters) -> None:
    """Nobody has just been looked up but those who were not looked up for a week, and who could not be read."""
    await database.execute("alter table job_runs alter column trigger set default 'schedule'")
    try:
        assert (await look(rosters.platform)).accounts == 0
        await database.execute(
            "update competitors set game_platform_synced_at = now() - interval '8 days' where id = $1",
            rosters.people["r1"],
        )
        await database.execute(
            """update game_platform_sync_state set consecutive_failures = 1,
                   error_message = 'User not found or not approved' where competitor_id = $1""",
            rosters.people["r2"],
        )
        assert (await look(rosters.platform)).accounts == 2
        assert (await look(rosters.platform)).accounts == 1
    finally:
        await database.execute("alter table job_runs alter column trigger set default 'command'")


async def test_what_a_waiting_push_will_settle_is_no_drift_yet(rosters: Rosters) -> None:
    await rosters.put_here("r1", "Blue")
    push_id = await database.fetchval(
        "insert into outbox (organization_id, kind, subject_id) values ($1, 'membership', $2) returning id",
        rosters.coach.organization_id, rosters.people["r1"],
    )
    assert (await look(rosters.platform)).drift == 0
    await database.execute("update outbox set state = 'parked', reason = 'no' where id = $1", push_id)
    assert (await look(rosters.platform)).drift == 1


async def test_what_the_drainer_will_find_by_itself_is_no_drift_yet(rosters: Rosters) -> None:
    await rosters.put_here("r1", "Blue")
    await database.execute("update team_memberships set game_platform_synced_at = null")
    assert (await look(rosters.platform)).drift == 0


async def test_members_of_a_team_that_waits_to_be_sent_are_no_drift_yet(rosters: Rosters) -> None:
    rosters.teams["Green"] = await database.fetchval(
        """insert into teams (organization_id, coach_id, name) values ($1, $2, 'Green') returning id""",
        rosters.coach.organization_id, rosters.coach.id,
    )
    await rosters.put_here("free", "Green")
    await database.execute(
        "insert into outbox (organization_id, kind, subject_id) values ($1, 'team', $2)",
        rosters.coach.organization_id, rosters.teams["Green"],
    )
    assert (await look(rosters.platform)).drift == 0


async def test_a_push_sent_while_the_platform_was_asked_is_no_drift(
    rosters: Rosters, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The answer is older than what was sent after it."""
    load = roster_sides.load

    async def change_first(*arguments: object) -> object:
        await rosters.put_here("r1", "Blue")
        await database.execute(
            """insert into outbox (organization_id, kind, subject_id, state, finished_at)
               values ($1, 'membership', $2, 'sent', clock_timestamp())""",
            rosters.coach.organization_id, rosters.people["r1"],
        )
        return await load(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(roster_sides, "load", change_first)
    assert (await look(rosters.platform)).drift == 0


async def test_a_deleted_team_that_the_platform_kept_is_drift_until_it_is_gone(rosters: Rosters) -> None:
    push_id = await database.fetchval(
        """insert into outbox (organization_id, kind, subject_id, platform_id, state)
           values ($1, 'team_deletion', gen_random_uuid(), 'old-team', 'parked') returning id""",
        rosters.coach.organization_id,
    )
    assert (await look(rosters.platform)).drift == 1
    assert await listed() == [("team", "existence", None, "there")]
    await database.execute(
        "update outbox set state = 'sent', finished_at = now() - interval '1 minute' where id = $1", push_id
    )
    assert (await look(rosters.platform)).drift == 0
    assert await listed() == []


@pytest.mark.parametrize("short", [
    {"assignments": [], "total_count": 4},
    {"assignments": [{"syned_team_id": "t"}], "total_count": 1},
])
async def test_an_incomplete_list_drives_nothing(
    rosters: Rosters, monkeypatch: pytest.MonkeyPatch, short: dict[str, object]
) -> None:
    await rosters.put_there("r1", None)
    await look(rosters.platform)
    await rosters.put_there("r1", "Red")
    claim = await claim_run("game_platform_roster_reconcile")
    async with rosters.platform.client(claim) as client:

        async def half_a_list(*_: object) -> TeamAssignments:
            return read(TeamAssignments, short)

        monkeypatch.setattr(client, "team_assignments", half_a_list)
        result = await reconcile.reconcile(claim, client)
    assert (result.is_complete, result.drift) == (False, 0)
    assert len(await listed()) == 1
    bad = await database.fetchval("select count(*) from quarantine where kind = 'team_assignment'")
    assert bad == len(short["assignments"])  # type: ignore[arg-type]


async def test_somebody_on_two_teams_at_once_is_put_aside(
    rosters: Rosters, monkeypatch: pytest.MonkeyPatch
) -> None:
    claim = await claim_run("game_platform_roster_reconcile")
    async with rosters.platform.client(claim) as client:
        true_list = await client.team_assignments()
        twice = {"syned_user_id": rosters.accounts["r1"], "syned_team_id": str(rosters.teams["Blue"])}
        body = {
            "assignments": [*(one.raw for one in true_list.assignments), twice], "total_count": 5,
        }

        async def with_a_double(*_: object) -> TeamAssignments:
            return read(TeamAssignments, body)

        monkeypatch.setattr(client, "team_assignments", with_a_double)
        assert (await reconcile.reconcile(claim, client)).drift == 0
    assert await database.fetchval("select reason from quarantine") == "is on several teams at once"


async def test_a_list_that_lost_too_many_is_not_believed_without_a_click(rosters: Rosters) -> None:
    for number in range(25):
        await rosters.add(f"m{number}", "Red")
    await look(rosters.platform)
    for number in range(22):
        await rosters.put_there(f"m{number}", None)
    assert (await look(rosters.platform)).drift == 1
    assert await listed() == [("listing", "members", "29", "7")]
    await database.execute("update drift set state = 'resolved', reason = 'accepted theirs', resolved_at = now()")
    assert (await look(rosters.platform)).drift == 22


async def test_one_team_may_be_compared_alone(rosters: Rosters) -> None:
    await rosters.put_there("r1", None)
    await rosters.put_there("b1", None)
    result = await look(rosters.platform, team_id=rosters.teams["Red"])
    assert (result.teams, result.drift) == (1, 1)
    assert (await look(rosters.platform, team_id=rosters.teams["Blue"])).drift == 1
    assert (await look(rosters.platform)).drift == 2
    await rosters.put_there("r1", "Red")
    await rosters.put_there("b1", "Blue")
    assert (await look(rosters.platform, team_id=rosters.teams["Red"])).drift == 0
    assert len(await listed()) == 1


async def test_an_organization_that_switched_it_off_is_not_compared(rosters: Rosters) -> None:
    await rosters.put_there("r1", None)
    other = await make_organization("Southern League")
    assert (await look(rosters.platform, organization_ids=[other])).drift == 0
    assert await listed() == []


async def test_one_call_tells_who_is_on_which_team(rosters: Rosters) -> None:
    await rosters.platform.control.delete("/calls")
    await look(rosters.platform)
    assert len(await rosters.platform.calls("team_assignments")) == 1


async def test_a_run_that_dies_leaves_nothing_half_done(rosters: Rosters, monkeypatch: pytest.MonkeyPatch) -> None:
    await rosters.put_there("r1", None)
    await rosters.put_there("b1", "Red")

    async def die(*_: object) -> None:
        raise ConnectionError

    monkeypatch.setattr(reconcile, "_remember_agreement", die)
    with pytest.raises(ConnectionError):
        await look(rosters.platform)
    assert await listed() == []
    monkeypatch.undo()
    assert (await look(rosters.platform)).drift == 2


async def test_a_zombie_writes_nothing(rosters: Rosters) -> None:
    await rosters.put_there("r1", None)
    claim = await claim_run("game_platform_roster_reconcile")
    await claim_again(claim)
    async with rosters.platform.client(claim) as client:
        with pytest.raises(LeaseLost):
            await reconcile.reconcile(claim, client)
    assert await listed() == []


async def test_a_platform_that_is_away_resolves_nothing(rosters: Rosters) -> None:
    await rosters.put_there("r1", None)
    await look(rosters.platform)
    await rosters.platform.fail(kind="server_error", operation="team_assignments")
    with pytest.raises(VendorError):
        await look(rosters.platform)
    await rosters.platform.heal()
    assert len(await listed()) == 1


async def test_an_ignored_difference_is_open_again_when_its_day_comes_or_it_changes(rosters: Rosters) -> None:
    await rosters.put_there("r1", None)
    await look(rosters.platform)
    await database.execute("update drift set state = 'ignored', ignored_until = now() + interval '1 day'")
    assert (await look(rosters.platform)).drift == 0
    await database.execute("update drift set ignored_until = now() - $1::interval", timedelta(seconds=1))
    assert (await look(rosters.platform)).drift == 1
    await database.execute("update drift set state = 'ignored', ignored_until = now() + interval '1 day'")
    await rosters.put_there("r1", "Blue")
    assert (await look(rosters.platform)).drift == 1
    assert [row[3] for row in await listed()] == [str(rosters.teams["Blue"])]


async def test_people_of_others_are_compared_too(rosters: Rosters) -> None:
    other = await make_user(rosters.coach.organization_id, "coach", "Otto Oak")
    await database.execute(
        "update competitors set coach_id = $2 where id = $1", rosters.people["free"], other.id
    )
    await rosters.put_there("free", "Red")
    assert (await look(rosters.platform)).drift == 1


