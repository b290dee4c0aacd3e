"""Every change of a roster reaches the platform once and in order, whatever breaks on the way."""

import asyncio
import random
from collections import Counter
from uuid import UUID

import pytest

from app import database
from app.services import outbox, outbox_drain, outbox_rows, roster_push_store, teams
from app.services.job_runs import LeaseLost
from app.services.roster_import import import_roster
from tests.cast import Person, make_competitor, make_team, make_user
from tests.services.platform import Platform, claim_again, claim_run, make_onboarded
from tests.services.team_pushes import (
    AFFILIATION,
    drain,
    drain_until_settled,
    effects,
    make_due,
    membership_row,
    ours,
    reader_of,
    row_of,
    rows,
    states,
    team_row,
    theirs,
)
from tests.services.tuples import tuples_written, written_between


async def create(coach: Person, name: str = "Firewall") -> UUID:
    return await teams.create(reader_of(coach), name=name, division="high_school", affiliation=AFFILIATION)


async def team_with(platform: Platform, coach: Person, *names: str) -> tuple[UUID, list[UUID]]:
    """A team whose members have accounts there; nothing of it is sent yet."""
    team_id = await create(coach)
    members = [(await make_onboarded(platform, coach, name))[0] for name in names]
    for member in members:
        await teams.add_member(reader_of(coach), team_id, member)
    return team_id, members


async def test_the_coach_comes_first_then_the_team_then_its_members(platform: Platform, coach: Person) -> None:
    team_id, [ada, ben] = await team_with(platform, coach, "Ada Alder", "Ben Birch")
    result = await drain(platform)
    assert result.as_counts() == {"total": 3, "waiting": 0, "sent": 3, "parked": 0, "discarded": 0}
    assert await effects(platform) == ["user_created", "team_created", "user_assigned", "user_assigned"]
    assert await ours() == await theirs(platform)
    team = await team_row(team_id)
    assert team["game_platform_id"] == str(team_id) and team["game_platform_synced_at"] and team["metactf_team_id"]
    assert (team["game_platform_name"], team["game_platform_division"]) == ("Firewall", "high_school")
    assert all([(await membership_row(member))["game_platform_synced_at"] for member in (ada, ben)])
    disclosed = await database.fetch("select competitor_id, purpose, user_id, fields from disclosure_log")
    assert {row["competitor_id"] for row in disclosed} == {ada, ben}
    assert all((row["purpose"], row["user_id"], row["fields"]) == ("roster", coach.id, ["team"]) for row in disclosed)


async def test_a_second_drain_writes_and_asks_nothing(platform: Platform, coach: Person) -> None:
    await team_with(platform, coach, "Ada Alder")
    await drain(platform)
    calls, before = len(await platform.hear("/calls")), await tuples_written()
    assert (await drain(platform)).as_counts()["total"] == 0
    assert set(written_between(before, await tuples_written())) <= {"job_runs"}
    assert len(await platform.hear("/calls")) == calls


async def test_a_member_who_moves_is_taken_off_first(platform: Platform, coach: Person) -> None:
    _, [ada] = await team_with(platform, coach, "Ada Alder")
    await drain(platform)
    second = await create(coach, "Backdoor")
    await teams.add_member(reader_of(coach), second, ada)
    await drain(platform)
    assert (await effects(platform))[3:] == ["team_created", "user_unassigned", "user_assigned"]
    assert await ours() == await theirs(platform)


async def test_many_changes_before_a_drain_are_one_push(platform: Platform, coach: Person) -> None:
    team_id, [ada] = await team_with(platform, coach, "Ada Alder")
    second = await create(coach, "Backdoor")
    for wanted in (second, team_id, second):
        await teams.add_member(reader_of(coach), wanted, ada)
    await drain(platform)
    assert (await effects(platform)).count("user_assigned") == 1 and await ours() == await theirs(platform)


async def test_a_change_made_while_it_is_sent_is_sent_too(
    platform: Platform, coach: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    team_id, [ada] = await team_with(platform, coach, "Ada Alder")
    settle = outbox_rows.settle
    changed: list[outbox_rows.Push] = []

    async def change_first(claim: object, push: outbox_rows.Push, outcome: object) -> None:
        if push.kind == "membership" and not changed:
            changed.append(push)
            await outbox_rows.add(push.kind, ada, organization_id=coach.organization_id)
            await database.execute("delete from team_memberships where competitor_id = $1", ada)
        await settle(claim, push, outcome)  # type: ignore[arg-type]

    monkeypatch.setattr(outbox_rows, "settle", change_first)
    await drain(platform)
    assert changed and (await effects(platform))[-2:] == ["user_assigned", "user_unassigned"]
    assert await theirs(platform) == {str(team_id): []}


async def test_two_drainers_at_once_do_everything_once(platform: Platform, coach: Person) -> None:
    await team_with(platform, coach, *(f"Player{n} Poplar" for n in range(12)))
    await platform.fail(kind="latency", seconds=0.02)
    await asyncio.gather(drain(platform), drain(platform))
    await platform.heal()
    await drain_until_settled(platform)
    done = await effects(platform)
    assert (done.count("user_created"), done.count("team_created"), done.count("user_assigned")) == (1, 1, 12)
    assert await ours() == await theirs(platform)


@pytest.mark.parametrize("seed", [1, 2])
async def test_every_effect_happens_once_while_calls_fail(platform: Platform, coach: Person, seed: int) -> None:
    """30 % of the calls fail, half of them after the platform did what was asked."""
    chance = random.Random(seed)
    reader = reader_of(coach)
    people = [(await make_onboarded(platform, coach, f"Player{n} Poplar"))[0] for n in range(10)]
    roster = [await create(coach, f"Team {n}") for n in range(3)]
    for rule in (
        {"kind": "reset", "share": 0.09}, {"kind": "server_error", "share": 0.08},
        {"kind": "reset", "share": 0.09, "after_effect": True},
        {"kind": "server_error", "share": 0.09, "after_effect": True},
    ):
        await platform.fail(**rule)
    expected = Counter({"user_created": 1, "team_created": 3})
    for _ in range(4):
        for person in people:
            before = await database.fetchval("select team_id from team_memberships where competitor_id = $1", person)
            wanted = chance.choice([*roster, None])
            if wanted is not None:
                await teams.add_member(reader, wanted, person)
            elif before is not None:
                await teams.remove_member(reader, before, person)
            expected["user_unassigned"] += before not in (None, wanted)
            expected["user_assigned"] += wanted not in (None, before)
        await drain_until_settled(platform)
    assert await ours() == await theirs(platform)
    assert Counter(await effects(platform)) == expected
    await platform.heal()


async def test_after_a_lost_answer_the_platform_is_read_before_it_is_written(platform: Platform, coach: Person) -> None:
    _, [ada] = await team_with(platform, coach, "Ada Alder")
    await platform.fail(kind="reset", operation="assign_team", after_effect=True, count=1)
    assert (await drain(platform)).parked == 0 and (await row_of("membership"))["state"] == "sent"
    operations = [call["operation"] for call in await platform.hear("/calls")]
    assert operations[-2:] == ["assign_team", "team_assignments"]
    assert (await effects(platform)).count("user_assigned") == 1
    await teams.remove_member(reader_of(coach), (await membership_row(ada))["team_id"], ada)
    await platform.fail(kind="reset", operation="delete_assignment", count=1)
    await drain(platform)
    operations = [call["operation"] for call in await platform.hear("/calls")]
    assert operations[-4:] == ["team_assignments", "delete_assignment", "team_assignments", "delete_assignment"]
    assert await ours() == await theirs(platform)


async def test_a_team_made_without_our_hearing_of_it_is_not_made_twice(platform: Platform, coach: Person) -> None:
    team_id = await create(coach)
    await platform.fail(kind="reset", operation="create_team", after_effect=True, count=1)
    await drain(platform)
    row = await row_of("team")
    assert row["state"] == "waiting" and "could not be asked" in row["reason"]
    assert "could not be asked" in (await team_row(team_id))["game_platform_sync_error"]
    await drain_until_settled(platform)
    assert (await effects(platform)).count("team_created") == 1
    assert (await team_row(team_id))["game_platform_sync_error"] is None


async def test_a_crash_between_send_and_store_changes_nothing(
    platform: Platform, coach: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    await team_with(platform, coach, "Ada Alder")
    claim = await claim_run("outbox_drain")

    async def die(*_: object) -> None:
        raise LeaseLost

    monkeypatch.setattr(outbox_rows, "settle", die)
    with pytest.raises(LeaseLost):
        await drain(platform, claim)
    monkeypatch.undo()
    assert {row["run_id"] for row in await rows()} == {claim.run_id}
    assert (await drain(platform)).as_counts()["total"] == 0, "the lost drainer still has its rows"
    await drain(platform, await claim_again(claim))
    done = await effects(platform)
    assert sorted(done) == ["team_created", "user_assigned", "user_created"] and await ours() == await theirs(platform)


async def test_a_drainer_that_lost_its_claim_writes_nothing(
    platform: Platform, coach: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    team_id, _ = await team_with(platform, coach, "Ada Alder")
    claim = await claim_run("outbox_drain")
    claimed = outbox_rows.claim

    async def lose_it(*arguments: object, **options: object) -> object:
        pushes = await claimed(*arguments, **options)  # type: ignore[arg-type]
        await claim_again(claim)
        return pushes

    monkeypatch.setattr(outbox_rows, "claim", lose_it)
    with pytest.raises(LeaseLost):
        await drain(platform, claim)
    assert [row["state"] for row in await rows()] == ["waiting", "waiting"]
    assert (await team_row(team_id))["game_platform_synced_at"] is None


async def test_what_the_platform_refuses_is_parked_in_its_own_words(platform: Platform, coach: Person) -> None:
    team_id, [ada] = await team_with(platform, coach, "Ada Alder")
    await platform.fail(kind="refused", operation="create_team", detail="Affiliation is not on our list")
    await drain(platform)
    parked, held = await row_of("team"), await row_of("membership")
    assert (parked["state"], held["state"], held["held_for"]) == ("parked", "waiting", team_id)
    assert parked["reason"] == "The Game Platform refused the team: Affiliation is not on our list"
    assert (await team_row(team_id))["game_platform_sync_error"] == parked["reason"]
    assert (await membership_row(ada))["game_platform_sync_error"] == parked["reason"]
    await platform.heal()
    await teams.edit(reader_of(coach), team_id, division="high_school", affiliation="Another School")
    await drain(platform)
    assert (await row_of("team"))["state"] == "sent" and (await team_row(team_id))["game_platform_sync_error"] is None
    await drain(platform)
    assert (await row_of("membership"))["state"] == "sent" and await ours() == await theirs(platform)


async def test_a_parked_team_that_came_there_with_a_member_is_parked_no_more(platform: Platform, coach: Person) -> None:
    await team_with(platform, coach, "Ada Alder")
    await platform.fail(kind="refused", operation="create_team", count=1)
    await drain(platform)
    await make_due()
    await drain(platform)
    assert await states() == [("team", "sent"), ("membership", "sent")]


async def test_a_parked_push_is_retried_by_its_coach(platform: Platform, coach: Person) -> None:
    await create(coach)
    await platform.fail(kind="refused", operation="create_team", detail="Not today")
    await drain(platform)
    await platform.heal()
    push_id = (await row_of("team"))["id"]
    stranger = await make_user(coach.organization_id, "coach", "Otto Oak")
    with pytest.raises(outbox.NotFound):
        await outbox.retry(push_id, reader_of(stranger))
    assert (await drain(platform)).as_counts()["total"] == 0
    await outbox.retry(push_id, reader_of(coach))
    assert (await drain(platform)).sent == 1
    with pytest.raises(outbox.NotFound):
        await outbox.retry(push_id, reader_of(coach))


async def test_a_discarded_push_is_not_sent_nor_found_again(platform: Platform, coach: Person) -> None:
    _, [ada] = await team_with(platform, coach, "Ada Alder")
    await outbox.discard((await row_of("membership"))["id"], "Ada stays off", reader_of(coach))
    await drain(platform)
    await drain(platform)
    assert await states() == [("team", "sent"), ("membership", "discarded")]
    assert "user_assigned" not in await effects(platform)
    recorded = await database.fetchval("select after->>'given_reason' from audit_log where action = 'outbox.discarded'")
    assert recorded == "Ada stays off" and (await membership_row(ada))["game_platform_synced_at"] is None


async def test_a_coach_who_is_not_approved_holds_their_team_back(platform: Platform, coach: Person) -> None:
    await platform.tell("/first-statuses", {"coach": "pending_approval"})
    team_id, _ = await team_with(platform, coach, "Ada Alder")
    await drain(platform)
    assert {row["held_for"] for row in await rows()} == {coach.id}
    assert all("not approved" in row["reason"] for row in await rows())
    assert "not approved" in (await team_row(team_id))["game_platform_sync_error"]
    assert await effects(platform) == ["user_created"]
    await platform.approve(str(coach.id))
    await make_due()
    await drain(platform)
    assert await ours() == await theirs(platform)


async def test_what_was_held_for_a_coach_goes_as_soon_as_our_tables_know_of_the_approval(
    platform: Platform, coach: Person
) -> None:
    await platform.tell("/first-statuses", {"coach": "pending_approval"})
    await create(coach)
    await drain(platform)
    await platform.approve(str(coach.id))
    await database.execute("update users set metactf_user_status = 'approved' where id = $1", coach.id)
    assert (await drain(platform)).sent == 1


async def test_a_coach_without_an_address_holds_back_without_being_asked_for(platform: Platform, coach: Person) -> None:
    await database.execute("update users set email = null, metactf_user_status = 'approved' where id = $1", coach.id)
    await create(coach)
    assert (await drain(platform)).as_counts()["total"] == 1
    assert "e-mail is missing" in (await row_of("team"))["reason"] and await platform.hear("/calls") == []


async def test_who_has_no_account_yet_waits_for_it(platform: Platform, coach: Person) -> None:
    team_id = await create(coach)
    ada = await make_competitor(coach, "Ada Alder", status="compliance")
    await teams.add_member(reader_of(coach), team_id, ada)
    await drain(platform)
    row = await row_of("membership")
    assert (row["state"], row["held_for"]) == ("waiting", ada) and "no approved account" in row["reason"]
    await platform.tell("/users", {"syned_user_id": str(ada)})
    await database.execute(
        "update competitors set game_platform_id = $1, metactf_user_status = 'approved' where id::text = $1", str(ada)
    )
    assert (await drain(platform)).sent == 1 and await ours() == await theirs(platform)


@pytest.mark.parametrize(("division", "consent", "is_sent"), [
    ("middle_school", False, False), ("high_school", False, False), ("high_school", True, True),
    ("college", False, True),
])
async def test_nothing_about_a_minor_is_sent_before_consent(
    platform: Platform, coach: Person, division: str, consent: bool, is_sent: bool
) -> None:
    ada, syned_user_id = await make_onboarded(platform, coach, "Ada Alder")
    await database.execute("update competitors set division = $1, data_consent = $2", division, consent)
    team_id = await teams.create(reader_of(coach), name="Firewall", division=division, affiliation=AFFILIATION)
    await teams.add_member(reader_of(coach), team_id, ada)
    await drain(platform)
    assert ("user_assigned" in await effects(platform)) == is_sent
    assert await database.fetchval("select count(*) from disclosure_log") == int(is_sent)
    if not is_sent:
        assert [call for call in await platform.hear("/calls") if call.get("syned_user_id") == syned_user_id] == []
        assert "consent" in (await membership_row(ada))["game_platform_sync_error"]
        await database.execute("update competitors set data_consent = true")
        assert (await drain(platform)).sent == 1 and await ours() == await theirs(platform)


async def test_whoever_withdrew_consent_is_not_even_taken_off(platform: Platform, coach: Person) -> None:
    team_id, [ada] = await team_with(platform, coach, "Ada Alder")
    await drain(platform)
    await database.execute("update competitors set data_consent = false")
    await teams.remove_member(reader_of(coach), team_id, ada)
    await drain(platform)
    assert "consent" in (await row_of("membership"))["reason"]
    assert "user_unassigned" not in await effects(platform)


async def test_what_was_done_there_already_counts_as_sent(platform: Platform, coach: Person) -> None:
    """Made, assigned and unassigned by somebody else meanwhile."""
    team_id, [ada] = await team_with(platform, coach, "Ada Alder")
    await drain(platform)
    syned_user_id = await database.fetchval("select game_platform_id from competitors where id = $1", ada)
    await teams.remove_member(reader_of(coach), team_id, ada)
    await platform.tell("/assignments", {"syned_user_id": syned_user_id})
    assert (await drain(platform)).sent == 1
    await teams.add_member(reader_of(coach), team_id, ada)
    await platform.tell("/assignments", {"syned_user_id": syned_user_id, "syned_team_id": str(team_id)})
    assert (await drain(platform)).sent == 1
    assert (await effects(platform)).count("user_assigned") == 1


async def test_a_team_that_a_roster_names_is_adopted_or_parked(platform: Platform, coach: Person) -> None:
    await platform.tell("/users", {"syned_user_id": "their-coach", "role": "coach"})
    await platform.tell("/teams", {
        "syned_team_id": "T-7", "syned_coach_user_id": "their-coach", "team_name": "Old", "affiliation": "x",
        "division": "high_school",
    })
    for name, platform_id in (("Known", "T-7"), ("Unknown", "T-8")):
        await database.execute(
            "update teams set game_platform_id = $2 where id = $1", await make_team(coach, name), platform_id
        )
    await drain(platform)
    assert sorted(row["state"] for row in await rows()) == ["parked", "sent"]
    assert [row["reason"] for row in await rows() if row["reason"]] == [
        "The Game Platform has no team with the id of the roster file. Correct the id and import again."
    ]
    assert await effects(platform) == []


async def test_teams_of_before_the_outbox_are_sent_too(platform: Platform, coach: Person) -> None:
    team_id = await make_team(coach, "Firewall")
    ada, syned_user_id = await make_onboarded(platform, coach, "Ada Alder")
    await database.execute("insert into team_memberships (team_id, competitor_id) values ($1, $2)", team_id, ada)
    archived = await make_team(coach, "Last year")
    await database.execute("update teams set archived_at = now() where id = $1", archived)
    assert (await drain(platform)).sent == 2
    assert await theirs(platform) == {str(team_id): [syned_user_id]}


async def test_what_a_person_asked_for_goes_before_a_first_fill(platform: Platform, coach: Person) -> None:
    for number in range(40):
        await make_team(coach, f"Old {number}")
    await outbox_drain.add_missing([coach.organization_id])
    team_id = await create(coach)
    await drain(platform, concurrency=1)
    created = [told["syned_team_id"] for told in await platform.hear("/effects") if told["what"] == "team_created"]
    assert created[0] == str(team_id) and len(created) == 41


async def test_an_import_asks_for_its_teams_and_members(platform: Platform, coach: Person) -> None:
    text = "first_name,last_name,division,team,affiliation,data_consent\nAda,Alder,high_school,Firewall,School,yes\n"
    for _ in range(2):
        await import_roster(text.encode(), coach_email=coach.email, dry_run=False, actor=None, actor_label="test")
    assert await states() == [("team", "waiting"), ("membership", "waiting")]
    assert {row["asked"] for row in await rows()} == {1}


async def test_an_import_into_a_team_that_is_being_deleted_is_refused(coach: Person) -> None:
    await database.execute("update teams set closed_at = now() where id = $1", await make_team(coach, "Firewall"))
    text = "first_name,last_name,division,team,affiliation\nAda,Alder,high_school,Firewall,School\n"
    report = await import_roster(text.encode(), coach_email=coach.email, dry_run=False, actor=None, actor_label="test")
    assert [(error.row, error.field) for error in report.errors] == [(2, "team")]


async def test_while_the_platform_is_away_everything_waits_and_then_goes(platform: Platform, coach: Person) -> None:
    await team_with(platform, coach, *(f"Player{n} Poplar" for n in range(40)))
    await platform.fail(kind="server_error")
    for _ in range(3):
        await make_due()
        await drain(platform)
    assert len(await platform.hear("/calls")) < 30, "the breaker keeps us from asking for everybody"
    assert {row["state"] for row in await rows()} == {"waiting"}
    assert all(row["next_attempt_at"].timestamp() > 0 for row in await rows())
    assert await database.fetchval("select max(next_attempt_at) < now() + interval '70 seconds' from outbox")
    await platform.heal()
    await make_due()
    await drain(platform)
    assert await ours() == await theirs(platform)


async def test_one_push_that_breaks_delays_nobody(
    platform: Platform, coach: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, [ada, _] = await team_with(platform, coach, "Ada Alder", "Ben Birch")
    read = roster_push_store.read_member

    async def break_for_ada(competitor_id: UUID) -> object:
        if competitor_id == ada:
            raise KeyError("a bug")
        return await read(competitor_id)

    monkeypatch.setattr(roster_push_store, "read_member", break_for_ada)
    assert (await drain(platform)).as_counts() == {"total": 3, "waiting": 1, "sent": 2, "parked": 0, "discarded": 0}
    [broken] = [row for row in await rows() if row["state"] == "waiting"]
    assert broken["subject_id"] == ada and broken["reason"] == "Sending this broke (KeyError). It is tried again."


async def test_an_organization_that_is_switched_off_is_left_alone(platform: Platform, coach: Person) -> None:
    await team_with(platform, coach, "Ada Alder")
    claim = await claim_run("outbox_drain")
    async with platform.client(claim) as client:
        assert (await outbox_drain.drain(claim, client, organization_ids=[])).as_counts()["total"] == 0
    assert await platform.hear("/calls") == [] and {row["attempts"] for row in await rows()} == {0}
