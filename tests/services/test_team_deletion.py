"""A team goes when the platform has answered: gone there, kept there, or nobody knows."""

from uuid import UUID

import pytest

from app import database
from app.services import team_endings, teams
from tests.cast import Person
from tests.services.platform import Platform, make_onboarded
from tests.services.team_pushes import (
    AFFILIATION,
    drain,
    drain_until_settled,
    effects,
    make_due,
    reader_of,
    row_of,
    rows,
    states,
    team_row,
    theirs,
)


@pytest.fixture(autouse=True)
def configured(settings_changed: pytest.MonkeyPatch) -> None:
    settings_changed.setenv("GAME_PLATFORM_API_TOKEN", "a-token")


async def synced_team(platform: Platform, coach: Person) -> UUID:
    team_id = await teams.create(
        reader_of(coach), name="Firewall", division="high_school", affiliation=AFFILIATION
    )
    await drain(platform)
    return team_id


async def is_here(team_id: UUID) -> bool:
    return bool(await database.fetchval("select exists (select from teams where id = $1)", team_id))


async def drift() -> list[tuple[str, str, str, str]]:
    found = await database.fetch("select subject_id, field, theirs, state from drift")
    return [tuple(row) for row in found]


async def test_what_is_gone_there_is_removed_here(platform: Platform, coach: Person) -> None:
    team_id = await synced_team(platform, coach)
    await team_endings.delete(reader_of(coach), team_id)
    assert (await team_row(team_id))["closed_at"]
    await drain(platform)
    assert not await is_here(team_id) and await theirs(platform) == {} and await drift() == []
    actions = [row["action"] for row in await database.fetch("select action from audit_log order by id")]
    assert actions[-2:] == ["team.closed", "team.deleted"]
    told = await database.fetchrow("select user_id from activity_events where kind = 'team_deleted'")
    assert told and told["user_id"] == coach.id


async def test_what_is_unknown_there_is_removed_here(platform: Platform, coach: Person) -> None:
    team_id = await teams.create(reader_of(coach), name="New", division="college", affiliation=AFFILIATION)
    await team_endings.delete(reader_of(coach), team_id)
    await drain(platform)
    assert not await is_here(team_id) and await effects(platform) == []


async def test_a_team_that_still_has_members_there_is_open_again(platform: Platform, coach: Person) -> None:
    team_id = await synced_team(platform, coach)
    await platform.tell("/users", {"syned_user_id": "stranger"})
    await platform.tell("/assignments", {"syned_user_id": "stranger", "syned_team_id": str(team_id)})
    await team_endings.delete(reader_of(coach), team_id)
    await drain(platform)
    team = await team_row(team_id)
    assert team["closed_at"] is None and "Team still has members. It has 1 there." in team["game_platform_sync_error"]
    assert (await row_of("team_deletion"))["state"] == "discarded"
    await platform.tell("/assignments", {"syned_user_id": "stranger"})
    await team_endings.delete(reader_of(coach), team_id)
    await drain(platform)
    assert not await is_here(team_id)


@pytest.mark.parametrize("fault", [{"kind": "server_error"}, {"kind": "reset"}])
async def test_after_any_other_answer_it_goes_here_and_shows_as_drift(
    platform: Platform, coach: Person, fault: dict[str, str]
) -> None:
    team_id = await synced_team(platform, coach)
    await team_endings.delete(reader_of(coach), team_id)
    await platform.fail(operation="delete_team", **fault)
    await drain(platform)
    assert not await is_here(team_id) and list(await theirs(platform)) == [str(team_id)]
    assert await drift() == [(str(team_id), "existence", "there", "open")]
    await platform.heal()
    await drain_until_settled(platform)
    assert await theirs(platform) == {} and [row[3] for row in await drift()] == ["resolved"]
    assert (await effects(platform)).count("team_deleted") == 1


async def test_a_refusal_in_other_words_is_parked_and_shows_as_drift(platform: Platform, coach: Person) -> None:
    team_id = await synced_team(platform, coach)
    await team_endings.delete(reader_of(coach), team_id)
    await platform.fail(kind="refused", operation="delete_team", detail="The season is running")
    await drain(platform)
    row = await row_of("team_deletion")
    assert (row["state"], row["reason"]) == ("parked", "The Game Platform refused: The season is running")
    assert not await is_here(team_id) and [row[3] for row in await drift()] == ["open"]


async def test_a_team_deleted_without_our_hearing_of_it_is_gone(platform: Platform, coach: Person) -> None:
    team_id = await synced_team(platform, coach)
    await team_endings.delete(reader_of(coach), team_id)
    await platform.fail(kind="reset", operation="delete_team", after_effect=True, count=1)
    await drain(platform)
    assert not await is_here(team_id) and await drift() == []
    assert (await effects(platform)).count("team_deleted") == 1


async def test_a_deletion_waits_until_the_last_member_has_left_there(platform: Platform, coach: Person) -> None:
    team_id = await synced_team(platform, coach)
    ada, syned_user_id = await make_onboarded(platform, coach, "Ada Alder")
    await teams.add_member(reader_of(coach), team_id, ada)
    await drain(platform)
    await teams.remove_member(reader_of(coach), team_id, ada)
    await team_endings.delete(reader_of(coach), team_id)
    await platform.fail(kind="server_error", operation="delete_assignment")
    await drain(platform)
    assert await is_here(team_id) and (await team_row(team_id))["closed_at"]
    assert "still being taken off" in (await row_of("team_deletion"))["reason"]
    assert await theirs(platform) == {str(team_id): [syned_user_id]}
    await platform.heal()
    await drain_until_settled(platform)
    assert not await is_here(team_id) and await theirs(platform) == {}
    assert (await effects(platform))[-2:] == ["user_unassigned", "team_deleted"]


async def test_while_the_platform_is_not_asked_the_team_stays_closed(platform: Platform, coach: Person) -> None:
    team_id = await synced_team(platform, coach)
    await teams.create(reader_of(coach), name="Other", division="high_school", affiliation=AFFILIATION)
    await team_endings.delete(reader_of(coach), team_id)
    await platform.fail(kind="rate_limited", retry_after=300)
    await drain(platform)
    assert (await team_row(team_id))["closed_at"]
    assert ("team_deletion", "waiting") in await states() and [row["attempts"] for row in await rows()][-1] == 0
    await platform.heal()
    await make_due()
    await drain(platform)
    assert not await is_here(team_id)


async def test_who_came_onto_a_team_right_before_it_was_archived_is_sent_when_it_is_back(
    platform: Platform, coach: Person
) -> None:
    team_id = await synced_team(platform, coach)
    ada, syned_user_id = await make_onboarded(platform, coach, "Ada Alder")
    await teams.add_member(reader_of(coach), team_id, ada)
    await team_endings.archive(reader_of(coach), team_id)
    await drain(platform)
    assert await theirs(platform) == {str(team_id): []}
    await team_endings.restore(reader_of(coach), team_id)
    await drain(platform)
    assert await theirs(platform) == {str(team_id): [syned_user_id]}
    await team_endings.archive(reader_of(coach), team_id)
    await team_endings.restore(reader_of(coach), team_id)
    assert ("membership", "waiting") not in await states()
